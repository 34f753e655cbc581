package kernel

import "math"

// AttentionShape is the shape of a self-attention: Batch sequences of Context
// rows (this call's, not the model's longest), Heads heads of HeadDim columns.
type AttentionShape struct{ Batch, Context, Heads, HeadDim int }

// Attention is causal self-attention (Vaswani et al., 2017, section 3.2) on packed
// rows qkv[B,T,3·D], D = Heads·HeadDim, in the order queries, keys, values, head
// h at columns h·HeadDim of each: out[B,T,D] = dropout(softmax(q·kᵀ/√HeadDim))·v.
// lse[B,Heads,T] receives log Σ exp of each row's scaled scores for the backward
// pass. Element (b, h, row, col) of the weights is number
// ((b·Heads+h)·T+row)·T+col to drop.
//
// As in Dao et al., "FlashAttention" (2022), the weights are never stored: a
// block of queries meets all its keys in a strip of scratch that stays in cache,
// and the backward pass computes it again.
func Attention(out, lse, qkv []float32, s AttentionShape, drop Dropout) {
	s.check("Attention", len(out), len(lse), len(qkv))
	drop.check()
	run(&attentionSlot, attentionTask{level: best, shape: s, drop: drop, out: out, lse: lse, qkv: qkv}, s.pieces())
}

// AttentionGrad is the backward pass of Attention: it sets dqkv[B,T,3·D] from
// dout, the gradient of out, and from what Attention read and wrote.
func AttentionGrad(dqkv, dout, out, lse, qkv []float32, s AttentionShape, drop Dropout) {
	s.check("AttentionGrad", len(out), len(lse), len(qkv))
	need("AttentionGrad", "dqkv", len(dqkv), s.rows()*3*s.width())
	need("AttentionGrad", "dout", len(dout), s.rows()*s.width())
	drop.check()
	run(&attentionSlot, attentionTask{level: best, shape: s, drop: drop, out: out, lse: lse, qkv: qkv, dout: dout, dqkv: dqkv}, s.pieces())
}

func (s AttentionShape) rows() int  { return s.Batch * s.Context }
func (s AttentionShape) width() int { return s.Heads * s.HeadDim }

func (s AttentionShape) pieces() int {
	if s.Context == 0 {
		return 0
	}
	return s.Batch * s.Heads
}

func (s AttentionShape) check(function string, out, lse, qkv int) {
	size(function, "Batch", s.Batch)
	size(function, "Context", s.Context)
	size(function, "Heads", s.Heads)
	if s.HeadDim < 1 {
		badSize(function, "HeadDim", s.HeadDim)
	}
	need(function, "out", out, s.rows()*s.width())
	need(function, "lse", lse, s.rows()*s.Heads)
	need(function, "qkv", qkv, s.rows()*3*s.width())
}

// queryBlock is the number of queries that share a strip of scores.
const queryBlock = 32

// attentionTask has one piece for each head of each sequence.
type attentionTask struct {
	level *level
	shape AttentionShape
	drop  Dropout

	out, lse, qkv []float32
	dout, dqkv    []float32 // nil in the forward pass
}

var attentionSlot attentionTask

func (t *attentionTask) piece(w *worker, i int) {
	if t.dqkv == nil {
		t.forward(w, i)
	} else {
		t.backward(w, i)
	}
}

func (t *attentionTask) forward(w *worker, i int) {
	l, s := t.level, t.shape
	T, d, ld, ldo := s.Context, s.HeadDim, 3*s.width(), s.width()
	b, h := i/s.Heads, i%s.Heads
	q, k, v := t.heads(t.qkv, b, h)
	out := t.out[b*T*ldo+h*d:]
	lse := t.lse[i*T : i*T+T]
	scale := float32(1 / math.Sqrt(float64(d)))

	lds := padded(T, 16)
	strip, scratch := carve(w.floats(queryBlock*lds+l.panelFloats(T, d)+l.panelFloats(d, T)), queryBlock*lds)
	keys, scratch := l.columnPanels(scratch, k, ld, d, T)
	values, _ := l.rowPanels(scratch, v, ld, T, d)

	for from := 0; from < T; from += queryBlock {
		to := min(from+queryBlock, T)
		l.multiply(to-from, to, d, q[from*ld:], ld, 1, keys, strip, lds, false)
		var inverse [queryBlock]float32
		for r := from; r < to; r++ {
			p := strip[(r-from)*lds : (r-from)*lds+to]
			shift := scale * l.max(p[:r+1])
			sum := l.exp(p[:r+1], p[:r+1], scale, shift)
			clear(p[r+1:]) // the future
			lse[r] = shift + log(sum)
			inverse[r-from] = 1 / sum
			if t.drop.P > 0 {
				t.drop.apply(l, p[:r+1], p[:r+1], t.element(i, r))
			}
		}
		l.multiply(to-from, d, to, strip, lds, 1, values, out[from*ldo:], ldo, false)
		for r := from; r < to; r++ {
			l.scale(out[r*ldo:r*ldo+d], inverse[r-from])
		}
	}
}

