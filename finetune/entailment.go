package finetune

import "tinygpt/data/labelled"

// entailment reads a premise and a hypothesis: start, premise, delimiter, hypothesis,
// extract (Radford et al. 2018, section 3.3).
var entailment = task{
	kind:    labelled.Pair,
	arrange: func(f *frame, p parts) [][]int32 { return [][]int32{f.sequence(p.texts...)} },
	groups:  1,
	head:    classesOrGrades,
	grades:  true,
}
