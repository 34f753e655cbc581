package kernel

// gemmTask is a product C = add + bias + op(A)·op(B). It is computed in pairs of parallel
// sections, one pair for every block of A and chunk of B: the first packs what all threads
// read, the second multiplies. In the sum over k, one value of the index is called a step.
//
// The method is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008), sections 4 and 5: A is copied in blocks that stay in the
// second-level cache, B in panels of columns, and a micro-kernel keeps a tile of C in
// registers. For a handful of rows (a decoder's step) nothing would be read twice:
// computeFewRows reads B in place.
type gemmTask struct {
	isa            *instructionSet
	transA, transB bool
	m, n, k        int
	a, b, c        []float32
	bias           []float32  // [n], padded to a full vector by plan; nil: none
	add            []float32  // [m,n], may be c; nil: none
	columnSums     []float32  // [n]: the sums of op(B)'s columns are added to it; nil: none
	finish         finish     // what is done with parts of C that are complete
	other          []float32  // [m,n], for finish
	activation     Activation // of finish
	byRow          bool       // a row of C has the same bits whatever m is

	depth   int  // steps between two visits to a tile of C, at most
	width   int  // columns in a panel of B
	byRows  bool // a piece has a share of C's rows; otherwise of its columns
	inPlace bool // A is read without being packed

	limits         cut   // largest block of A and chunk of B handled in one section
	i0, i1, k0, k1 int   // the present block of A: rows i0 to i1, steps k0 to k1
	rowPanels      parts // panels of rows of the present block
	j0, j1         int   // the present chunk of B: panels j0 to j1
	groups         int   // groups of row panels: a piece multiplies one with a panel of B

	packing          bool      // the present section packs; otherwise it multiplies
	packsA, packsB   packing   // how the packing section is cut: A's pieces come before B's
	packedA, packedB []float32 // panels of rows [steps][rows of the panel], of columns [steps][width]
	buffers          *buffers
}

// cut is a sub-block size: rows of A (m), steps along k, panels of B (n).
type cut struct{ rows, steps, panels int }

// buffers are the memory of one of the products that are computed together.
type buffers struct{ packedA, packedB, bias []float32 }

// packing splits the copying of panels into parallel pieces of at least packFloats floats.
// If packing transposes, a piece is a range of panels; otherwise it is a range of steps.
type packing struct {
	transposes    bool
	panels, steps int
	pieces, share int
}

// packingOf returns the split for copying panels of that many steps, floats in all.
func packingOf(transposes bool, panels, steps, floats int) packing {
	p := packing{transposes: transposes, panels: panels, steps: steps}
	wanted := max(1, floats/packFloats)
	if transposes {
		p.share = blocks(panels, wanted)
		p.pieces = blocks(panels, p.share)
	} else {
		p.share = padded(max(1, blocks(steps, wanted)), packSteps)
		p.pieces = blocks(steps, p.share)
	}
	return p
}

// each calls pack(first, last, from, to) for the panels first to last and steps from to to of
// piece i. It takes few steps at a time: what is read for a panel is then still in cache for
// the next one.
func (p packing) each(i int, pack func(first, last, from, to int)) {
	if p.transposes {
		first, last := block(i, p.share, p.panels)
		pack(first, last, 0, p.steps)
		return
	}
	from, to := block(i, p.share, p.steps)
	for s := from; s < to; s += packSteps {
		pack(0, p.panels, s, min(s+packSteps, to))
	}
}

// finish is what a product does to parts of C while they are in cache.
type finish int

const (
	leave      finish = iota
	activate          // other = a(C), a being the activation
	timesSlope        // C = C·a'(other), other = a(other)
)

const (
	blockFloats = 384 << 10 // floats in a block of A: 1.5 MB
	chunkFloats = 128 << 10 // floats in a chunk of B, or of A if pieces share columns: 512 kB
	packFloats  = 16 << 10  // floats that a piece packs, at least
	packSteps   = 16        // steps packed at a time
	groupPanels = 4         // row panels from which packing a panel of B once more is worth it
	farFloats   = 4 << 20   // floats of C above which it is far from the core: tiles are visited less often
	fewPanels   = 32        // panels of B up to which packing A takes longer than it saves
	conflict    = 1024      // rows that are a multiple of this many floats apart share places in a cache
)

// maxTogether is the number of products that can be computed together.
const maxTogether = 3

