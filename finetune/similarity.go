package finetune

import "tinygpt/data/labelled"

// similarity reads two texts in both orders, since neither comes first, and adds the two
// final states (Radford et al. 2018, section 3.3).
var similarity = task{
	kind: labelled.Pair,
	arrange: func(b *sequenceBuilder, p parts) [][]int32 {
		return [][]int32{b.sequence(p.texts[0], p.texts[1]), b.sequence(p.texts[1], p.texts[0])}
	},
	groups: 2,
	head:   classesOrGrades,
	grades: true,
}
