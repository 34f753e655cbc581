package kernel

// Gemm computes C[m,n] = alpha·op(A)[m,k]·op(B)[k,n], or adds it to C with
// accumulate. op(A) is A[m,k], or the transpose of A[k,m] with transA; op(B) is
// B[k,n], or the transpose of B[n,k] with transB.
//
// The method is that of Goto and van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (2008), sections 4 and 5: A is copied in blocks that
// stay in the second-level cache, B in panels, and a micro-kernel keeps a tile of
// C in registers. Up to a handful of rows (a decoder's step) nothing would be
// read twice, so B is read where it lies.
func Gemm(transA, transB bool, m, n, k int, alpha float32, a, b []float32, accumulate bool, c []float32) {
	checkGemm("Gemm", m, n, k, a, b, c)
	t := gemmTask{level: best, transA: transA, transB: transB, m: m, n: n, k: k, alpha: alpha, a: a, b: b, c: c}
	if accumulate {
		t.add = c
	}
	gemm(t)
}

func checkGemm(function string, m, n, k int, a, b, c []float32) {
	size(function, "m", m)
	size(function, "n", n)
	size(function, "k", k)
	need(function, "a", len(a), m*k)
	need(function, "b", len(b), k*n)
	need(function, "c", len(c), m*n)
}

// gemmTask is a product C = add + bias + alpha·op(A)·op(B) on its way through its
// sections: for every block of A, one that packs the block (pack) unless A is
// read in place, then one for every chunk of B that multiplies.
type gemmTask struct {
	level          *level
	transA, transB bool
	m, n, k        int
	alpha          float32
	a, b, c        []float32
	bias           []float32 // [n]; nil: none
	add            []float32 // [m,n], may be c; nil: none
	finish         finish    // what is done with a part of C that is complete
	other          []float32 // [m,n], for finish

	inPlace     bool // op(A)[i,s] is read at a[i·aRow + s·aStep]
	aRow, aStep int
	packed      []float32 // else: the block of A, panels of rows, each [kc][its rows]
	pack        bool
	perPiece    int // row panels that a piece packs

	i0, i1, k0, k1 int   // the block: rows i0 to i1, steps k0 to k1
	rowPanels      parts // of the block
	width          int   // columns in a panel of B
	chunk          int   // panels of B in a chunk
	j0, j1         int   // the chunk: panels j0 to j1
	byRows         bool
	groups         int // pieces that a panel of B meets the row panels in
}

// finish is what a product does with what it has computed while it is in cache.
type finish int

const (
	leave         finish = iota
	applyGELU            // other = GELU(C)
	timesGELUGrad        // C = C·GELU'(other), other = GELU(other)
)

const (
	blockFloats = 384 << 10 // a block of A: 1.5 MB, shared by the threads
	chunkFloats = 128 << 10 // a chunk of B that each thread keeps: 512 kB
	packFloats  = 16 << 10  // of A that a piece packs at least
	packStrip   = 16        // rows that packing reads side by side
	groupPanels = 4         // row panels that make packing a panel of B worth it
	farFloats   = 4 << 20   // a larger C is far away: it's worth deeper panels to visit it less
	fewPanels   = 32        // up to so many panels of B, packing A doesn't pay
	conflict    = 1024      // rows a multiple of so many floats apart share places in a cache
)

// Guarded by the pool's lock.
var (
	gemmSlot gemmTask
	packedA  []float32
)

func gemm(t gemmTask) {
	switch {
	case t.m == 0 || t.n == 0:
		return
	case t.m <= fewRows:
		thin(t)
		return
	}
	workers.mu.Lock()
	defer workers.mu.Unlock()
	gemmSlot = t
	gemmSlot.sections()
	gemmSlot = gemmTask{}
}

// sections cuts the longer side of C into shares for the threads, so that each
// reads its part of one operand and all of the other, shorter one.
func (g *gemmTask) sections() {
	l := g.level
	g.width = l.panelWidth(g.n)
	panels := blocks(g.n, g.width)
	panelRows := l.rows[g.width/l.lanes]
	deepest := l.depth
	if g.m*g.n > farFloats {
		deepest *= 2
	}
	depth := blocks(g.k, max(1, blocks(g.k, deepest)))
	rows := max(panelRows, blockFloats/max(depth, 1))
	rows = blocks(g.m, blocks(g.m, rows)) // blocks of nearly equal size, like the steps
	g.byRows = g.m > g.n
	g.chunk = panels
	if g.byRows {
		g.chunk = max(1, chunkFloats/max(1, depth*g.width))
		g.chunk = blocks(panels, blocks(panels, g.chunk))
	}
	g.aRow, g.aStep = g.k, 1
	if g.transA {
		g.aRow, g.aStep = 1, g.m
	}
	g.inPlace = l.strided && !g.transA && g.k%conflict != 0 && g.k > 0 && g.alpha == 1 && panels <= fewPanels
	if !g.inPlace {
		g.packed = grow(&packedA, rows*depth)
		g.perPiece = blocks(packFloats, panelRows*max(depth, 1))
	}
	for g.i0 = 0; g.i0 < g.m; g.i0 = g.i1 {
		g.i1 = min(g.i0+rows, g.m)
		g.rowPanels = cutInto(g.i1-g.i0, panelRows)
		for g.k0, g.k1 = 0, -1; g.k1 < g.k; g.k0 = g.k1 {
			g.k1 = min(g.k0+depth, g.k)
			if !g.inPlace {
				g.pack = true
				workers.section(g, blocks(g.rowPanels.count, g.perPiece))
				g.pack = false
			}
			for g.j0 = 0; g.j0 < panels; g.j0 = g.j1 {
				g.j1 = min(g.j0+g.chunk, panels)
				pieces := 8 * Threads()
				if g.byRows {
					g.groups = min(pieces, g.rowPanels.count)
					workers.section(g, g.groups)
				} else {
					g.groups = min(blocks(pieces, g.j1-g.j0), blocks(g.rowPanels.count, groupPanels))
					workers.section(g, (g.j1-g.j0)*g.groups)
				}
			}
		}
	}
}

