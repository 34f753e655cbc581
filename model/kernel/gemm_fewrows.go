package kernel

// Products of few rows, such as a decoder's step, take as long as reading B. The tasks of this
// file read B once, in place, while gemmTask would copy it first. The bits of a row
// of C depend on no other row.

const (
	fewRows       = 16       // up to this many rows of A, B is read in place
	streams       = 4        // rows of B that are read at a time
	combineUnroll = 8        // rows that combine takes at a time
	dotsRows      = 256      // rows of a transposed B in a piece
	nearRows      = 64       // rows of A that stay in the second-level cache in dotsTask
	fewestFMA     = 64 << 10 // multiply-adds that are worth a piece of combineTask
)

// combineTask is a product of few rows of A with B[k,n]: C += Σ_s A[:,s]·B[s,:], the steps s
// in order, with a partial sum for each block of depth steps. gemmTask sums in the same order,
// so both give the same bits. A piece is one block of steps for some of the columns.
type combineTask struct {
	gemmTask
	rows   []float32 // op(A): [m,k]
	sums   []float32 // [blocks,m,n]; C itself if there is one block and nothing to add to
	strips int       // parts of the columns
}

// Guarded by the pool's lock.
var (
	combineSlot          combineTask
	dotsSlot             dotsTask
	fewRowsA, fewRowsSum []float32
)

// computeFewRows computes a product of few rows; with a transposed B there may be many.
func computeFewRows(g gemmTask) {
	workers.mu.Lock()
	defer workers.mu.Unlock()
	rows := g.a
	if g.transA && g.k > 0 {
		rows = grow(&fewRowsA, g.m*g.k)
		g.isa.packColumns(rows, g.k, g.a, g.m, g.m, g.k)
	}
	if g.transB {
		runLocked(&dotsSlot, dotsTask{g, rows}, blocks(g.n, dotsRows))
	} else {
		combineInBlocks(g, rows)
	}
	g.finishRows(0, g.m, g.n)
}

// combineInBlocks runs a combineTask and adds up its partial sums.
func combineInBlocks(g gemmTask, rows []float32) {
	g.depth = g.stepsPerVisit()
	n := max(1, blocks(g.k, g.depth))
	// Columns are cut into no more strips than threads need: memory is faster the longer the
	// stretches that are read. Where the cuts are doesn't change the sums.
	pieces := min(2*Threads(), g.m*g.n*g.k/fewestFMA)
	t := combineTask{gemmTask: g, rows: rows, strips: max(1, blocks(pieces, n))}
	c := g.c[:g.m*g.n]
	if t.sums = c; n > 1 || g.add != nil {
		t.sums = grow(&fewRowsSum, n*len(c))
	}
	runLocked(&combineSlot, t, n*t.strips)
	if n == 1 && g.add == nil {
		return
	}
	sums := t.sums[len(c):]
	if g.add != nil {
		g.isa.add(c, g.add, t.sums)
	} else {
		copy(c, t.sums)
	}
	for i := range n - 1 {
		g.isa.add(c, c, sums[i*len(c):])
	}
}

func (t *combineTask) piece(_ *worker, i int) {
	isa, m, n, k := t.isa, t.m, t.n, t.k
	b, strip := i/t.strips, i%t.strips
	j0, j1 := block(strip, padded(blocks(n, t.strips), isa.lanes), n)
	if j0 >= j1 {
		return
	}
	sums := t.sums[b*m*n:]
	for r := range m {
		row := sums[r*n+j0 : r*n+j1]
		if t.bias != nil && b == 0 {
			copy(row, t.bias[j0:j1])
		} else {
			clear(row)
		}
	}
	from, to := block(b, t.depth, k)
	groups, width := blocks(m, isa.fewRows), j1-j0
	most := max(1, nearFloats/4/(streams*width)) // steps for which rows of B stay in cache
	if groups == 1 {
		most = k
	}
	s := from
	for s+streams <= to {
		steps := min((to-s)/streams, most)
		for g := range groups {
			r0, r1 := part(g, groups, m)
			isa.combineRows(sums[r0*n+j0:], n, r1-r0, width, t.rows[r0*k+s:], k, t.b[s*n+j0:], n, steps)
		}
		s += steps * streams
	}
	for ; s < to; s++ {
		for r := range m {
			isa.combine(sums[r*n+j0:r*n+j1], t.rows[r*k+s:][:1], t.b[s*n+j0:], n)
		}
	}
}

