package finetune

import "tinygpt/data/labelled"

// choice reads what comes before with each of the choices, in a sequence of its own
// each: start, context, delimiter, choice, extract. A score per sequence goes through
// a softmax over the choices, of which there may be any number (Radford et al. 2018,
// section 3.3, question answering and commonsense reasoning).
var choice = task{
	kind: labelled.Choice,
	arrange: func(b *sequenceBuilder, p parts) [][]int32 {
		var out [][]int32
		for _, c := range p.choices {
			out = append(out, b.sequence(p.texts[0], c))
		}
		return out
	},
	groups: 1,
	head:   func(s *Setup) head { return &choices{oneOf[labelled.ChoiceLabels]{s.ChoiceLabels}} },
}
