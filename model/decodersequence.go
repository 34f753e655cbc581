package model

// sequence is what a decoder keeps of one text.
type sequence struct {
	tokens []int32 // the window: at most Context
	cached int     // how many of them the caches hold
	// keys and values of layer i: [Heads, Context, D/Heads].
	keys, values [][]float32
}

func (s *sequence) reset() { s.tokens, s.cached = s.tokens[:0], 0 }

// extend adds tokens to the window. If it slides, what is cached is void, since
// every token has another position.
func (s *sequence) extend(tokens []int32, c Config) {
	s.grow(c)
	if over := len(tokens) - c.Context; over > 0 {
		tokens = tokens[over:]
	}
	if over := len(s.tokens) + len(tokens) - c.Context; over > 0 {
		s.tokens = s.tokens[:copy(s.tokens, s.tokens[over:])]
		s.cached = 0
	}
	s.tokens = append(s.tokens, tokens...)
}

// grow gives a sequence its memory when it is first used.
func (s *sequence) grow(c Config) {
	if s.keys != nil {
		return
	}
	s.tokens = make([]int32, 0, c.Context)
	for range c.Layers {
		s.keys = append(s.keys, make([]float32, c.Context*c.Width))
		s.values = append(s.values, make([]float32, c.Context*c.Width))
	}
}

func (s *sequence) copyFrom(from *sequence, c Config) {
	s.grow(c)
	s.tokens, s.cached = append(s.tokens[:0], from.tokens...), from.cached
	d := c.Width / c.Heads
	for i := range from.keys {
		for h := range c.Heads {
			at := h * c.Context * d
			copy(s.keys[i][at:], from.keys[i][at:at+s.cached*d])
			copy(s.values[i][at:], from.values[i][at:at+s.cached*d])
		}
	}
}
