package kernel

import "math"

// AttentionShape is the shape of a self-attention: Batch sequences of Context
// rows (this call's, not the model's longest), Heads heads of HeadDim columns.
type AttentionShape struct{ Batch, Context, Heads, HeadDim int }

// Attention is causal self-attention (Vaswani et al., 2017, section 3.2) on packed
// rows qkv[B,T,3·D], D = Heads·HeadDim, in the order queries, keys, values, head
// h at columns h·HeadDim of each: out[B,T,D] = dropout(softmax(q·kᵀ/√HeadDim))·v.
// lse[B,Heads,T] receives log Σ exp of each row's scaled scores for the backward
// pass. The weight of key j for query i is number ((b·Heads+h)·T+j)·T+i to drop.
//
// As in Dao et al., "FlashAttention" (2022), the weights are never stored: a
// block of queries meets all its keys in a strip of scratch that stays in cache,
// and the backward pass computes it again. The strip has queries in its columns.
func Attention(out, lse, qkv []float32, s AttentionShape, drop Dropout) {
	s.check("Attention", "out", len(out), len(lse), len(qkv))
	drop.check()
	run(&attentionSlot, attentionTask{level: best, shape: s, drop: drop, out: out, lse: lse, qkv: qkv}, s.pieces())
}

// AttentionGrad is the backward pass of Attention: it sets dqkv[B,T,3·D] from
// dout, the gradient of out, and from what Attention read and wrote but out.
func AttentionGrad(dqkv, dout, lse, qkv []float32, s AttentionShape, drop Dropout) {
	s.check("AttentionGrad", "dout", len(dout), len(lse), len(qkv))
	need("AttentionGrad", "dqkv", len(dqkv), s.rows()*3*s.width())
	drop.check()
	run(&attentionSlot, attentionTask{level: best, shape: s, drop: drop, dout: dout, lse: lse, qkv: qkv, dqkv: dqkv}, s.pieces())
}

func (s AttentionShape) rows() int  { return s.Batch * s.Context }
func (s AttentionShape) width() int { return s.Heads * s.HeadDim }

func (s AttentionShape) pieces() int {
	if s.Context == 0 {
		return 0
	}
	return s.Batch * s.Heads
}

func (s AttentionShape) check(function, output string, out, lse, qkv int) {
	size(function, "Batch", s.Batch)
	size(function, "Context", s.Context)
	size(function, "Heads", s.Heads)
	if s.HeadDim < 1 {
		badSize(function, "HeadDim", s.HeadDim)
	}
	need(function, output, out, s.rows()*s.width())
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
	if i%t.shape.Heads == 0 {
		t.fetch(i / t.shape.Heads)
	}
	if t.dqkv == nil {
		t.forward(w, i)
	} else {
		t.backward(w, i)
	}
}

// nearFloats is how much stays in the second-level cache while heads are computed.
const nearFloats = 128 << 10

// fetch reads the rows of a sequence, if they stay near, in the order of memory. A head
// reads a part of each row, which takes longer from far away: the first one fetches for all.
func (t *attentionTask) fetch(sequence int) {
	n := t.shape.Context * t.shape.width()
	if 3*n > nearFloats {
		return
	}
	t.level.read(t.qkv[3*n*sequence:][:3*n])
	if t.dqkv != nil {
		t.level.read(t.dout[n*sequence:][:n])
	}
}

func (t *attentionTask) forward(w *worker, i int) {
	s := t.shape
	T, d, D := s.Context, s.HeadDim, s.width()
	b, h := i/s.Heads, i%s.Heads
	q, k, v := t.heads(t.qkv, b, h)
	a := attending{rows: T, d: d, out: t.out[b*T*D+h*d:], ldo: D, q: q, ldq: 3 * D, keys: k, keyRow: 3 * D, keyStep: 1, values: v, ld: 3 * D}
	t.level.attend(w, a, func(x []float32, s strip, lse []float32) {
		copy(t.lse[i*T+s.from:][:s.queries], lse)
		t.dropped(x, s, i)
	})
}

// attending is a head's queries, rows of them, which follow past rows: they meet the keys
// and values of these, and their own up to themselves. The rows of out, q and values, d
// floats each, are ldo, ldq and ld apart; element i of key j is keys[j·keyRow + i·keyStep].
type attending struct {
	past, rows, d   int
	out             []float32
	ldo             int
	q               []float32
	ldq             int
	keys            []float32
	keyRow, keyStep int
	values          []float32
	ld              int
}

// attend computes a's attention. Each block's weights, and log Σ exp of each query's scaled
// scores, go through weighed before values are weighted with them.
func (l *level) attend(w *worker, a attending, weighed func(x []float32, s strip, lse []float32)) {
	scale := float32(1 / math.Sqrt(float64(a.d)))
	total := a.past + a.rows
	x, scratch := carve(w.floats(l.stripFloats(total, a.d)+queryBlock+l.panelFloats(a.d, total)), total*queryBlock)
	lse, scratch := carve(scratch, queryBlock)
	values, scratch := l.rowPanels(scratch, a.values, a.ld, total, a.d)
	for from := 0; from < a.rows; from += queryBlock {
		s := strip{from: a.past + from, queries: min(queryBlock, a.rows-from), ld: queryBlock}
		l.scores(x, s, a.keys, a.keyRow, a.keyStep, a.q[from*a.ldq:], a.ldq, a.d, scratch)
		l.softmax(x, s, scale, lse)
		weighed(x, s, lse)
		l.weighted(a.out[from*a.ldo:], a.ldo, x, s, values, a.d)
	}
}

