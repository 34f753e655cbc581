package tokenizer

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	loader "github.com/pkoukk/tiktoken-go-loader"
)

const gpt2Name = "gpt2"

// GPT2 returns GPT-2's tokenizer (Radford et al. 2019), which GPT-3 has as well:
// 50,257 tokens, the end of text being 50256. The vocabulary, r50k_base, is part
// of the program.
func GPT2() (Tokenizer, error) {
	t, err := gpt2()
	if err != nil {
		return nil, err
	}
	return t, nil
}

var gpt2 = sync.OnceValues(func() (*bpe, error) {
	ranked, err := r50k()
	if err != nil {
		return nil, err
	}
	m, err := newMerger(ranked, identity(len(ranked)), pattern)
	if err != nil {
		return nil, fmt.Errorf("tokenizer gpt2: %w", err)
	}
	return newGPT2(withEndOfText(ranked), m), nil
})

// r50k returns the tokens of r50k_base by rank.
var r50k = sync.OnceValues(func() ([][]byte, error) {
	ranks, err := loader.NewOfflineLoader().LoadTiktokenBpe("r50k_base.tiktoken")
	if err != nil {
		return nil, fmt.Errorf("tokenizer gpt2: %w", err)
	}
	ranked := make([][]byte, len(ranks))
	for token, rank := range ranks {
		if rank >= len(ranked) {
			return nil, fmt.Errorf("tokenizer gpt2: token %q has rank %d of %d tokens", token, rank, len(ranked))
		}
		ranked[rank] = []byte(token)
	}
	return ranked, nil
})

// newGPT2 returns GPT-2's tokenizer with the special tokens of t, which has
// GPT-2's ordinary tokens.
func newGPT2(t table, m *merger) *bpe {
	e := newBPEOf(t, m)
	e.name = e.nameWithExtra(gpt2Name)
	return e
}

// isGPT2 reports whether t has GPT-2's tokens with GPT-2's ids.
func isGPT2(t table) bool {
	if len(t.tokens) < 50257 || t.endOfText != 50256 {
		return false
	}
	ranked, err := r50k()
	return err == nil && slices.EqualFunc(t.tokens[:50256], ranked, bytes.Equal)
}
