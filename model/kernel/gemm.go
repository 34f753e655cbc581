package kernel

// gemmTask is a product C = add + bias + op(A)·op(B) on its way through its sections: for
// every block of A and every chunk of B, one that packs what all threads read, and one
// that multiplies.
//
// The method is that of Goto and van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (2008), sections 4 and 5: A is copied in blocks that
// stay in the second-level cache, B in panels, and a micro-kernel keeps a tile of
// C in registers. Up to a handful of rows (a decoder's step) nothing would be
// read twice, so B is read where it lies.
type gemmTask struct {
	level          *level
	transA, transB bool
	m, n, k        int
	a, b, c        []float32
	bias           []float32 // [n], and up to a full vector; nil: none
	add            []float32 // [m,n], may be c; nil: none
	columnSums     []float32 // [n]: the sums of B's columns are added to it; nil: none
	finish         finish    // what is done with a part of C that is complete
	other          []float32 // [m,n], for finish
	byRow          bool      // a row of C has the same bits whatever m is

	depth   int  // most steps between two visits to a tile of C
	width   int  // columns in a panel of B
	byRows  bool // a piece has a share of the rows, else of the columns
	inPlace bool // A is read where it lies

	most           cut   // of what a section takes
	i0, i1, k0, k1 int   // the block of A: rows i0 to i1, steps k0 to k1
	rowPanels      parts // of the block
	j0, j1         int   // the chunk: panels j0 to j1 of B
	groups         int   // pieces that a panel of B meets the row panels in

	packing          bool      // the section that packs
	packsA, packsB   packing   // what its pieces are: first A's, then B's
	packedA, packedB []float32 // panels of rows, each [steps][its rows]; of columns, each [steps][width]
	rooms            *rooms
}

// cut is how much of a product: rows of A, steps, and panels of B.
type cut struct{ rows, steps, panels int }

// rooms are memory for one of the products that are computed together.
type rooms struct{ packedA, packedB, bias []float32 }

// packing is how panels of so many steps are packed, in pieces of packFloats or more: of
// some of the panels if they are transposed, else of some of the steps.
type packing struct {
	transposes    bool
	panels, steps int
	pieces, share int
}

// packingOf is for so many floats in all.
func packingOf(transposes bool, panels, steps, floats int) packing {
	p := packing{transposes: transposes, panels: panels, steps: steps}
	wanted := max(1, floats/packFloats)
	if transposes {
		p.share = blocks(panels, wanted)
		p.pieces = blocks(panels, p.share)
	} else {
		p.share = padded(max(1, blocks(steps, wanted)), packStrip)
		p.pieces = blocks(steps, p.share)
	}
	return p
}

// each calls pack for panels first to last and steps from to to of piece i: for strips
// of so few steps that what is read for a panel is still in cache for the next one.
func (p packing) each(i int, pack func(first, last, from, to int)) {
	if p.transposes {
		first, last := block(i, p.share, p.panels)
		pack(first, last, 0, p.steps)
		return
	}
	from, to := block(i, p.share, p.steps)
	for s := from; s < to; s += packStrip {
		pack(0, p.panels, s, min(s+packStrip, to))
	}
}

// finish is what a product does with what it has computed while it is in cache.
type finish int

const (
	leave         finish = iota
	applyGELU            // other = GELU(C)
	timesGELUGrad        // C = C·GELU'(other), other = GELU(other)
)

const (
	blockFloats = 384 << 10 // a block of A: 1.5 MB
	chunkFloats = 128 << 10 // a chunk of B, or of A if pieces share columns: 512 kB
	packFloats  = 16 << 10  // that a piece packs at least
	packStrip   = 16        // steps that packing reads side by side
	groupPanels = 4         // row panels that make packing a panel of B worth it
	farFloats   = 4 << 20   // a larger C is far away: it's worth deeper panels to visit it less
	fewPanels   = 32        // up to so many panels of B, packing A doesn't pay
	conflict    = 1024      // rows a multiple of so many floats apart share places in a cache
)

// mostTogether is the number of products that have memory to be computed together.
const mostTogether = 3

// Guarded by the pool's lock.
var (
	gemmSlots [mostTogether]gemmTask
	gemmRooms [mostTogether]rooms
)

// gemm computes a product.
func gemm(t gemmTask) {
	together := [1]gemmTask{t}
	gemms(together[:])
}

// gemms computes up to mostTogether products, none of which needs another's result: what
// they pack, and what they multiply, in one section. ts is overwritten.
func gemms(ts []gemmTask) {
	n := 0
	for _, t := range ts {
		switch {
		case t.m == 0 || t.n == 0:
		case t.columnSums == nil && (t.m <= fewRows || t.byRow && t.transB):
			computeFewRows(t)
		default:
			ts[n] = t
			n++
		}
	}
	workers.mu.Lock()
	defer workers.mu.Unlock()
	gs := gemmSlots[:copy(gemmSlots[:], ts[:n])]
	for i := range gs {
		gs[i].rooms = &gemmRooms[i]
		gs[i].plan()
	}
	for incomplete(gs, (*gemmTask).pack) {
		workers.do()
		incomplete(gs, (*gemmTask).multiply)
		workers.do()
		incomplete(gs, (*gemmTask).advance)
	}
	clear(gs)
}

