package finetune

import "tinygpt/tokenizer"

// Special has the ids of the tokens that fine-tuning adds to a vocabulary.
type Special struct{ Start, Delimiter, Extract int32 }

// Names of these tokens in a tokenizer.
const (
	StartName     = "<|start|>"
	DelimiterName = "<|delimiter|>"
	ExtractName   = "<|extract|>"
)

// Extend returns the tokenizer with the special tokens of fine-tuning, and their ids. Tokens
// that it has already keep their ids.
func Extend(t tokenizer.Tokenizer) (tokenizer.Tokenizer, Special, error) {
	var missing []string
	names := []string{StartName, DelimiterName, ExtractName}
	for _, n := range names {
		if _, ok := tokenizer.SpecialID(t, n); !ok {
			missing = append(missing, n)
		}
	}
	if len(missing) > 0 {
		var err error
		if t, err = tokenizer.WithSpecialTokens(t, missing...); err != nil {
			return nil, Special{}, err
		}
	}
	var ids [3]int32
	for i, n := range names {
		ids[i], _ = tokenizer.SpecialID(t, n)
	}
	return t, Special{ids[0], ids[1], ids[2]}, nil
}

// has reports whether the token is one of the special ones.
func (s Special) has(token int32) bool {
	return token == s.Start || token == s.Delimiter || token == s.Extract
}

// Values of Config.Truncate: which part of a long text is left out.
const (
	Middle = "middle" // its middle is left out
	Start  = "start"  // its start is left out
	End    = "end"    // its end is left out
)

// sequenceBuilder puts special tokens around texts, and cuts what doesn't fit.
type sequenceBuilder struct {
	special  Special
	room     int    // tokens of a sequence
	truncate string // Middle, Start or End

	cut   bool  // something was left out
	words []int // set by repeated: Item.Words
}

// sequence returns start, the texts with delimiters between them, extract. If that is too
// long, the longest texts are cut down to the same length.
func (b *sequenceBuilder) sequence(texts ...[]int32) []int32 {
	limit := b.limit(texts, b.room-1-len(texts))
	out := []int32{b.special.Start}
	for i, t := range texts {
		if i > 0 {
			out = append(out, b.special.Delimiter)
		}
		out = append(out, b.shorten(t, limit)...)
	}
	return append(out, b.special.Extract)
}

// limit returns the largest length that texts can be cut down to so that together they
// have at most room tokens.
func (b *sequenceBuilder) limit(texts [][]int32, room int) int {
	longest, total := 0, 0
	for _, t := range texts {
		longest, total = max(longest, len(t)), total+len(t)
	}
	if total <= room {
		return longest
	}
	b.cut = true
	for ; longest > 0 && total > room; longest-- {
		total = 0
		for _, t := range texts {
			total += min(len(t), longest-1)
		}
	}
	return longest
}

// shorten cuts a text down to n tokens.
func (b *sequenceBuilder) shorten(text []int32, n int) []int32 {
	if len(text) <= n {
		return text
	}
	head := n // for End: all of it is kept at the beginning
	switch b.truncate {
	case Start:
		head = 0
	case Middle:
		head = (n + 1) / 2
	}
	return append(append([]int32{}, text[:head]...), text[len(text)-(n-head):]...)
}

// repeated returns start, the words, delimiter, the words again, extract. A sentence that
// is too long loses its last words.
func (b *sequenceBuilder) repeated(words [][]int32) []int32 {
	var text []int32
	b.words = make([]int, len(words))
	for i, w := range words {
		b.words[i] = -1
		if b.cut = b.cut || 3+2*(len(text)+len(w)) > b.room; !b.cut {
			text = append(text, w...)
			b.words[i] = len(text) - 1
		}
	}
	for i, at := range b.words {
		if at >= 0 {
			b.words[i] = 1 + len(text) + 1 + at
		}
	}
	out := append([]int32{b.special.Start}, text...)
	out = append(append(out, b.special.Delimiter), text...)
	return append(out, b.special.Extract)
}
