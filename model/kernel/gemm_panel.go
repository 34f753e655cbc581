package kernel

// panels is a matrix B[k,n] as the micro-kernel reads it: panels of width
// columns, each of its rows padded to full vectors.
type panels struct {
	data  []float32
	width int
	step  int // from a row of a panel to the next
	next  int // from a panel to the next
}

// from leaves the first rows out.
func (p panels) from(row int) panels {
	p.data = p.data[row*p.step:]
	return p
}

// panel is one of them.
func (p panels) panel(i int) panels {
	p.data = p.data[i*p.next:]
	return p
}

// panelWidth returns the width of panels for n columns: the widest, or a vector
// less if the last one of few would lack more than that.
func (l *level) panelWidth(n int) int {
	vectors := max(1, blocks(n, l.lanes))
	v := min(l.panel, vectors)
	if v > 2 && vectors < 4*v && padded(vectors, v-1) < padded(vectors, v) {
		v--
	}
	return v * l.lanes
}

// panelFloats is the scratch that n columns and k rows need at most.
func (l *level) panelFloats(n, k int) int {
	width := l.panelWidth(n)
	return padded(blocks(n, width)*width*k, 16)
}

// columnPanels packs B[k,n] from its transpose, n rows of k floats ld apart. It
// takes the memory from scratch and returns the rest.
func (l *level) columnPanels(scratch, src []float32, ld, k, n int) (panels, []float32) {
	width := l.panelWidth(n)
	data, rest := carve(scratch, l.panelFloats(n, k))
	for j := 0; j < n; j += width {
		l.packColumns(data[j*k:], width, src[j*ld:], ld, k, min(width, n-j))
	}
	return panels{data, width, width, width * k}, rest
}

// rowPanels makes panels of B[k,n], k rows of n floats ld apart: where they lie
// if the vectors come out even, else copied to scratch. It returns what is left
// of scratch.
func (l *level) rowPanels(scratch, src []float32, ld, k, n int) (panels, []float32) {
	if n%l.lanes == 0 {
		width := l.panelWidth(n)
		return panels{src, width, ld, width}, scratch
	}
	return l.packedRows(scratch, src, ld, k, n)
}

// packedRows is rowPanels in scratch.
func (l *level) packedRows(scratch, src []float32, ld, k, n int) (panels, []float32) {
	width := l.panelWidth(n)
	data, rest := carve(scratch, l.panelFloats(n, k))
	eachWidth(0, blocks(n, width), n, width, func(panel, next, w int) {
		at := panel * width
		l.packRows(data[at*k:], width, width*k, src[at:], ld, k, w, next-panel)
	})
	return panels{data, width, width, width * k}, rest
}

// multiply computes C[m,n] = or += A·B on one thread, A[i,s] at a[i·aRow + s·aStep].
func (l *level) multiply(m, n, k int, a []float32, aRow, aStep int, b panels, c []float32, ldc int, accumulate bool) {
	eachWidth(0, blocks(n, b.width), n, b.width, func(panel, next, w int) {
		j := panel * b.width
		parts := cutInto(m, l.rows[blocks(w, l.lanes)])
		for p := 0; p < parts.count; {
			i := parts.start(p)
			rows, end := parts.equal(p, parts.count)
			var add []float32
			if accumulate {
				add = c[i*ldc+j:]
			}
			l.tiles(k, a[i*aRow:], aRow, aStep, rows*aRow, b.panel(panel).data, b.step, b.next, nil, add, ldc, c[i*ldc+j:], ldc, rows, w, end-p, next-panel)
			p = end
		}
	})
}

// eachWidth calls do for panels from to to of n columns: for those that are as wide as can
// be, and for the last one, which may lack columns.
func eachWidth(from, to, n, width int, do func(panel, next, columns int)) {
	if whole := min(to, n/width); from < whole {
		do(from, whole, width)
		from = whole
	}
	if from < to {
		do(from, to, n-from*width)
	}
}

// parts are rows cut into parts of nearly equal size: the first ones may have a row
// more than the others.
type parts struct{ rows, count int }

// cutInto cuts rows into as few parts as there can be, of up to most rows.
func cutInto(rows, most int) parts { return parts{rows, blocks(rows, most)} }

// start is the first row of part p.
func (c parts) start(p int) int { return p*(c.rows/c.count) + min(p, c.rows%c.count) }

// equal returns the size of part p, and the first part behind it that has another, or
// end.
func (c parts) equal(p, end int) (rows, next int) {
	rows = c.rows / c.count
	if larger := c.rows % c.count; p < larger {
		return rows + 1, min(larger, end)
	}
	return rows, end
}
