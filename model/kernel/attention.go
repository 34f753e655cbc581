package kernel

import "math"

// AttentionShape is the shape of a self-attention: Batch sequences of Context
// rows (this call's, not the model's longest), Heads heads of HeadDim columns.
type AttentionShape struct{ Batch, Context, Heads, HeadDim int }

// Attention is causal self-attention (Vaswani et al., 2017, section 3.2) on packed
// rows qkv[B,T,3·D], D = Heads·HeadDim, in the order queries, keys, values, head
// h at columns h·HeadDim of each: out[B,T,D] = dropout(softmax(q·kᵀ/√HeadDim))·v,
// where the causal mask hides from a query all keys of later positions (scoreBlock
// says how). lse[B,Heads,T] receives log Σ exp of each row's scaled scores for the
// backward pass. For dropout, the weight of key j for query i is element
// ((b·Heads+h)·T+j)·T+i.
//
// As in Dao et al., "FlashAttention" (2022), the matrix of weights is never stored: a
// block of queries meets all its keys in a scoreBlock that stays in cache, and the
// backward pass computes that again.
func Attention(out, lse, qkv []float32, s AttentionShape, drop Dropout) {
	s.check("Attention", "out", len(out), len(lse), len(qkv))
	drop.check()
	run(&attentionSlot, attentionTask{isa: active, shape: s, drop: drop, out: out, lse: lse, qkv: qkv}, s.pieces())
}

