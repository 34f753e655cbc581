package kernel

// Up to fewRows rows of A, B is read in place.
const (
	fewRows      = 4
	streamRows   = 64  // rows of a transposed B in a piece
	streamSplit  = 8   // pieces of another B
	streamUnroll = 8   // rows of it read at once: as many streams as memory likes
	streamStrip  = 512 // columns of so many rows that fit in the first-level cache
)

// thinTask is a product of few rows with a large B, bound by the reading of B:
// a decoder's step. B is read once, front to back, in pieces of whole rows. If B is not
// transposed, each piece has a share of k, and makes a sum of its own for C.
type thinTask struct {
	gemmTask
	rows  []float32 // [m,k] alpha·op(A)
	depth int       // share of k in a piece
	sums  []float32 // [pieces,m,n]
}

// Guarded by the pool's lock.
var (
	thinSlot           thinTask
	thinRows, thinSums []float32
)

func thin(g gemmTask) {
	workers.mu.Lock()
	defer workers.mu.Unlock()
	t := &thinSlot
	*t = thinTask{gemmTask: g}
	t.rows = grow(&thinRows, t.m*t.k)
	if t.transA {
		t.level.packColumns(t.rows, t.k, t.a, t.m, t.m, t.k, t.alpha)
	} else {
		t.level.packRows(t.rows, t.k, t.a, t.k, t.m, t.k, t.alpha)
	}
	t.start()
	if t.transB {
		workers.section(t, blocks(t.n, streamRows))
	} else if t.k > 0 {
		t.depth = padded(blocks(t.k, streamSplit), streamUnroll)
		pieces := blocks(t.k, t.depth)
		t.sums = grow(&thinSums, pieces*t.m*t.n)
		workers.section(t, pieces)
		c := t.c[:t.m*t.n]
		for i := range pieces {
			t.level.add(c, c, t.sums[i*len(c):])
		}
	}
	*t = thinTask{}
}

// start sets C to what the product is added to.
func (t *thinTask) start() {
	for r := range t.m {
		c := t.c[r*t.n : r*t.n+t.n]
		switch {
		case t.bias != nil:
			copy(c, t.bias)
		case !t.accumulate:
			clear(c)
		}
	}
}

func (t *thinTask) piece(_ *worker, i int) {
	if t.transB {
		t.dots(block(i, streamRows, t.n))
		return
	}
	sums := t.sums[i*t.m*t.n : (i+1)*t.m*t.n]
	clear(sums)
	from, to := block(i, t.depth, t.k)
	width := t.n
	if t.m > 1 {
		width = streamStrip
	}
	for j := 0; j < t.n; j += width {
		e := min(j+width, t.n)
		for s := from; s < to; s += streamUnroll {
			u := min(s+streamUnroll, to)
			for r := range t.m {
				t.level.combine(sums[r*t.n+j:r*t.n+e], t.rows[r*t.k+s:r*t.k+u], t.b[s*t.n+j:], t.n)
			}
		}
	}
}

// dots computes columns from to to of C with a transposed B.
func (t *thinTask) dots(from, to int) {
	for j := from; j < to; j++ {
		b := t.b[j*t.k : j*t.k+t.k]
		for r := range t.m {
			t.c[r*t.n+j] += t.level.dot(t.rows[r*t.k:r*t.k+t.k], b)
		}
	}
}

// dotGo returns Σ x[i]·y[i], len(y) ≥ len(x).
func dotGo(x, y []float32) float32 {
	var s0, s1, s2, s3 float32
	y = y[:len(x)]
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += x[i] * y[i]
		s1 += x[i+1] * y[i+1]
		s2 += x[i+2] * y[i+2]
		s3 += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		s0 += x[i] * y[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// dotsGo computes sums[r] = Σ x[i]·y[r·ldy + i].
func dotsGo(sums, x, y []float32, ldy int) {
	for r := range sums {
		sums[r] = dotGo(x, y[r*ldy:r*ldy+len(x)])
	}
}

// combineGo adds a combination of rows: y[j] += Σ_s coef[s]·x[s·ldx + j], for up
// to streamUnroll rows.
func combineGo(y, coef, x []float32, ldx int) {
	for s, c := range coef {
		for j, v := range x[s*ldx : s*ldx+len(y)] {
			y[j] += c * v
		}
	}
}
