package tokenizer

import (
	"slices"
	"testing"

	"tinygpt/internal/expect"
)

func TestByteLevelVocabulary(t *testing.T) {
	gpt2, err := GPT2()
	if err != nil {
		t.Fatal(err)
	}
	names, merges, err := ByteLevelVocabulary(gpt2)
	if err != nil {
		t.Fatal(err)
	}
	// GPT-2's encoder.json and vocab.bpe.
	if len(names) != 50257 || names[0] != "!" || names[198] != "Ċ" || names[256] != "Ġt" || names[50256] != EndOfTextName {
		t.Errorf("%d names, 0 %q, 198 %q, 256 %q", len(names), names[0], names[198], names[256])
	}
	if len(merges) != 50000 || !slices.Equal(merges[:3], []string{"Ġ t", "Ġ a", "h e"}) {
		t.Errorf("%d merges, %q", len(merges), merges[:3])
	}
	names, merges, err = ByteLevelVocabulary(NewByte())
	if err != nil || len(names) != NewByte().VocabSize() || merges != nil {
		t.Errorf("bytes: %d names, merges %v, %v", len(names), merges, err)
	}
	chars, err := NewChar(slices.Values([]string{"ab"}))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = ByteLevelVocabulary(chars)
	expect.Error(t, err, "tokenizer char doesn't encode bytes as GPT-2 does")
}
