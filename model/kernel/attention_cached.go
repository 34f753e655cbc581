package kernel

import "math"

// CachedRows are the rows of one sequence that CachedAttention reads, and what is
// cached of the sequence: the keys and values of Past earlier rows, in memory for
// Capacity of them, [heads, Capacity, headDim] each.
type CachedRows struct {
	Keys, Values         []float32
	Capacity, Past, Rows int
}

// CachedAttention is causal self-attention (see Attention) of new rows of several
// sequences, each on its own cached rows and on its new ones up to itself: a
// decoder's step, or a piece of a prompt. qkv[n,3·D] has the rows, sequence by
// sequence, D = heads·headDim; it writes out[n,D] and appends the rows' keys and
// values to the caches. A row's result doesn't depend on the other sequences, to
// the bit.
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

// headWork is the number of products of a query and a key, by column, that are
// worth another thread.
const headWork = 4 << 10

// fewQueries is the number of rows up to which a head's keys are met one row at a
// time, as they lie; above, they are packed for the micro-kernel.
const fewQueries = 8

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
		for h := max(from, first); h < min(to, first+t.heads); h++ {
			t.head(w, c, row, h-first)
		}
		row += c.Rows
	}
}

// head computes head h of the sequence c, whose rows begin at row.
func (t *cachedAttentionTask) head(w *worker, c CachedRows, row, h int) {
	d, D := t.headDim, t.heads*t.headDim
	q := t.qkv[row*3*D+h*d:]
	out := t.out[row*D+h*d:]
	from, to := h*c.Capacity*d, (h+1)*c.Capacity*d
	keys, values := c.Keys[from:to], c.Values[from:to]
	for r := range c.Rows {
		at := (c.Past + r) * d
		copy(keys[at:at+d], q[r*3*D+D:])
		copy(values[at:at+d], q[r*3*D+2*D:])
	}
	if c.Rows <= fewQueries {
		for r := range c.Rows {
			t.row(w, out[r*D:r*D+d], q[r*3*D:r*3*D+d], keys, values, c.Past+r+1)
		}
		return
	}
	a := attending{past: c.Past, rows: c.Rows, d: d, out: out, ldo: D, q: q, ldq: 3 * D, keys: keys, values: values, ld: d}
	t.level.attend(w, a, func([]float32, strip, []float32) {})
}

// row is attention of one query on n rows.
func (t *cachedAttentionTask) row(w *worker, out, q, keys, values []float32, n int) {
	l, d := t.level, t.headDim
	scale := float32(1 / math.Sqrt(float64(d)))
	p := w.floats(n)
	l.dots(p, q, keys, d)
	sum := l.exp(p, p, scale, scale*l.max(p))
	clear(out)
	for j := 0; j < n; j += streamUnroll {
		l.combine(out, p[j:min(j+streamUnroll, n)], values[j*d:], d)
	}
	l.scale(out, 1/sum)
}