func (g *gemmTask) piece(w *worker, i int) {
	switch {
	case g.pack:
		g.packA(block(i, g.perPiece, g.rowPanels.count))
	case g.byRows:
		for j := g.j0; j < g.j1; j++ {
			g.multiply(w, j, j-g.j0, i)
		}
		g.finished(g.j0, g.j1, i)
	default:
		j := i / g.groups
		g.multiply(w, j, 0, i%g.groups)
		g.finished(j, j+1, i%g.groups)
	}
}

// finished does what is left to do with C for panels j0 to j1 of B and one group of
// row panels.
func (g *gemmTask) finished(j0, j1, group int) {
	if g.k1 < g.k || g.finish == leave {
		return
	}
	from, to := j0*g.width, min(j1*g.width, g.n)
	i0, i1 := g.rowsOf(g.group(group))
	g.finishRows(i0*g.n+from, i1-i0, to-from)
}

// finishRows does what is left to do with n columns of C's rows, the first at place at.
func (g *gemmTask) finishRows(at, rows, n int) {
	switch g.finish {
	case applyGELU:
		g.level.gelu(g.other[at:], g.c[at:], rows, n, g.n)
	case timesGELUGrad:
		g.level.geluGrad(g.c[at:], g.other[at:], rows, n, g.n)
	}
}

// group returns the row panels of a group.
func (g *gemmTask) group(i int) (first, last int) {
	return part(i, g.groups, g.rowPanels.count)
}

// rowsOf returns the rows of C in row panels first to last.
func (g *gemmTask) rowsOf(first, last int) (from, to int) {
	return g.i0 + g.rowPanels.start(first), g.i0 + g.rowPanels.start(last)
}

// packA packs row panels.
func (g *gemmTask) packA(first, last int) {
	kc := g.k1 - g.k0
	if !g.transA {
		for p := first; p < last; p++ {
			from, to := g.rowsOf(p, p+1)
			g.level.packColumns(g.packed[(from-g.i0)*kc:], to-from, g.a[from*g.k+g.k0:], g.k, kc, to-from, g.alpha)
		}
		return
	}
	for s := 0; s < kc; s += packStrip {
		steps := min(packStrip, kc-s)
		for p := first; p < last; p++ {
			from, to := g.rowsOf(p, p+1)
			dst := g.packed[(from-g.i0)*kc+s*(to-from):]
			g.level.packRows(dst, to-from, g.a[(g.k0+s)*g.m+from:], g.m, steps, to-from, g.alpha)
		}
	}
}

// multiply computes C for panel j of B and one group of row panels. The packed
// panel stays in a place of the worker's for the section.
func (g *gemmTask) multiply(w *worker, j, place, group int) {
	l := g.level
	kc := g.k1 - g.k0
	from, to := block(j, g.width, g.n)
	n := to - from
	ldb := blocks(n, l.lanes) * l.lanes
	room := (kc + 1) * g.width // the panel, and a row for the bias
	places := 1
	if g.byRows {
		places = g.chunk
	}
	b := w.floats(places * room)[place*room:]
	var bias, add []float32
	switch {
	case g.k0 > 0:
		add = g.c
	default:
		add = g.add
		if g.bias != nil {
			bias = b[kc*ldb : (kc+1)*ldb]
		}
	}
	if !w.holds(place, j) {
		switch {
		case kc == 0:
		case g.transB:
			l.packColumns(b, ldb, g.b[from*g.k+g.k0:], g.k, kc, n, 1)
		default:
			l.packRows(b, ldb, g.b[g.k0*g.n+from:], g.n, kc, n, 1)
		}
		if bias != nil {
			clear(bias[copy(bias, g.bias[from:to]):])
		}
	}
	for p, last := g.group(group); p < last; {
		rows, next := g.rowPanels.equal(p, last)
		i := g.i0 + g.rowPanels.start(p)
		var a []float32
		row, step, panel := g.aRow, g.aStep, rows*g.aRow
		if g.inPlace {
			a = g.a[i*row+g.k0*step:]
		} else {
			row, step, panel = 1, rows, rows*kc
			a = g.packed[(i-g.i0)*kc:]
		}
		at := i*g.n + from
		l.tiles(kc, a, row, step, panel, b, ldb, bias, behind(add, at), g.n, g.c[at:], g.n, rows, n, next-p)
		p = next
	}
}

// behind is x from at on; nil has nothing.
func behind(x []float32, at int) []float32 {
	if x == nil {
		return nil
	}
	return x[at:]
}