// Guarded by the pool's lock.
var (
	gemmSlots   [maxTogether]gemmTask
	gemmBuffers [maxTogether]buffers
)

// gemm computes a product.
func gemm(t gemmTask) {
	together := [1]gemmTask{t}
	gemms(together[:])
}

// gemms computes up to maxTogether products, none of which needs another's result. They are
// packed in the same sections, and multiplied in the same sections. ts is overwritten.
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
		gs[i].buffers = &gemmBuffers[i]
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

// incomplete calls do for each product that isn't complete, and reports whether there was one.
func incomplete(gs []gemmTask, do func(*gemmTask)) (any bool) {
	for i := range gs {
		if g := &gs[i]; g.i0 < g.m {
			any = true
			do(g)
		}
	}
	return any
}

// plan chooses the cuts. Threads share the longer side of C: each reads its part of one
// operand, and all of the other, shorter one.
func (g *gemmTask) plan() {
	isa := g.isa
	g.width = isa.panelWidth(g.n)
	panels := g.panels()
	panelRows := isa.rows[g.width/isa.lanes]
	g.depth = g.stepsPerVisit()
	rows := max(panelRows, blockFloats/g.depth)
	rows = blocks(g.m, blocks(g.m, rows)) // blocks of nearly equal size
	g.byRows = g.m > g.n
	g.inPlace = isa.strided && !g.transA && g.k%conflict != 0 && g.k > 0 && panels <= fewPanels
	depths := blocks(g.k, g.depth)
	near := rows // floats of a step that all pieces read again and again
	if g.byRows {
		near = g.width
	}
	depths = min(depths, max(1, chunkFloats/(g.depth*near)))
	if !g.inPlace {
		depths = min(depths, max(1, blockFloats/(g.depth*rows)))
	}
	g.limits = cut{rows, depths * g.depth, panels}
	if g.byRows {
		chunk := max(1, chunkFloats/max(1, g.limits.steps*g.width))
		g.limits.panels = blocks(panels, blocks(panels, chunk))
	}
	if full := padded(g.n, isa.lanes); g.bias != nil && full > g.n {
		bias := grow(&g.buffers.bias, full)
		clear(bias[copy(bias, g.bias[:g.n]):])
		g.bias = bias
	}
	g.take()
}

// stepsPerVisit is the number of steps between two visits to a tile of C. An element of C is
// the sum of one partial sum for each such block of steps.
func (g *gemmTask) stepsPerVisit() int {
	most := g.isa.depth
	if g.m*g.n > farFloats && !g.byRow {
		most *= 2
	}
	return max(1, blocks(g.k, max(1, blocks(g.k, most))))
}

// take sets the ends of the present block and chunk, as large as the limits allow.
func (g *gemmTask) take() {
	g.i1 = min(g.i0+g.limits.rows, g.m)
	g.k1 = min(g.k0+g.limits.steps, g.k)
	g.j1 = min(g.j0+g.limits.panels, g.panels())
	g.rowPanels = cutInto(g.i1-g.i0, g.isa.rows[g.width/g.isa.lanes])
}

// advance goes on to the next chunk; after the last one to the next steps, and after the last
// steps to the next rows.
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

// steps is the number of steps in the present block.
func (g *gemmTask) steps() int { return g.k1 - g.k0 }

// pack adds to a section the packing of the block of A, unless that is read in place, and of
// the chunk of B, if every piece of the product reads all of it.
func (g *gemmTask) pack() {
	g.packing, g.packsA, g.packsB = true, packing{}, packing{}
	steps := g.steps()
	if rows := g.i1 - g.i0; !g.inPlace && g.j0 == 0 {
		g.packedA = grow(&g.buffers.packedA, rows*steps)
		g.packsA = packingOf(!g.transA, g.rowPanels.count, steps, rows*steps)
	}
	if panels := g.j1 - g.j0; g.byRows {
		g.packedB = grow(&g.buffers.packedB, panels*g.width*steps)
		g.packsB = packingOf(g.transB, panels, steps, panels*g.width*steps)
	}
	workers.add(g, g.packsA.pieces+g.packsB.pieces)
}

// multiply adds to a section the multiplication of the block and the chunk.
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
			if !w.cached(g, j*g.k+from) {
				g.packB(b, 0, j, j+1, from, to)
			}
			g.multiplyPanels(j, j+1, from, to, b, 0, group)
		})
		g.finished(j, j+1, group)
	}
}

