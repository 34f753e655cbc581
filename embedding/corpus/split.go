package corpus

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"tinygpt/internal/suggest"
)

// Splitter calls word for each word of a line, in order. The bytes are valid until word
// returns. It returns an error only if its tokenizer can't encode the line.
type Splitter func(line []byte, word func([]byte)) error

// Splitters are the names that NewSplitter knows.
var Splitters = []string{"words", "spaces", "characters"}

// NewSplitter returns the splitter of that name. The words of "words" are runs of letters,
// marks and digits, in lower case, and single ideographs; those of "spaces" are whatever is
// between white space, for text that is cut into words already; those of "characters" are the
// characters that aren't white space.
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

// class maps an ASCII letter or digit to its lower case, any other ASCII byte to 0.
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
			case Ideograph(r):
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

// Tokens returns the splitter whose words are a tokenizer's tokens: the bytes that each stands
// for, spaces included. Special tokens, which stand for none, are left out.
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

// Ideograph reports whether r is a character of a script that is written without spaces
// between words: Chinese, Japanese or Thai.
func Ideograph(r rune) bool {
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