// incomplete calls do for the products that aren't complete, and says whether there were
// any.
func incomplete(gs []gemmTask, do func(*gemmTask)) (any bool) {
	for i := range gs {
		if g := &gs[i]; g.i0 < g.m {
			any = true
			do(g)
		}
	}
	return any
}

// plan cuts the longer side of C into shares for the threads, so that each
// reads its part of one operand and all of the other, shorter one.
func (g *gemmTask) plan() {
	l := g.level
	g.width = l.panelWidth(g.n)
	panels := g.panels()
	panelRows := l.rows[g.width/l.lanes]
	g.depth = g.stepsPerVisit()
	rows := max(panelRows, blockFloats/g.depth)
	rows = blocks(g.m, blocks(g.m, rows)) // blocks of nearly equal size, like the steps
	g.byRows = g.m > g.n
	g.inPlace = l.strided && !g.transA && g.k%conflict != 0 && g.k > 0 && panels <= fewPanels
	depths := blocks(g.k, g.depth)
	near := rows // of what all pieces read again and again, a step has so many floats
	if g.byRows {
		near = g.width
	}
	depths = min(depths, max(1, chunkFloats/(g.depth*near)))
	if !g.inPlace {
		depths = min(depths, max(1, blockFloats/(g.depth*rows)))
	}
	g.most = cut{rows, depths * g.depth, panels}
	if g.byRows {
		chunk := max(1, chunkFloats/max(1, g.most.steps*g.width))
		g.most.panels = blocks(panels, blocks(panels, chunk))
	}
	if full := padded(g.n, l.lanes); g.bias != nil && full > g.n {
		bias := grow(&g.rooms.bias, full)
		clear(bias[copy(bias, g.bias[:g.n]):])
		g.bias = bias
	}
	g.take()
}

// stepsPerVisit is the number of steps between two visits to a tile of C. An element's sum
// is that of the sums of such blocks of steps.
func (g *gemmTask) stepsPerVisit() int {
	most := g.level.depth
	if g.m*g.n > farFloats && !g.byRow {
		most *= 2
	}
	return max(1, blocks(g.k, max(1, blocks(g.k, most))))
}

// take takes as much as there may be of a block and a chunk.
func (g *gemmTask) take() {
	g.i1 = min(g.i0+g.most.rows, g.m)
	g.k1 = min(g.k0+g.most.steps, g.k)
	g.j1 = min(g.j0+g.most.panels, g.panels())
	g.rowPanels = cutInto(g.i1-g.i0, g.level.rows[g.width/g.level.lanes])
}

// advance goes on to the next chunk; behind the last one to the next steps, and behind
// those to the next rows.
func (g *gemmTask) advance() {
	g.j0 = g.j1
	if g.j0 == g.panels() {
		g.j0, g.k0 = 0, g.k1
	}
	if g.j0 == 0 && g.k0 == g.k {
		g.k0, g.i0 = 0, g.i1
	}
	g.take()
}

// panels is the number of panels of B.
func (g *gemmTask) panels() int { return blocks(g.n, g.width) }

// steps is the number of steps in the block.
func (g *gemmTask) steps() int { return g.k1 - g.k0 }

// pack adds to a section what packs the block of A, unless that is read in place, and the
// chunk of B, if every piece of the product reads all of it.
func (g *gemmTask) pack() {
	g.packing, g.packsA, g.packsB = true, packing{}, packing{}
	steps := g.steps()
	if rows := g.i1 - g.i0; !g.inPlace && g.j0 == 0 {
		g.packedA = grow(&g.rooms.packedA, rows*steps)
		g.packsA = packingOf(!g.transA, g.rowPanels.count, steps, rows*steps)
	}
	if panels := g.j1 - g.j0; g.byRows {
		g.packedB = grow(&g.rooms.packedB, panels*g.width*steps)
		g.packsB = packingOf(g.transB, panels, steps, panels*g.width*steps)
	}
	workers.add(g, g.packsA.pieces+g.packsB.pieces)
}

// multiply adds to a section what multiplies them.
func (g *gemmTask) multiply() {
	g.packing = false
	pieces := 8 * Threads()
	if g.byRows {
		g.groups = min(pieces, g.rowPanels.count)
		workers.add(g, g.groups)
		return
	}
	panels := g.j1 - g.j0
	g.groups = min(blocks(pieces, panels), blocks(g.rowPanels.count, groupPanels))
	workers.add(g, panels*g.groups)
}