// eachDepth calls do for the block's steps, depth at a time; once if there are none.
func (g *gemmTask) eachDepth(do func(from, to int)) {
	steps := g.steps()
	for s := 0; s == 0 || s < steps; s += g.depth {
		do(s, min(s+g.depth, steps))
	}
}

// finished does what is left to do (finish) with C for panels j0 to j1 of B and one group of
// row panels, once all steps have been added.
func (g *gemmTask) finished(j0, j1, group int) {
	if g.k1 < g.k || g.finish == leave {
		return
	}
	from, to := j0*g.width, min(j1*g.width, g.n)
	i0, i1 := g.rowsOf(g.group(group))
	g.finishRows(i0*g.n+from, i1-i0, to-from)
}

// finishRows applies finish to n columns of rows of C, the first element at place at.
func (g *gemmTask) finishRows(at, rows, n int) {
	a := g.activation.functions(g.isa)
	switch g.finish {
	case activate:
		a.apply(g.other[at:], g.c[at:], rows, n, g.n)
	case timesSlope:
		a.gradient(g.c[at:], g.other[at:], rows, n, g.n)
	}
}

// group returns the first and the last row panel of group i.
func (g *gemmTask) group(i int) (first, last int) {
	return part(i, g.groups, g.rowPanels.count)
}

// rowsOf returns the range of rows of C in row panels first to last.
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
			g.isa.packRows(dst, rows, rows*g.steps(), g.a[(g.k0+from)*g.m+i:], g.m, to-from, rows, next-p)
		} else {
			next = p + 1
			g.isa.packColumns(dst, rows, g.a[i*g.k+g.k0+from:], g.k, to-from, rows)
		}
		p = next
	}
}

// packChunk packs steps from to to of panels first to last of the present chunk.
func (g *gemmTask) packChunk(first, last, from, to int) {
	eachWidth(g.j0+first, g.j0+last, g.n, g.width, func(j, next, _ int) {
		g.packB(g.panelB(j-g.j0, from), g.width*g.steps(), j, next, from, to)
	})
}

// packB packs steps from to to of panels j to end, all of the same width, to dst, where the
// panels are room floats apart.
func (g *gemmTask) packB(dst []float32, room, j, end, from, to int) {
	if from == to {
		return
	}
	columns, row := g.columns(j), g.rowB(j)
	if !g.transB {
		g.isa.packRows(dst, row, room, g.b[(g.k0+from)*g.n+j*g.width:], g.n, to-from, columns, end-j)
		return
	}
	for p := range end - j {
		g.isa.packColumns(dst[p*room:], row, g.b[(j+p)*g.width*g.k+g.k0+from:], g.k, to-from, columns)
	}
}

// panelB is panel number panel of the packed chunk, from a step on.
func (g *gemmTask) panelB(panel, step int) []float32 {
	return g.packedB[panel*g.width*g.steps()+step*g.rowB(g.j0+panel):]
}

// columns is the number of columns in panel j.
func (g *gemmTask) columns(j int) int { return min(g.width, g.n-j*g.width) }

// rowB is the number of floats in a packed row of panel j.
func (g *gemmTask) rowB(j int) int { return padded(g.columns(j), g.isa.lanes) }

// multiplyPanels adds to C what steps from to to of the block contribute to panels j to end,
// all of the same width, for one group of row panels. b is panel j, packed, from that step
// on; the next panel is room floats further on.
func (g *gemmTask) multiplyPanels(j, end, from, to int, b []float32, room, group int) {
	add, bias := g.add, g.bias
	if g.k0+from > 0 {
		add, bias = g.c, nil
	}
	first, columns, row := j*g.width, g.columns(j), g.rowB(j)
	if g.columnSums != nil && g.i0 == 0 && group == 0 {
		for p := range end - j {
			g.isa.columnSums(g.columnSums[first+p*columns:][:columns], b[p*room:], row, to-from)
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
		g.isa.tiles(to-from, a, aRow, aStep, aNext, b, row, room, tail(bias, first), tail(add, at), g.n, g.c[at:], g.n, rows, columns, next-p, end-j)
		p = next
	}
}

// tail returns x[at:], or nil if x is nil.
func tail(x []float32, at int) []float32 {
	if x == nil {
		return nil
	}
	return x[at:]
}
