package instruct

import (
	"fmt"

	"tinygpt/tokenizer"
)

// SurpriseLevels is the number of levels of surprise that a reward model reads.
const SurpriseLevels = 10

// unreadName is the special token for what isn't part of an answer.
const unreadName = "<|unread|>"

// surpriseNames are those of the special tokens for how little a token of an answer was
// expected.
func surpriseNames() (names []string) {
	for level := range SurpriseLevels {
		names = append(names, fmt.Sprintf("<|surprise_%d|>", level))
	}
	return names
}

// WithSurprise returns the tokenizer with the special tokens for levels of surprise. Texts are
// encoded as before.
func WithSurprise(t tokenizer.Tokenizer) (tokenizer.Tokenizer, error) {
	if _, _, ok := Surprise(t); ok {
		return t, nil
	}
	return tokenizer.WithSpecialTokens(t, append([]string{unreadName}, surpriseNames()...)...)
}

// Surprise returns the special tokens that WithSurprise adds: of what isn't part of an answer,
// and of the levels, from expected to unexpected.
func Surprise(t tokenizer.Tokenizer) (none int32, levels []int32, ok bool) {
	if none, ok = tokenizer.SpecialID(t, unreadName); !ok {
		return 0, nil, false
	}
	for _, name := range surpriseNames() {
		id, ok := tokenizer.SpecialID(t, name)
		if !ok {
			return 0, nil, false
		}
		levels = append(levels, id)
	}
	return none, levels, true
}
