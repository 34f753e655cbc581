package word2vec

import (
	"math"

	"tinygpt/model/kernel"
)

// softmax trains with the objective that negative sampling replaces: −log P(target), P over
// the whole vocabulary (Mikolov et al. 2013, equation 2). The cost of a target grows with the
// vocabulary, so it is for small ones.
type softmax struct {
	hidden  []float32 // [N, Stride] of a block: input vectors, or means of windows
	scores  []float32 // [N, V], later P, then −rate·gradient
	dHidden []float32 // [N, Stride]
	dOut    []float32 // [V, Stride]
	weights []float32 // [N]: the number of examples that a hidden vector is in
}

// eachExample calls f for each example of a block with the index of its hidden vector and its
// target. Skip-gram has a hidden vector for each place of a piece, CBOW one for each target.
func (t *Trainer) eachExample(b *block, f func(hidden int, word int32)) {
	first := 0
	for i := range b.pieces {
		e := &b.pieces[i]
		for c, row := range e.Targets {
			if t.Options.CBOW {
				if window(e, c, func(int) {}) > 0 {
					f(first+c, row-int32(t.Model.V))
				}
				continue
			}
			window(e, c, func(i int) { f(first+i, row-int32(t.Model.V)) })
		}
		first += t.hiddenRows(e)
	}
}

// hiddenRows returns the number of hidden vectors of a piece.
func (t *Trainer) hiddenRows(e *kernel.Examples) int {
	if t.Options.CBOW {
		return len(e.Targets)
	}
	return len(e.Inputs)
}

// window calls f for each input of a target's window and returns how many there are.
func window(e *kernel.Examples, target int, f func(i int)) (n int) {
	for i := int(e.From[target]); i < int(e.To[target]); i++ {
		if i != e.First+target {
			f(i)
			n++
		}
	}
	return n
}

// forward computes the hidden vectors of a block and P over the vocabulary for each. It returns
// their number.
func (s *softmax) forward(t *Trainer, b *block) (n int) {
	stride, v := t.Model.Table.Stride, t.Model.V
	for i := range b.pieces {
		n += t.hiddenRows(&b.pieces[i])
	}
	s.hidden, s.dHidden = grown(s.hidden, n*stride), grown(s.dHidden, n*stride)
	s.scores, s.weights = grown(s.scores, n*v), grown(s.weights, n)
	clear(s.hidden[:n*stride])
	clear(s.weights[:n])
	t.eachExample(b, func(hidden int, _ int32) { s.weights[hidden]++ })
	first := 0
	for i := range b.pieces {
		e := &b.pieces[i]
		for r := range t.hiddenRows(e) {
			row := s.hidden[(first+r)*stride:][:stride]
			if !t.Options.CBOW {
				copy(row, t.Model.Input(int(e.Inputs[r])))
				continue
			}
			width := window(e, r, func(int) {})
			window(e, r, func(i int) {
				for j, x := range t.Model.Input(int(e.Inputs[i])) {
					row[j] += x / float32(width)
				}
			})
		}
		first += t.hiddenRows(e)
	}
	kernel.Product{TransB: true, M: n, N: v, K: stride, A: s.hidden, B: t.Model.Table.Data[v*stride:], C: s.scores}.Compute()
	kernel.Softmax(s.scores, s.scores, n, v)
	return n
}

// train makes the step of a block.
func (s *softmax) train(t *Trainer, b *block, rate float32) {
	n := s.forward(t, b)
	stride, v := t.Model.Table.Stride, t.Model.V
	for i, w := range s.weights[:n] {
		row := s.scores[i*v : (i+1)*v]
		for j := range row {
			row[j] *= -rate * w
		}
	}
	t.eachExample(b, func(hidden int, word int32) { s.scores[hidden*v+int(word)] += rate })
	out := t.Model.Table.Data[v*stride:]
	kernel.Product{M: n, N: stride, K: v, A: s.scores, B: out, C: s.dHidden}.Compute()
	s.dOut = grown(s.dOut, v*stride)
	kernel.Product{TransA: true, M: v, N: stride, K: n, A: s.scores, B: s.hidden, C: s.dOut}.Compute()
	t.Cut += cutRows(s.dOut[:v*stride], stride)
	kernel.Add(out[:v*stride], out, s.dOut)

	clear(t.steps[:b.steps*stride])
	first, step := 0, 0
	for i := range b.pieces {
		e := &b.pieces[i]
		for r := range t.hiddenRows(e) {
			d := s.dHidden[(first+r)*stride:][:stride]
			if !t.Options.CBOW {
				copy(t.steps[(step+r)*stride:], d)
				continue
			}
			width := window(e, r, func(int) {})
			window(e, r, func(i int) {
				to := t.steps[(step+i)*stride:][:stride]
				for j, x := range d {
					to[j] += x / float32(width)
				}
			})
		}
		first, step = first+t.hiddenRows(e), step+len(e.Inputs)+len(e.Targets)
	}
	t.Cut += kernel.AddRows(t.Model.Table, t.steps, b.sums, maxStep)
}

// loss returns the sum of −log P(target) over a block's examples, and their number.
func (s *softmax) loss(t *Trainer, b *block) (sum float64, examples int) {
	s.forward(t, b)
	t.eachExample(b, func(hidden int, word int32) {
		sum -= math.Log(float64(s.scores[hidden*t.Model.V+int(word)]))
		examples++
	})
	return sum, examples
}

// cutRows shortens rows that are longer than maxStep and returns how many it shortened. Every
// example of a block moves every output vector without knowledge of the others, so that the sum
// may go too far.
func cutRows(x []float32, stride int) (cut int) {
	for ; len(x) >= stride; x = x[stride:] {
		squares := 0.0
		for _, v := range x[:stride] {
			squares += float64(v) * float64(v)
		}
		if length := math.Sqrt(squares); length > maxStep {
			for j := range x[:stride] {
				x[j] *= float32(maxStep / length)
			}
			cut++
		}
	}
	return cut
}

// grown returns a slice of at least n floats: x, or a new one.
func grown(x []float32, n int) []float32 {
	if len(x) < n {
		return make([]float32, n)
	}
	return x
}
