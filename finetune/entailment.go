package finetune

import "tinygpt/data/labelled"

// entailment reads a premise and a hypothesis: start, premise, delimiter, hypothesis,
// extract (Radford et al. 2018, section 3.3).
var entailment = task{
	kind:    labelled.Pair,
	arrange: func(b *sequenceBuilder, p parts) [][]int32 { return [][]int32{b.sequence(p.texts...)} },
	groups:  1,
	head:    classesOrGrades,
	grades:  true,
}
