package finetune

import "tinygpt/data/labelled"

// choice makes a sequence for each choice: start, context, delimiter, choice, extract. The
// scores of the sequences go through a softmax over the choices, of which there may be any
// number (Radford et al. 2018, section 3.3, question answering and commonsense reasoning).
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
