package tokenizer

import (
	"fmt"
	"sync"

	loader "github.com/pkoukk/tiktoken-go-loader"
)

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
	ranks, err := loader.NewOfflineLoader().LoadTiktokenBpe("r50k_base.tiktoken")
	if err != nil {
		return nil, fmt.Errorf("tokenizer gpt2: %w", err)
	}
	tokens := make([][]byte, len(ranks))
	for tok, id := range ranks {
		if id >= len(tokens) {
			return nil, fmt.Errorf("tokenizer gpt2: token %q has id %d of %d tokens", tok, id, len(tokens))
		}
		tokens[id] = []byte(tok)
	}
	return newBPE("gpt2", tokens, nil)
})
