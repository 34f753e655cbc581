package tokenizer

import "fmt"

// ByteLevelVocabulary returns what a program with GPT-2's encoding built in needs to
// know: the names of all tokens in the order of their ids, bytes in visible characters,
// and the merges in theirs ("Ġ t"), none for single bytes. They are those of vocab.json
// and merges.txt (see WriteHuggingFace). Another kind of tokenizer is an error.
func ByteLevelVocabulary(t Tokenizer) (names, merges []string, err error) {
	switch t.(type) {
	case *bpe, *byteLevel:
	default:
		return nil, nil, fmt.Errorf("tokenizer %s doesn't encode bytes as GPT-2 does: expected byte-level BPE (kind bpe or gpt2) or single bytes (kind byte)", t.Name())
	}
	e := t.(extendable)
	if added := e.base().added; len(added) > 0 {
		return nil, nil, fmt.Errorf("tokenizer %s has tokens that are cut out of a text before all others, like %q: only Hugging Face's files can say that", t.Name(), added[0].Name)
	}
	for id := range int32(t.VocabSize()) {
		names = append(names, written(e, id))
	}
	pairs, err := mergesOf(t)
	for _, p := range pairs {
		merges = append(merges, p[0]+" "+p[1])
	}
	return names, merges, err
}
