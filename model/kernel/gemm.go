package kernel

// Gemm computes C[m,n] = alpha·op(A)[m,k]·op(B)[k,n], or adds it to C with
// accumulate. op(A) is A[m,k], or the transpose of A[k,m] with transA; op(B) is
// B[k,n], or the transpose of B[n,k] with transB.
//
// The method is that of Goto and van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (2008), sections 4 and 5: A is copied in blocks that
// stay in the second-level cache, B in panels that stay in the first, and a
// micro-kernel keeps a tile of C in registers. Up to a handful of rows (a
// decoder's step) nothing would be read twice, so B is read where it lies.
func Gemm(transA, transB bool, m, n, k int, alpha float32, a, b []float32, accumulate bool, c []float32) {
	checkGemm("Gemm", m, n, k, a, b, c)
	gemm(gemmTask{
		level: best, transA: transA, transB: transB, m: m, n: n, k: k, alpha: alpha,
		a: a, b: b, c: c, accumulate: accumulate,
	})
}

func checkGemm(function string, m, n, k int, a, b, c []float32) {
	size(function, "m", m)
	size(function, "n", n)
	size(function, "k", k)
	need(function, "a", len(a), m*k)
	need(function, "b", len(b), k*n)
	need(function, "c", len(c), m*n)
}

// gemmTask is a product on its way through its sections: for every block of A,
// one that packs the block (pack) unless A is read in place, and one that
// multiplies it by B.
type gemmTask struct {
	level          *level
	transA, transB bool
	m, n, k        int
	alpha          float32
	a, b, c        []float32
	bias           []float32 // [n], what C starts from; nil: from 0, or from C with accumulate
	accumulate     bool

	inPlace     bool // op(A)[i,s] is read at a[i·aRow + s·aStep]
	aRow, aStep int
	packed      []float32 // else: the block of A, panels of rows, each [kc][its rows]
	pack        bool

	i0, i1, k0, k1 int // the block: rows i0 to i1, steps k0 to k1
	rowPanels      int
	perPiece       int // row panels that a piece packs
	width          int // columns in a panel of B
	groups         int // a panel of B meets the row panels in this many pieces
}

const (
	blockFloats = 384 << 10 // a block of A: 1.5 MB, shared by the threads
	packFloats  = 16 << 10  // of A that a piece packs at least
	groupRows   = 96        // rows that make packing a panel of B worth it
	fewPanels   = 32        // up to so many panels of B, packing A doesn't pay
	conflict    = 1024      // rows a multiple of so many floats apart share places in a cache
	far         = 4096      // rows more than so many floats apart are pages apart
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

func (g *gemmTask) sections() {
	l := g.level
	g.width = l.panelWidth(g.n)
	panels := blocks(g.n, g.width)
	panelRows := l.rows[g.width/l.lanes]
	depth := blocks(g.k, max(1, blocks(g.k, l.depth)))
	rows := max(panelRows, blockFloats/max(depth, 1))
	rows = blocks(g.m, blocks(g.m, rows)) // blocks of nearly equal size, like the steps
	g.aRow, g.aStep = g.k, 1
	if g.transA {
		g.aRow, g.aStep = 1, g.m
	}
	g.inPlace = l.strided && panels <= fewPanels && g.k > 0 && g.alpha == 1 &&
		max(g.aRow, g.aStep)%conflict != 0 && g.aStep <= far
	if !g.inPlace {
		g.packed = grow(&packedA, rows*depth)
		g.perPiece = blocks(packFloats, panelRows*max(depth, 1))
	}
	for g.i0 = 0; g.i0 < g.m; g.i0 = g.i1 {
		g.i1 = min(g.i0+rows, g.m)
		g.rowPanels = blocks(g.i1-g.i0, panelRows)
		g.groups = min(blocks(8*Threads(), panels), blocks(g.i1-g.i0, groupRows))
		for g.k0, g.k1 = 0, -1; g.k1 < g.k; g.k0 = g.k1 {
			g.k1 = min(g.k0+depth, g.k)
			if !g.inPlace {
				g.pack = true
				workers.section(g, blocks(g.rowPanels, g.perPiece))
				g.pack = false
			}
			workers.section(g, panels*g.groups)
		}
	}
}

func (g *gemmTask) piece(w *worker, i int) {
	if g.pack {
		from, to := block(i, g.perPiece, g.rowPanels)
		for p := from; p < to; p++ {
			g.packA(p)
		}
	} else {
		g.multiply(w, i/g.groups, i%g.groups)
	}
}

// rowPanel returns the rows of panel p of the block: panels of nearly equal size.
func (g *gemmTask) rowPanel(p int) (from, to int) {
	rows := g.i1 - g.i0
	return g.i0 + rows*p/g.rowPanels, g.i0 + rows*(p+1)/g.rowPanels
}

func (g *gemmTask) packA(p int) {
	from, to := g.rowPanel(p)
	kc := g.k1 - g.k0
	if kc == 0 {
		return
	}
	dst := g.packed[(from-g.i0)*kc : (to-g.i0)*kc]
	if g.transA {
		g.level.packRows(dst, to-from, g.a[g.k0*g.m+from:], g.m, kc, to-from, g.alpha)
	} else {
		g.level.packColumns(dst, to-from, g.a[from*g.k+g.k0:], g.k, kc, to-from, g.alpha)
	}
}

// multiply adds the block of A times panel j of B to C, for one group of rows.
func (g *gemmTask) multiply(w *worker, j, group int) {
	l := g.level
	kc := g.k1 - g.k0
	from, to := block(j, g.width, g.n)
	n := to - from
	ldb := blocks(n, l.lanes) * l.lanes
	b := w.floats(kc * ldb)
	switch {
	case kc == 0:
	case w.holds(j): // from the group before
	case g.transB:
		l.packColumns(b, ldb, g.b[from*g.k+g.k0:], g.k, kc, n, 1)
	default:
		l.packRows(b, ldb, g.b[g.k0*g.n+from:], g.n, kc, n, 1)
	}
	accumulate := g.accumulate || g.bias != nil || g.k0 > 0
	for p := g.rowPanels * group / g.groups; p < g.rowPanels*(group+1)/g.groups; p++ {
		i0, i1 := g.rowPanel(p)
		if g.bias != nil && g.k0 == 0 {
			for i := i0; i < i1; i++ {
				copy(g.c[i*g.n+from:i*g.n+to], g.bias[from:to])
			}
		}
		var a []float32
		row, step := g.aRow, g.aStep
		if g.inPlace {
			a = g.a[i0*row+g.k0*step:]
		} else {
			row, step = 1, i1-i0
			a = g.packed[(i0-g.i0)*kc:]
		}
		l.tile(kc, a, row, step, b, ldb, g.c[i0*g.n+from:], g.n, i1-i0, n, accumulate)
	}
}
