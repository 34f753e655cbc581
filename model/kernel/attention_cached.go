package kernel

import "math"

// CachedRows are the rows of one sequence that CachedAttention reads, and what is cached of
// the sequence: the keys and values of Past earlier rows, in memory for Capacity of them.
// Keys are [heads, headDim, Capacity], so that a query meets many keys at a time; Values
// are [heads, Capacity, headDim].
type CachedRows struct {
	Keys, Values         []float32
	Capacity, Past, Rows int
}

// CachedAttention is causal self-attention (see Attention) of new rows of several
// sequences, each on its own cached rows and on its new ones up to itself: a decoder's
// step, or a piece of a prompt. qkv[n,3·D] has the rows, sequence by sequence, D =
// heads·headDim; it writes out[n,D] and appends the rows' keys and values to the caches.
//
// A row's result has the same bits whatever the other sequences are, and whether the rows
// before it came in the same call or earlier ones.
func CachedAttention(out, qkv []float32, sequences []CachedRows, heads, headDim int) {
	const f = "CachedAttention"
	size(f, "heads", heads)
	if headDim < 1 {
		badSize(f, "headDim", headDim)
	}
	rows, work := 0, 0
	for _, c := range sequences {
		size(f, "Past", c.Past)
		size(f, "Rows", c.Rows)
		need(f, "Capacity", c.Capacity, c.Past+c.Rows)
		need(f, "Keys", len(c.Keys), heads*c.Capacity*headDim)
		need(f, "Values", len(c.Values), heads*c.Capacity*headDim)
		rows += c.Rows
		work += c.Rows * (c.Past + c.Rows) * headDim
	}
	D := heads * headDim
	need(f, "out", len(out), rows*D)
	need(f, "qkv", len(qkv), rows*3*D)
	if rows == 0 || D == 0 {
		return
	}
	all := len(sequences) * heads
	perPiece := min(all, 1+headWork*len(sequences)/(work+1))
	run(&cachedAttentionSlot, cachedAttentionTask{best, out, qkv, sequences, heads, headDim, perPiece}, blocks(all, perPiece))
}

const (
	// headWork is the number of products of a query and a key, by column, that are worth
	// another thread.
	headWork = 4 << 10
	// fewQueries is the number of rows up to which a query at a time meets the keys; above,
	// blocks of queries do.
	fewQueries = 8
	// headsTogether is how many heads of a query sum their weights at the same time: each
	// of these sums is a chain of additions.
	headsTogether = 4
)

type cachedAttentionTask struct {
	level          *level
	out, qkv       []float32
	sequences      []CachedRows
	heads, headDim int
	perPiece       int // heads of sequences in a piece
}

var cachedAttentionSlot cachedAttentionTask

func (t *cachedAttentionTask) piece(w *worker, i int) {
	from, to := block(i, t.perPiece, len(t.sequences)*t.heads)
	row := 0 // the sequence's first
	for i, c := range t.sequences {
		if c.Rows == 0 {
			continue
		}
		first := i * t.heads
		if h0, h1 := max(from-first, 0), min(to-first, t.heads); h0 < h1 {
			t.sequence(w, c, row, h0, h1)
		}
		row += c.Rows
	}
}

// sequence computes heads h0 to h1 of the sequence c, whose rows begin at row.
func (t *cachedAttentionTask) sequence(w *worker, c CachedRows, row, h0, h1 int) {
	for h := h0; h < h1; h++ {
		t.store(c, row, h)
	}
	if c.Rows <= fewQueries {
		for r := range c.Rows {
			for h := h0; h < h1; h += headsTogether {
				t.query(w, c, row+r, h, min(h+headsTogether, h1), c.Past+r+1)
			}
		}
		return
	}
	d, D := t.headDim, t.heads*t.headDim
	for h := h0; h < h1; h++ {
		keys, values := c.head(h, d)
		q := t.qkv[row*3*D+h*d:]
		a := attending{past: c.Past, rows: c.Rows, d: d, out: t.out[row*D+h*d:], ldo: D, q: q, ldq: 3 * D,
			keys: keys, keyRow: 1, keyStep: c.Capacity, values: values, ld: d}
		t.level.attend(w, a, func([]float32, strip, []float32) {})
	}
}

// head returns the keys and values of head h, of d columns.
func (c CachedRows) head(h, d int) (keys, values []float32) {
	from, to := h*c.Capacity*d, (h+1)*c.Capacity*d
	return c.Keys[from:to], c.Values[from:to]
}

// store appends the keys and values of head h of a sequence's rows to its cache.
func (t *cachedAttentionTask) store(c CachedRows, row, h int) {
	d, D := t.headDim, t.heads*t.headDim
	keys, values := c.head(h, d)
	for r := range c.Rows {
		at := c.Past + r
		qkv := t.qkv[(row+r)*3*D+h*d:]
		for i, k := range qkv[D : D+d] {
			keys[i*c.Capacity+at] = k
		}
		copy(values[at*d:at*d+d], qkv[2*D:])
	}
}

// query computes heads h0 to h1 of one row, which sees n keys. It sums in the order in
// which attend does, so both give the same bits.
func (t *cachedAttentionTask) query(w *worker, c CachedRows, row, h0, h1, n int) {
	l, d, D := t.level, t.headDim, t.heads*t.headDim
	scale := float32(1 / math.Sqrt(float64(d)))
	scratch := w.floats(headsTogether*n + d)
	var weights [headsTogether][]float32
	var sums [headsTogether]float32
	for i := range h1 - h0 {
		keys, _ := c.head(h0+i, d)
		q := t.qkv[row*3*D+(h0+i)*d:][:d]
		p := scratch[i*n : i*n+n]
		clear(p)
		for j := 0; j < d; j += combineUnroll {
			l.combine(p, q[j:min(j+combineUnroll, d)], keys[j*c.Capacity:], c.Capacity)
		}
		l.exp(p, p, scale, scale*l.max(p))
		weights[i] = p
	}
	addInTurn(&sums, &weights, h1-h0)
	part := scratch[headsTogether*n:]
	for i := range h1 - h0 {
		_, values := c.head(h0+i, d)
		p, out := weights[i], t.out[row*D+(h0+i)*d:][:d]
		l.scale(p, 1/sums[i])
		for from := 0; from < n; from += nearKeys {
			to := min(from+nearKeys, n)
			sum := out
			if from > 0 {
				sum = part
			}
			clear(sum)
			for j := from; j < to; j += combineUnroll {
				l.combine(sum, p[j:min(j+combineUnroll, to)], values[j*d:], d)
			}
			if from > 0 {
				l.add(out, sum, out)
			}
		}
	}
}

// addInTurn sums the elements of each of the first n slices from first to last. All are of
// the same length.
func addInTurn(sums *[headsTogether]float32, x *[headsTogether][]float32, n int) {
	if n == headsTogether {
		a, b, c, d := x[0], x[1], x[2], x[3]
		b, c, d = b[:len(a)], c[:len(a)], d[:len(a)]
		var s0, s1, s2, s3 float32
		for i := range a {
			s0 += a[i]
			s1 += b[i]
			s2 += c[i]
			s3 += d[i]
		}
		*sums = [headsTogether]float32{s0, s1, s2, s3}
		return
	}
	for i := range n {
		for _, v := range x[i] {
			sums[i] += v
		}
	}
}