// dotsTask is a product of rows of A with a transposed B[n,k]: dot products, which vectors sum
// lane by lane. A piece is dotsRows rows of B, read in streams, each from front to back.
type dotsTask struct {
	gemmTask
	rows []float32 // op(A): [m,k]
}

func (t *dotsTask) piece(_ *worker, i int) {
	isa, n, k := t.isa, t.n, t.k
	from, to := block(i, dotsRows, n)
	for r := range t.m {
		c := t.c[r*n+from : r*n+to]
		switch {
		case t.add == nil:
			clear(c)
		case &t.add[0] != &t.c[0]:
			copy(c, t.add[r*n+from:])
		}
		if t.bias != nil {
			isa.add(c, c, t.bias[from:to])
		}
	}
	if k == 0 {
		return
	}
	far := (to - from) / streams
	for r0 := 0; r0 < t.m; r0 += nearRows {
		m := min(nearRows, t.m-r0)
		a, c := t.rows[r0*k:], t.c[r0*n:]
		if groups := blocks(m, isa.fewRows); groups == 1 {
			isa.dotsRows(c[from:], n, m, k, a, k, t.b[from*k:], k, far, far)
		} else {
			for j := from; j < from+far; j++ { // while these rows of B are in cache
				for g := range groups {
					g0, g1 := part(g, groups, m)
					isa.dotsRows(c[g0*n+j:], n, g1-g0, k, a[g0*k:], k, t.b[j*k:], k, far, 1)
				}
			}
		}
		for j := from + far*streams; j < to; j++ {
			for r := range m {
				c[r*n+j] += isa.dot(a[r*k:r*k+k], t.b[j*k:])
			}
		}
	}
}

// combineRowsGo adds combinations of rows of x, in their order: y[r·ldy + j] += Σ_s a[r·lda +
// s]·x[s·ldx + j], s < streams·steps.
func combineRowsGo(y []float32, ldy, rows, n int, a []float32, lda int, x []float32, ldx, steps int) {
	for s := range streams * steps {
		for r := range rows {
			combineGo(y[r*ldy:r*ldy+n], a[r*lda+s:][:1], x[s*ldx:], 0)
		}
	}
}

// dotsRowsGo adds dot products with rows of x, read in streams that are far rows apart:
// c[r·ldc + s·far + t] += Σ_i a[r·lda + i]·x[(s·far + t)·ldx + i], s < streams, t < steps, i < n.
func dotsRowsGo(c []float32, ldc, rows, n int, a []float32, lda int, x []float32, ldx, far, steps int) {
	for t := range steps {
		for s := range streams {
			for r := range rows {
				c[r*ldc+s*far+t] += dotGo(a[r*lda:r*lda+n], x[(s*far+t)*ldx:])
			}
		}
	}
}

// dotGo returns Σ x[i]·y[i] over the elements of x.
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

// dotsGo computes sums[r] = Σ x[i]·y[r·ldy + i], summed in the order of dotsRowsGo.
func dotsGo(sums, x, y []float32, ldy int) {
	for r := range sums {
		sums[r] = dotGo(x, y[r*ldy:r*ldy+len(x)])
	}
}

// combineGo adds a combination of up to combineUnroll rows of x, in their order: y[j] += Σ_s
// coef[s]·x[s·ldx + j].
func combineGo(y, coef, x []float32, ldx int) {
	for s, c := range coef {
		for j, v := range x[s*ldx : s*ldx+len(y)] {
			y[j] += c * v
		}
	}
}