// AttentionGrad is the backward pass of Attention. It sets dqkv[B,T,3·D] from dout[B,T,D],
// the gradient of out; lse and qkv are what Attention wrote and read.
func AttentionGrad(dqkv, dout, lse, qkv []float32, s AttentionShape, drop Dropout) {
	s.check("AttentionGrad", "dout", len(dout), len(lse), len(qkv))
	need("AttentionGrad", "dqkv", len(dqkv), s.rows()*3*s.width())
	drop.check()
	run(&attentionSlot, attentionTask{isa: active, shape: s, drop: drop, dout: dout, lse: lse, qkv: qkv, dqkv: dqkv}, s.pieces())
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

// queryBlock is the number of queries that share a scoreBlock.
const queryBlock = 32

// attentionTask has one piece for each head of each sequence.
type attentionTask struct {
	isa   *instructionSet
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

// nearFloats is how many floats stay in the second-level cache while heads are computed.
const nearFloats = 128 << 10

// fetch reads all rows of a sequence once, in the order of memory, if they fit the
// second-level cache. Each head reads only a part of every row, which is slow from memory
// further away; the first head of a sequence fetches the rows for all of them.
func (t *attentionTask) fetch(sequence int) {
	n := t.shape.Context * t.shape.width()
	if 3*n > nearFloats {
		return
	}
	t.isa.read(t.qkv[3*n*sequence:][:3*n])
	if t.dqkv != nil {
		t.isa.read(t.dout[n*sequence:][:n])
	}
}

func (t *attentionTask) forward(w *worker, i int) {
	isa, T, d, D := t.isa, t.shape.Context, t.shape.HeadDim, t.shape.width()
	b, h := i/t.shape.Heads, i%t.shape.Heads
	q, k, v := t.heads(t.qkv, b, h)
	out := t.out[b*T*D+h*d:]
	scale := float32(1 / math.Sqrt(float64(d)))
	x, scratch := carve(w.floats(isa.scoreFloats(T, d)+queryBlock+isa.panelFloats(d, T)), T*queryBlock)
	lse, scratch := carve(scratch, queryBlock)
	values, scratch := isa.rowPanels(scratch, v, 3*D, T, d)
	for from := 0; from < T; from += queryBlock {
		s := scoreBlock{from: from, queries: min(queryBlock, T-from), ld: queryBlock}
		isa.scores(x, s, k, 3*D, q[from*3*D:], 3*D, d, scratch)
		isa.softmax(x, s, scale, lse)
		copy(t.lse[i*T+from:][:s.queries], lse)
		t.dropped(x, s, i)
		isa.transposedProduct(out[from*D:], D, x, s, values, d)
	}
}

func (t *attentionTask) backward(w *worker, i int) {
	isa, s := t.isa, t.shape
	T, d, ld, ldo := s.Context, s.HeadDim, 3*s.width(), s.width()
	b, h := i/s.Heads, i%s.Heads
	q, k, v := t.heads(t.qkv, b, h)
	dq, dk, dv := t.heads(t.dqkv, b, h)
	dout := t.dout[b*T*ldo+h*d:]
	scale := float32(1 / math.Sqrt(float64(d)))

	x, scratch := carve(w.floats(T*queryBlock+isa.scoreFloats(T, d)+queryBlock+isa.panelFloats(d, T)+isa.panelFloats(d, queryBlock)), T*queryBlock)
	dx, scratch := carve(scratch, T*queryBlock)
	lse, scratch := carve(scratch, queryBlock)
	keys, scratch := isa.rowPanels(scratch, k, ld, T, d)

	// From the last block, which sees all keys and therefore sets dk and dv, to the first.
	for from := (T - 1) / queryBlock * queryBlock; from >= 0; from -= queryBlock {
		n := min(queryBlock, T-from)
		s := scoreBlock{from: from, queries: n, ld: queryBlock}
		q, dout := q[from*ld:], dout[from*ldo:]
		copy(lse, t.lse[i*T+from:][:n])
		isa.scores(x, s, k, ld, q, ld, d, scratch)
		isa.weights(x, s, scale, lse)
		isa.scores(dx, s, v, ld, dout, ldo, d, scratch)
		t.dropped(dx, s, i)
		isa.scoreGrad(dx, x, s, scale)
		t.dropped(x, s, i)

		accumulate := s.keys() < T
		isa.transposedProduct(dq[from*ld:], ld, dx, s, keys, d)
		isa.product(dk, ld, dx, s, q, ld, d, accumulate, scratch)
		isa.product(dv, ld, x, s, dout, ldo, d, accumulate, scratch)
	}
}

// scores sets x, a scoreBlock, to rows[keys,d]·q[queries,d]ᵀ; rows are ldr and ldq apart.
// Columns between the last query and the end of its vector become 0. Keys that the causal
// mask hides from all queries of a panel are left out.
func (isa *instructionSet) scores(x []float32, s scoreBlock, rows []float32, ldr int, q []float32, ldq, d int, scratch []float32) {
	columns := isa.columnPanels(scratch, q, ldq, d, s.queries)
	for c := 0; c < s.queries; c += columns.width {
		n := min(columns.width, s.queries-c)
		isa.multiply(s.from+c+n, padded(n, isa.lanes), d, rows, ldr, 1, columns.panel(c/columns.width), x[c:], s.ld, false)
	}
}

// nearKeys is the number of keys whose rows of a scoreBlock and of a panel of values fit
// together in the first-level cache.
const nearKeys = 128

// transposedProduct sets out[queries,d], whose rows are ldo apart, to xᵀ·rows[keys,d] for a
// scoreBlock x: for each query, the sum over keys.
func (isa *instructionSet) transposedProduct(out []float32, ldo int, x []float32, s scoreBlock, rows panels, d int) {
	s.halves(func(c, n, _ int) {
		keys := s.from + c + n
		for j := 0; j < keys; j += nearKeys {
			k := min(nearKeys, keys-j)
			isa.multiply(n, d, k, x[j*s.ld+c:], 1, s.ld, rows.from(j), out[c*ldo:], ldo, j > 0)
		}
	})
}

// product sets sums[keys,d], whose rows are lds apart, to x·rows[queries,d] for a scoreBlock
// x, or adds it: for each key, the sum over queries.
func (isa *instructionSet) product(sums []float32, lds int, x []float32, s scoreBlock, rows []float32, ldr, d int, accumulate bool, scratch []float32) {
	packed, _ := isa.packedRows(scratch, rows, ldr, s.queries, d)
	s.halves(func(c, n, first int) {
		isa.multiply(s.from+c+n-first, d, s.queries-c, x[first*s.ld+c:], s.ld, 1, packed.from(c), sums[first*lds:], lds, accumulate)
	})
}

// scoreFloats is the scratch that a scoreBlock of that many keys and the call of scores need.
func (isa *instructionSet) scoreFloats(keys, d int) int {
	return keys*queryBlock + isa.panelFloats(queryBlock, d)
}

// dropped applies dropout to a scoreBlock of head i.
func (t *attentionTask) dropped(x []float32, s scoreBlock, i int) {
	if t.drop.P == 0 {
		return
	}
	T := t.shape.Context
	for j := range s.keys() {
		row := x[j*s.ld:][:s.queries]
		t.drop.apply(t.isa, row, row, (uint64(i)*uint64(T)+uint64(j))*uint64(T)+uint64(s.from))
	}
}

// heads returns the queries, keys and values of a head, rows 3·D apart.
func (t *attentionTask) heads(qkv []float32, b, h int) (q, k, v []float32) {
	D := t.shape.width()
	q = qkv[b*t.shape.Context*3*D+h*t.shape.HeadDim:]
	return q, q[D:], q[2*D:]
}

// carve splits x after its first n floats.
func carve(x []float32, n int) (head, tail []float32) { return x[:n:n], x[n:] }

// padded rounds n up to a multiple of m.
func padded(n, m int) int { return (n + m - 1) / m * m }