func (t *attentionTask) backward(w *worker, i int) {
	l, s := t.level, t.shape
	T, d, ld, ldo := s.Context, s.HeadDim, 3*s.width(), s.width()
	b, h := i/s.Heads, i%s.Heads
	q, k, v := t.heads(t.qkv, b, h)
	dq, dk, dv := t.heads(t.dqkv, b, h)
	dout := t.dout[b*T*ldo+h*d:]
	scale := float32(1 / math.Sqrt(float64(d)))

	x, scratch := carve(w.floats(T*queryBlock+l.stripFloats(T, d)+queryBlock+l.panelFloats(d, T)+l.panelFloats(d, queryBlock)), T*queryBlock)
	dx, scratch := carve(scratch, T*queryBlock)
	lse, scratch := carve(scratch, queryBlock)
	keys, scratch := l.rowPanels(scratch, k, ld, T, d)

	// From the last block, which sees all keys and so sets dk and dv, to the first.
	for from := (T - 1) / queryBlock * queryBlock; from >= 0; from -= queryBlock {
		n := min(queryBlock, T-from)
		s := strip{from: from, queries: n, ld: queryBlock}
		q, dout := q[from*ld:], dout[from*ldo:]
		copy(lse, t.lse[i*T+from:][:n])
		l.scores(x, s, k, ld, 1, q, ld, d, scratch)
		l.weights(x, s, scale, lse)
		l.scores(dx, s, v, ld, 1, dout, ldo, d, scratch)
		t.dropped(dx, s, i)
		l.scoreGrad(dx, x, s, scale)
		t.dropped(x, s, i)

		accumulate := s.keys() < T
		l.weighted(dq[from*ld:], ld, dx, s, keys, d)
		l.received(dk, ld, dx, s, q, ld, d, accumulate, scratch)
		l.received(dv, ld, x, s, dout, ldo, d, accumulate, scratch)
	}
}

// scores sets a strip x to rows[keys,d]·q[queries,d]ᵀ, element i of row j at rows[j·row +
// i·step], and what is between the last
// query and the end of its vector to 0. Keys that no query of a panel sees are left out.
func (l *level) scores(x []float32, s strip, rows []float32, row, step int, q []float32, ldq, d int, scratch []float32) {
	columns, _ := l.columnPanels(scratch, q, ldq, d, s.queries)
	for c := 0; c < s.queries; c += columns.width {
		n := min(columns.width, s.queries-c)
		l.multiply(s.from+c+n, padded(n, l.lanes), d, rows, row, step, columns.panel(c/columns.width), x[c:], s.ld, false)
	}
}

// nearKeys is the number of keys whose part of a strip and of a panel of rows are both
// in the first-level cache.
const nearKeys = 128

// weighted sets out[queries,d], rows ldo apart, to xᵀ·rows[keys,d]: to what queries get of
// keys.
func (l *level) weighted(out []float32, ldo int, x []float32, s strip, rows panels, d int) {
	s.halves(func(c, n, _ int) {
		keys := s.from + c + n
		for j := 0; j < keys; j += nearKeys {
			k := min(nearKeys, keys-j)
			l.multiply(n, d, k, x[j*s.ld+c:], 1, s.ld, rows.from(j), out[c*ldo:], ldo, j > 0)
		}
	})
}

// received sets sums[keys,d], rows lds apart, to x·rows[queries,d], or adds it: what keys
// get of queries.
func (l *level) received(sums []float32, lds int, x []float32, s strip, rows []float32, ldr, d int, accumulate bool, scratch []float32) {
	packed, _ := l.packedRows(scratch, rows, ldr, s.queries, d)
	s.halves(func(c, n, first int) {
		l.multiply(s.from+c+n-first, d, s.queries-c, x[first*s.ld+c:], s.ld, 1, packed.from(c), sums[first*lds:], lds, accumulate)
	})
}

// stripFloats is the scratch that a strip of that many keys needs, and scores for it.
func (l *level) stripFloats(keys, d int) int {
	return keys*queryBlock + l.panelFloats(queryBlock, d)
}

// dropped applies dropout to a strip of head i.
func (t *attentionTask) dropped(x []float32, s strip, i int) {
	if t.drop.P == 0 {
		return
	}
	T := t.shape.Context
	for j := range s.keys() {
		row := x[j*s.ld:][:s.queries]
		t.drop.apply(t.level, row, row, (uint64(i)*uint64(T)+uint64(j))*uint64(T)+uint64(s.from))
	}
}

// heads returns the queries, keys and values of a head, rows 3·D apart.
func (t *attentionTask) heads(qkv []float32, b, h int) (q, k, v []float32) {
	D := t.shape.width()
	q = qkv[b*t.shape.Context*3*D+h*t.shape.HeadDim:]
	return q, q[D:], q[2*D:]
}

// carve cuts the first n floats off.
func carve(x []float32, n int) (head, tail []float32) { return x[:n:n], x[n:] }

// padded rounds n up to a multiple of m.
func padded(n, m int) int { return (n + m - 1) / m * m }
