package kernel

const (
	fewRows      = 16  // up to so many rows of A, B is read in place
	thinStreams  = 4   // rows of B that are read at once, from places far apart
	streamRows   = 256 // rows of a transposed B in a piece
	streamSplit  = 8   // pieces of another B
	streamUnroll = 8   // most rows that combine takes
	streamStrip  = 512 // columns of so many rows that fit in the first-level cache
)

// thinTask is a product of few rows with a large B, bound by the reading of B:
// a decoder's step. B is read once, in pieces of whole rows, each in thinStreams
// streams from front to back. If B is not transposed, each piece has a share of k,
// and makes a sum of its own for C. The bits of a row of C don't depend on how
// many rows there are.
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
	t.rows = t.a
	if t.k > 0 && t.transA {
		t.rows = grow(&thinRows, t.m*t.k)
		t.level.packColumns(t.rows, t.k, t.a, t.m, t.m, t.k)
	}
	t.start()
	switch {
	case t.k == 0:
	case t.transB:
		workers.section(t, blocks(t.n, streamRows))
	default:
		t.depth = padded(blocks(t.k, streamSplit), thinStreams)
		pieces := blocks(t.k, t.depth)
		t.sums = grow(&thinSums, pieces*t.m*t.n)
		workers.section(t, pieces)
		c := t.c[:t.m*t.n]
		for i := range pieces {
			t.level.add(c, c, t.sums[i*len(c):])
		}
	}
	t.finishRows(0, t.m, t.n)
	*t = thinTask{}
}

// start sets C to what the product is added to.
func (t *thinTask) start() {
	for r := range t.m {
		c := t.c[r*t.n : r*t.n+t.n]
		switch {
		case t.add == nil:
			clear(c)
		case &t.add[0] != &t.c[0]:
			copy(c, t.add[r*t.n:])
		}
		if t.bias != nil {
			t.level.add(c, c, t.bias)
		}
	}
}

func (t *thinTask) piece(_ *worker, i int) {
	if t.transB {
		t.dots(block(i, streamRows, t.n))
	} else {
		t.combine(i)
	}
}

// combine makes the sum of piece i.
func (t *thinTask) combine(i int) {
	l, m, n := t.level, t.m, t.n
	sums := t.sums[i*m*n : (i+1)*m*n]
	clear(sums)
	from, to := block(i, t.depth, t.k)
	far := (to - from) / thinStreams
	if groups := blocks(m, l.thin); groups == 1 {
		l.thinCombine(sums, n, m, n, t.rows[from:], t.k, t.b[from*n:], n, far, far)
	} else {
		for s := from; s < from+far; s++ {
			for j := 0; j < n; j += streamStrip {
				for g := range groups {
					r0, r1 := part(g, groups, m)
					l.thinCombine(sums[r0*n+j:], n, r1-r0, min(streamStrip, n-j), t.rows[r0*t.k+s:], t.k, t.b[s*n+j:], n, far, 1)
				}
			}
		}
	}
	for s := from + far*thinStreams; s < to; s++ {
		for r := range m {
			l.combine(sums[r*n:r*n+n], t.rows[r*t.k+s:][:1], t.b[s*n:], n)
		}
	}
}

// dots computes columns from to to of C with a transposed B.
func (t *thinTask) dots(from, to int) {
	l, m, n, k := t.level, t.m, t.n, t.k
	far := (to - from) / thinStreams
	if groups := blocks(m, l.thin); groups == 1 {
		l.thinDots(t.c[from:], n, m, k, t.rows, k, t.b[from*k:], k, far, far)
	} else {
		for j := from; j < from+far; j++ {
			for g := range groups {
				r0, r1 := part(g, groups, m)
				l.thinDots(t.c[r0*n+j:], n, r1-r0, k, t.rows[r0*k:], k, t.b[j*k:], k, far, 1)
			}
		}
	}
	for j := from + far*thinStreams; j < to; j++ {
		for r := range m {
			t.c[r*n+j] += l.dot(t.rows[r*k:r*k+k], t.b[j*k:])
		}
	}
}

// thinCombineGo adds combinations of rows that are far apart: y[r·ldy + j] +=
// Σ_s a[r·lda + s·far + t]·x[(s·far + t)·ldx + j], s < thinStreams, for t < steps
// in turn.
func thinCombineGo(y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	for t := range steps {
		for s := range thinStreams {
			row := x[(s*far+t)*ldx:]
			for r := range rows {
				combineGo(y[r*ldy:r*ldy+n], a[r*lda+s*far+t:][:1], row, 0)
			}
		}
	}
}

// thinDotsGo adds the products with rows that are far apart: c[r·ldc + s·far + t]
// += Σ_i a[r·lda + i]·x[(s·far + t)·ldx + i], s < thinStreams, t < steps, i < n.
func thinDotsGo(c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	for t := range steps {
		for s := range thinStreams {
			for r := range rows {
				c[r*ldc+s*far+t] += dotGo(a[r*lda:r*lda+n], x[(s*far+t)*ldx:])
			}
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
