package finetune

import "tinygpt/data/labelled"

// similarity reads two texts in both orders, for neither comes first, and adds the two
// final states (Radford et al. 2018, section 3.3).
var similarity = task{
	kind: labelled.Pair,
	arrange: func(f *frame, p parts) [][]int32 {
		return [][]int32{f.sequence(p.texts[0], p.texts[1]), f.sequence(p.texts[1], p.texts[0])}
	},
	groups: 2,
	head:   classesOrGrades,
	grades: true,
}