func (g *gemmTask) piece(w *worker, i int) {
	switch {
	case g.packing && i < g.packsA.pieces:
		g.packsA.each(i, g.packA)
	case g.packing:
		g.packsB.each(i-g.packsA.pieces, g.packChunk)
	case g.byRows:
		g.eachDepth(func(from, to int) {
			eachWidth(g.j0, g.j1, g.n, g.width, func(j, next, _ int) {
				g.multiplyPanels(j, next, from, to, g.panelB(j-g.j0, from), g.width*g.steps(), i)
			})
		})
		g.finished(g.j0, g.j1, i)
	default:
		j, group := g.j0+i/g.groups, i%g.groups
		b := w.floats(g.depth * g.width)
		g.eachDepth(func(from, to int) {
			if !w.holds(g, j*g.k+from) {
				g.packB(b, 0, j, j+1, from, to)
			}
			g.multiplyPanels(j, j+1, from, to, b, 0, group)
		})
		g.finished(j, j+1, group)
	}
}

// eachDepth cuts the block's steps into depths; if there are none it's called once.
func (g *gemmTask) eachDepth(do func(from, to int)) {
	steps := g.steps()
	for s := 0; s == 0 || s < steps; s += g.depth {
		do(s, min(s+g.depth, steps))
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

// packA packs steps from to to of row panels first to last.
func (g *gemmTask) packA(first, last, from, to int) {
	for p := first; p < last; {
		rows, next := g.rowPanels.equal(p, last)
		i := g.i0 + g.rowPanels.start(p)
		dst := g.packedA[(i-g.i0)*g.steps()+from*rows:]
		if g.transA {
			g.level.packRows(dst, rows, rows*g.steps(), g.a[(g.k0+from)*g.m+i:], g.m, to-from, rows, next-p)
		} else {
			next = p + 1
			g.level.packColumns(dst, rows, g.a[i*g.k+g.k0+from:], g.k, to-from, rows)
		}
		p = next
	}
}

// packChunk packs steps from to to of panels first to last of the chunk.
func (g *gemmTask) packChunk(first, last, from, to int) {
	eachWidth(g.j0+first, g.j0+last, g.n, g.width, func(j, next, _ int) {
		g.packB(g.panelB(j-g.j0, from), g.width*g.steps(), j, next, from, to)
	})
}

// packB packs steps from to to of panels j to end, all of the same width, to dst, where
// they are room floats apart.
func (g *gemmTask) packB(dst []float32, room, j, end, from, to int) {
	if from == to {
		return
	}
	columns, row := g.columns(j), g.rowB(j)
	if !g.transB {
		g.level.packRows(dst, row, room, g.b[(g.k0+from)*g.n+j*g.width:], g.n, to-from, columns, end-j)
		return
	}
	for p := range end - j {
		g.level.packColumns(dst[p*room:], row, g.b[(j+p)*g.width*g.k+g.k0+from:], g.k, to-from, columns)
	}
}

// panelB is a packed panel of the chunk, from a step on.
func (g *gemmTask) panelB(panel, step int) []float32 {
	return g.packedB[panel*g.width*g.steps()+step*g.rowB(g.j0+panel):]
}

// columns is the number of columns in panel j.
func (g *gemmTask) columns(j int) int { return min(g.width, g.n-j*g.width) }

// rowB is the number of floats in a row of panel j.
func (g *gemmTask) rowB(j int) int { return padded(g.columns(j), g.level.lanes) }

// multiplyPanels adds to C what steps from to to of the block contribute to panels j to
// end, all of the same width, and one group of row panels. b is the first panel from that
// step on, the next one room floats further on.
func (g *gemmTask) multiplyPanels(j, end, from, to int, b []float32, room, group int) {
	add, bias := g.add, g.bias
	if g.k0+from > 0 {
		add, bias = g.c, nil
	}
	first, columns, row := j*g.width, g.columns(j), g.rowB(j)
	if g.columnSums != nil && g.i0 == 0 && group == 0 {
		for p := range end - j {
			g.level.columnSums(g.columnSums[first+p*columns:][:columns], b[p*room:], row, to-from)
		}
	}
	for p, last := g.group(group); p < last; {
		rows, next := g.rowPanels.equal(p, last)
		i := g.i0 + g.rowPanels.start(p)
		var a []float32
		aRow, aStep, aNext := g.k, 1, rows*g.k
		if g.inPlace {
			a = g.a[i*g.k+g.k0+from:]
		} else {
			aRow, aStep, aNext = 1, rows, rows*g.steps()
			a = g.packedA[(i-g.i0)*g.steps()+from*rows:]
		}
		at := i*g.n + first
		g.level.tiles(to-from, a, aRow, aStep, aNext, b, row, room, behind(bias, first), behind(add, at), g.n, g.c[at:], g.n, rows, columns, next-p, end-j)
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
