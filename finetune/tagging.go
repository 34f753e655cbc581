package finetune

import "tinygpt/data/labelled"

// tagging predicts a tag for each word of a sentence from the state of the word's last token.
// Since the model looks back only, it reads the sentence twice: start, words, delimiter, words,
// extract. The tags are predicted in the second copy, which sees what comes after a word in the
// first one (Springer et al. 2024, Repetition Improves Language Model Embeddings).
var tagging = task{
	kind:    labelled.Tagged,
	arrange: func(b *sequenceBuilder, p parts) [][]int32 { return [][]int32{b.repeated(p.words)} },
	groups:  0,
	head:    func(s *Setup) head { return &tags{names: s.Classes} },
}
