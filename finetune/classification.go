package finetune

import "tinygpt/data/labelled"

// classification reads one text: start, text, extract (Radford et al. 2018, figure 1).
var classification = task{
	kind:    labelled.Single,
	arrange: func(f *frame, p parts) [][]int32 { return [][]int32{f.sequence(p.texts[0])} },
	groups:  1,
	head:    classesOrGrades,
	grades:  true,
}
