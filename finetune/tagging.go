package finetune

import "tinygpt/data/labelled"

// tagging reads a sentence of words and labels each of them at its last token, where
// all of the word was read: the transfer to named entities. The model looks back
// only, so the sentence is read twice, start, words, delimiter, words, extract, and
// labelled in the second reading, which sees what comes after a word in the first one
// (Springer et al. 2024, Repetition Improves Language Model Embeddings).
var tagging = task{
	kind:    labelled.Tagged,
	arrange: func(b *sequenceBuilder, p parts) [][]int32 { return [][]int32{b.repeated(p.words)} },
	groups:  0,
	head:    func(s *Setup) head { return &tags{names: s.Classes} },
}
