package sample

// history is what a text holds so far, for the penalties.
type history struct {
	seen  []bool  // [V] tokens of the prompt and of the text
	drawn []int32 // [V] how often each was drawn
}

func (h *history) start(vocabulary int, prompt []int32) {
	h.seen, h.drawn = make([]bool, vocabulary), make([]int32, vocabulary)
	for _, token := range prompt {
		h.seen[token] = true
	}
}

// add adds a token that was drawn.
func (h *history) add(token int32) {
	h.seen[token] = true
	h.drawn[token]++
}
