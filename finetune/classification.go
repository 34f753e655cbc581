package finetune

import "tinygpt/data/labelled"

// classification reads one text: start, text, extract (Radford et al. 2018, figure 1).
var classification = task{
	kind:    labelled.Single,
	arrange: func(b *sequenceBuilder, p parts) [][]int32 { return [][]int32{b.sequence(p.texts[0])} },
	groups:  1,
	head:    classesOrGrades,
	grades:  true,
}
