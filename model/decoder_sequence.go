package model

// sequence is what a decoder keeps of one text.
type sequence struct {
	tokens []int32 // the window: at most Context
	cached int     // how many of them the caches hold
	// The logits are those of the token after this many tokens.
	predicted int
	// keys and values of layer i: [Heads, capacity, D/Heads].
	keys, values [][]float32
	capacity     int
}

func (s *sequence) reset() { s.tokens, s.cached, s.predicted = s.tokens[:0], 0, 0 }

// extend adds tokens to the window. If the window slides, the caches are no longer valid,
// since every token is at another position.
func (s *sequence) extend(tokens []int32, c Config) {
	if over := len(tokens) - c.Context; over > 0 {
		tokens = tokens[over:]
	}
	if over := len(s.tokens) + len(tokens) - c.Context; over > 0 {
		s.tokens = s.tokens[:copy(s.tokens, s.tokens[over:])]
		s.cached = 0
	}
	s.tokens = append(s.tokens, tokens...)
	s.grow(len(s.tokens), c)
}

// leastCapacity is the minimum number of tokens that a cache has room for.
const leastCapacity = 64

// grow makes room for n tokens in the caches, and for at least twice as many as before, so
// that it is seldom called.
func (s *sequence) grow(n int, c Config) {
	if n <= s.capacity {
		return
	}
	old := *s
	s.capacity = min(max(leastCapacity, n, 2*s.capacity), c.Context)
	s.keys, s.values = make([][]float32, c.Layers), make([][]float32, c.Layers)
	for i := range c.Layers {
		s.keys[i], s.values[i] = make([]float32, s.capacity*c.Width), make([]float32, s.capacity*c.Width)
	}
	s.fill(&old, old.cached, c)
}

// fill copies keys and values of the first n tokens of another sequence.
func (s *sequence) fill(from *sequence, n int, c Config) {
	d := c.Width / c.Heads
	for i := range from.keys {
		for h := range c.Heads {
			to, at, n := h*s.capacity*d, h*from.capacity*d, n*d
			copy(s.keys[i][to:to+n], from.keys[i][at:])
			copy(s.values[i][to:to+n], from.values[i][at:])
		}
	}
}

func (s *sequence) copyFrom(from *sequence, c Config) {
	s.copyPrefix(from, len(from.tokens), c)
}

// copyPrefix makes s equal to the first n tokens of from.
func (s *sequence) copyPrefix(from *sequence, n int, c Config) {
	s.reset()
	s.grow(n, c)
	s.tokens, s.cached = append(s.tokens, from.tokens[:n]...), min(n, from.cached)
	s.fill(from, s.cached, c)
}

// truncate drops all but the first n tokens.
func (s *sequence) truncate(n int) {
	if n < len(s.tokens) {
		s.tokens, s.cached, s.predicted = s.tokens[:n], min(n, s.cached), 0
	}
}
