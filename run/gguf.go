package run

import (
	"fmt"

	"tinygpt/model/gguf"
	"tinygpt/tokenizer"
)

// llama.cpp's types of tokens, llama_token_type.
const (
	normalToken  = 1
	controlToken = 3 // has no text
)

// ggufVocabulary is a tokenizer as llama.cpp wants it in a file's metadata. The token
// that begins a text is put before a prompt, as `gpt sample` does.
func ggufVocabulary(t tokenizer.Tokenizer) ([]gguf.Pair, error) {
	names, merges, err := tokenizer.ByteLevelVocabulary(t)
	if err != nil {
		return nil, fmt.Errorf("for llama.cpp: %w", err)
	}
	end := t.EndOfText()
	if end < 0 {
		return nil, fmt.Errorf("for llama.cpp: tokenizer %s has no end of text, and llama.cpp would take another token for it", t.Name())
	}
	begin := tokenizer.Begin(t)
	if begin < 0 {
		begin = end
	}
	types := make([]int32, len(names))
	for i := range types {
		types[i] = normalToken
	}
	for _, s := range t.SpecialTokens() {
		types[s.ID] = controlToken
	}
	return []gguf.Pair{
		{Key: "tokenizer.ggml.model", Value: "gpt2"},
		{Key: "tokenizer.ggml.pre", Value: "gpt-2"},
		{Key: "tokenizer.ggml.tokens", Value: names},
		{Key: "tokenizer.ggml.token_type", Value: types},
		{Key: "tokenizer.ggml.merges", Value: merges},
		{Key: "tokenizer.ggml.bos_token_id", Value: uint32(begin)},
		{Key: "tokenizer.ggml.eos_token_id", Value: uint32(end)},
		{Key: "tokenizer.ggml.add_bos_token", Value: tokenizer.Begin(t) >= 0},
	}, nil
}
