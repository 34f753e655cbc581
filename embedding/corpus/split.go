package corpus

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"tinygpt/internal/suggest"
)

// Splitter calls word for each word of a line, in order. The bytes are valid until word
// returns. An error is one of a tokenizer that can't encode the line.
type Splitter func(line []byte, word func([]byte)) error

// Splitters are the ways to cut a line into words that have a name.
var Splitters = []string{"words", "spaces", "characters"}

// NewSplitter returns the splitter of that name: "words" are runs of letters, marks and
// digits in lower case, and each ideograph alone; "spaces" takes what is between white space
// as it is, for text that is cut into words already; "characters" takes every character
// that isn't white space.
func NewSplitter(name string) (Splitter, error) {
	switch name {
	case "words":
		return words(), nil
	case "spaces":
		return spaces, nil
	case "characters":
		return characters, nil
	}
	return nil, fmt.Errorf("words: %q: %s", name, suggest.Expected(name, Splitters...))
}

// class says what a byte of ASCII is in a text: 0 not of a word, else its lower case.
var class = func() (c [utf8.RuneSelf]byte) {
	for b := range c {
		switch {
		case 'a' <= b && b <= 'z', '0' <= b && b <= '9':
			c[b] = byte(b)
		case 'A' <= b && b <= 'Z':
			c[b] = byte(b) + 'a' - 'A'
		}
	}
	return c
}()

func words() Splitter {
	var buffer []byte
	return func(line []byte, word func([]byte)) error {
		buffer = buffer[:0]
		end := func() {
			if len(buffer) > 0 {
				word(buffer)
				buffer = buffer[:0]
			}
		}
		for i := 0; i < len(line); {
			if b := line[i]; b < utf8.RuneSelf {
				if c := class[b]; c != 0 {
					buffer = append(buffer, c)
				} else {
					end()
				}
				i++
				continue
			}
			r, n := utf8.DecodeRune(line[i:])
			i += n
			switch {
			case ideograph(r):
				end()
				buffer = utf8.AppendRune(buffer, r)
				end()
			case unicode.In(r, unicode.L, unicode.M, unicode.Nd):
				buffer = utf8.AppendRune(buffer, unicode.ToLower(r))
			default:
				end()
			}
		}
		end()
		return nil
	}
}

// Encoder is a tokenizer: text to ids, and ids to the bytes that they stand for.
type Encoder interface {
	Encode(text string) ([]int32, error)
	Decode(ids []int32) (string, error)
	VocabSize() int
}

// Tokens returns the splitter whose words are the tokens of a tokenizer: the bytes that
// each stands for, spaces included.
func Tokens(e Encoder) Splitter {
	bytes := make([][]byte, e.VocabSize())
	return func(line []byte, word func([]byte)) error {
		ids, err := e.Encode(string(line))
		if err != nil {
			return err
		}
		for _, id := range ids {
			if bytes[id] == nil {
				text, err := e.Decode([]int32{id})
				if err != nil {
					return err
				}
				bytes[id] = []byte(text)
			}
			if len(bytes[id]) > 0 { // else a special token
				word(bytes[id])
			}
		}
		return nil
	}
}

// ideograph says whether r is a character of a script that is written without spaces
// between words.
func ideograph(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

func spaces(line []byte, word func([]byte)) error {
	start := -1
	for i := 0; i < len(line); {
		r, n := rune(line[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(line[i:])
		}
		if unicode.IsSpace(r) {
			if start >= 0 {
				word(line[start:i])
				start = -1
			}
		} else if start < 0 {
			start = i
		}
		i += n
	}
	if start >= 0 {
		word(line[start:])
	}
	return nil
}

func characters(line []byte, word func([]byte)) error {
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		if !unicode.IsSpace(r) {
			word(line[i : i+n])
		}
		i += n
	}
	return nil
}
