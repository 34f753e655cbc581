package kernel

import "math"

// CachedRows are the rows of one sequence that CachedAttention reads, and what is cached of
// the sequence: the keys and values of Past earlier rows, in memory for Capacity of them.
// Both are [heads, Capacity, headDim].
type CachedRows struct {
	Keys, Values         []float32
	Capacity, Past, Rows int
	// Unread is the number of the first new rows whose results nobody reads. Only their keys
	// and values are cached; what out has for them is left as it is.
	Unread int
}

// CachedAttention is causal self-attention (see Attention) of new rows of several sequences:
// one step of a decoder, or a piece of a prompt. Each new row attends to the cached rows of
// its sequence, to the new rows before it, and to itself. qkv[n,3·D] has the new rows,
// sequence by sequence, D = heads·headDim. CachedAttention writes out[n,D] and appends the
// rows' keys and values to the caches.
//
// A row's result has the same bits whatever the other sequences are, and whether the rows
// before it came in the same call or in earlier ones.
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
		size(f, "Unread", c.Unread)
		need(f, "Rows", c.Rows, c.Unread)
		need(f, "Capacity", c.Capacity, c.Past+c.Rows)
		need(f, "Keys", len(c.Keys), heads*c.Capacity*headDim)
		need(f, "Values", len(c.Values), heads*c.Capacity*headDim)
		rows += c.Rows
		work += (c.Rows - c.Unread) * (c.Past + c.Rows) * headDim
	}
	D := heads * headDim
	need(f, "out", len(out), rows*D)
	need(f, "qkv", len(qkv), rows*3*D)
	if rows == 0 || D == 0 {
		return
	}
	all := len(sequences) * heads
	perPiece := min(all, 1+headWork*len(sequences)/(work+1))
	run(&cachedAttentionSlot, cachedAttentionTask{active, out, qkv, sequences, heads, headDim, perPiece}, blocks(all, perPiece))
}

const (
	// headWork is the number of multiply-adds of queries with keys that is worth another thread.
	headWork = 4 << 10
	// fewQueries is the number of new rows up to which each query is computed by itself; more
	// are computed in blocks.
	fewQueries = 8
)

type cachedAttentionTask struct {
	isa            *instructionSet
	out, qkv       []float32
	sequences      []CachedRows
	heads, headDim int
	perPiece       int // heads of sequences in a piece
}

var cachedAttentionSlot cachedAttentionTask

func (t *cachedAttentionTask) piece(w *worker, i int) {
	from, to := block(i, t.perPiece, len(t.sequences)*t.heads)
	row := 0 // of the sequence's first row
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
	for h := h0; h < h1; h++ {
		if c.Rows-c.Unread <= fewQueries {
			for r := c.Unread; r < c.Rows; r++ {
				t.query(w, c, row+r, h, c.Past+r+1)
			}
			continue
		}
		for r := c.Unread; r < c.Rows; r += queryBlock {
			t.queries(w, c, row+r, h, c.Past+r+1, min(queryBlock, c.Rows-r))
		}
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
		copy(keys[at*d:at*d+d], qkv[D:])
		copy(values[at*d:at*d+d], qkv[2*D:])
	}
}

// query computes head h of one row, which sees the first n keys.
func (t *cachedAttentionTask) query(w *worker, c CachedRows, row, h, n int) {
	isa, d, D := t.isa, t.headDim, t.heads*t.headDim
	keys, values := c.head(h, d)
	q, out := t.qkv[row*3*D+h*d:][:d], t.out[row*D+h*d:][:d]
	p, part := carve(w.floats(n+d), n)
	isa.dots(p, q, keys, d)
	sum := t.exponentials(p)
	for from := 0; from < n; from += nearKeys {
		to, added := min(from+nearKeys, n), out
		if from > 0 {
			added = part
		}
		clear(added)
		for j := from; j < to; j += combineUnroll {
			isa.combine(added, p[j:min(j+combineUnroll, to)], values[j*d:], d)
		}
		if from > 0 {
			isa.add(out, added, out)
		}
	}
	isa.scale(out, 1/sum)
}

// queries computes head h of m rows, the first of which sees the first n keys, and each
// other one key more than the row before it (the causal mask). It sums in the order in which
// query does, so both give the same bits.
func (t *cachedAttentionTask) queries(w *worker, c CachedRows, row, h, n, m int) {
	isa, d, D := t.isa, t.headDim, t.heads*t.headDim
	keys, values := c.head(h, d)
	q, out := t.qkv[row*3*D+h*d:], t.out[row*D+h*d:]
	all := n + m - 1 // keys that the last row sees
	p, scratch := carve(w.floats(m*all+isa.panelFloats(d, all)), m*all)
	clear(p)
	for j := 0; j < all; j += nearKeys { // while these keys are in cache
		near := min(nearKeys, all-j)
		far := near / streams
		for r := 0; r < m; r += isa.fewRows {
			rows := min(isa.fewRows, m-r)
			isa.dotsRows(p[r*all+j:], all, rows, d, q[r*3*D:], 3*D, keys[j*d:], d, far, far)
			for i := r; i < r+rows; i++ {
				last := p[i*all+j : i*all+j+near][far*streams:]
				isa.dots(last, q[i*3*D:][:d], keys[(j+far*streams)*d:], d)
			}
		}
	}
	var sums [queryBlock]float32
	for r := range m {
		seen, hidden := carve(p[r*all:(r+1)*all], n+r)
		sums[r] = t.exponentials(seen)
		clear(hidden)
	}
	panels, _ := isa.rowPanels(scratch, values, d, all, d)
	for j := 0; j < all; j += nearKeys {
		isa.multiply(m, d, min(nearKeys, all-j), p[j:], all, 1, panels.from(j), out, D, j > 0)
	}
	for r := range m {
		isa.scale(out[r*D:r*D+d], 1/sums[r])
	}
}

// exponentials replaces the scores of a query, one for each key that it sees, by e^(score/√d −
// max), and returns their sum.
func (t *cachedAttentionTask) exponentials(scores []float32) float32 {
	scale := float32(1 / math.Sqrt(float64(t.headDim)))
	return t.isa.exp(scores, scores, scale, scale*t.isa.max(scores))
}