func (t *attentionTask) backward(w *worker, i int) {
	l, s := t.level, t.shape
	T, d, ld, ldo := s.Context, s.HeadDim, 3*s.width(), s.width()
	b, h := i/s.Heads, i%s.Heads
	q, k, v := t.heads(t.qkv, b, h)
	dq, dk, dv := t.heads(t.dqkv, b, h)
	out, dout := t.out[b*T*ldo+h*d:], t.dout[b*T*ldo+h*d:]
	lse := t.lse[i*T : i*T+T]
	scale := float32(1 / math.Sqrt(float64(d)))

	lds := padded(T, 16)
	total := 2*queryBlock*lds + 2*l.panelFloats(T, d) + l.panelFloats(d, T) + 2*l.panelFloats(d, queryBlock)
	weights, scratch := carve(w.floats(total), queryBlock*lds)
	grads, scratch := carve(scratch, queryBlock*lds)
	keys, scratch := l.columnPanels(scratch, k, ld, d, T)
	values, scratch := l.columnPanels(scratch, v, ld, d, T)
	keyRows, scratch := l.rowPanels(scratch, k, ld, T, d)

	// From the last block, which sees all keys and so sets dk and dv, to the first.
	for from := (T - 1) / queryBlock * queryBlock; from >= 0; from -= queryBlock {
		to := min(from+queryBlock, T)
		n := to - from
		l.multiply(n, to, d, q[from*ld:], ld, 1, keys, weights, lds, false)
		l.multiply(n, to, d, dout[from*ldo:], ldo, 1, values, grads, lds, false)
		for r := from; r < to; r++ {
			p, dp := weights[(r-from)*lds:(r-from)*lds+to], grads[(r-from)*lds:(r-from)*lds+to]
			clear(p[r+1:])
			clear(dp[r+1:])
			p, dp = p[:r+1], dp[:r+1]
			l.exp(p, p, scale, lse[r])
			delta := l.dot(dout[r*ldo:r*ldo+d], out[r*ldo:r*ldo+d])
			if t.drop.P > 0 {
				t.drop.apply(l, dp, dp, t.element(i, r))
			}
			l.scoreGrad(dp, p, delta, scale)
			if t.drop.P > 0 {
				t.drop.apply(l, p, p, t.element(i, r))
			}
		}
		accumulate := to < T
		queries, rest := l.rowPanels(scratch, q[from*ld:], ld, n, d)
		douts, _ := l.rowPanels(rest, dout[from*ldo:], ldo, n, d)
		l.multiply(n, d, to, grads, lds, 1, keyRows, dq[from*ld:], ld, false)
		l.multiply(to, d, n, grads, 1, lds, queries, dk, ld, accumulate)
		l.multiply(to, d, n, weights, 1, lds, douts, dv, ld, accumulate)
	}
}

// heads returns the queries, keys and values of a head, rows 3·D apart.
func (t *attentionTask) heads(qkv []float32, b, h int) (q, k, v []float32) {
	D := t.shape.width()
	q = qkv[b*t.shape.Context*3*D+h*t.shape.HeadDim:]
	return q, q[D:], q[2*D:]
}

// element is the number, for dropout, of column 0 in row r of head i.
func (t *attentionTask) element(i, r int) uint64 {
	T := uint64(t.shape.Context)
	return (uint64(i)*T + uint64(r)) * T
}

// scoreGradGo takes the gradient of softmax's result, dp, to that of the scores
// before their scaling, in place: dp = p·(dp − delta)·scale, delta = Σ p·dp.
func scoreGradGo(dp, p []float32, delta, scale float32) {
	p = p[:len(dp)]
	for i := range dp {
		dp[i] = p[i] * (dp[i] - delta) * scale
	}
}

// carve cuts the first n floats off.
func carve(x []float32, n int) (head, tail []float32) { return x[:n:n], x[n:] }

// padded rounds n up to a multiple of m.
func padded(n, m int) int { return (n + m - 1) / m * m }
