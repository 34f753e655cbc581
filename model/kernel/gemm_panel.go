package kernel

// panels is a matrix B[k,n] as the micro-kernel reads it: panels of width
// columns, each of its rows padded to full vectors.
type panels struct {
	data  []float32
	width int
	step  int // from a row of a panel to the next
	next  int // from a panel to the next
}

// from returns the panels without the rows before row.
func (p panels) from(row int) panels {
	p.data = p.data[row*p.step:]
	return p
}

// panel returns the panels without those before panel i.
func (p panels) panel(i int) panels {
	p.data = p.data[i*p.next:]
	return p
}

// panelWidth returns the width of panels for n columns: the widest that there is, or one vector
// less if there are few panels and the last of them would be padded by more than that.
func (isa *instructionSet) panelWidth(n int) int {
	vectors := max(1, blocks(n, isa.lanes))
	v := min(isa.panel, vectors)
	if v > 2 && vectors < 4*v && padded(vectors, v-1) < padded(vectors, v) {
		v--
	}
	return v * isa.lanes
}

// panelFloats is the scratch that panels of n columns and k rows need, at most.
func (isa *instructionSet) panelFloats(n, k int) int {
	width := isa.panelWidth(n)
	return padded(blocks(n, width)*width*k, 16)
}

// columnPanels packs B[k,n] from its transpose, n rows of k floats that are ld apart. It copies
// them to scratch.
func (isa *instructionSet) columnPanels(scratch, src []float32, ld, k, n int) panels {
	width := isa.panelWidth(n)
	data, _ := carve(scratch, isa.panelFloats(n, k))
	for j := 0; j < n; j += width {
		isa.packColumns(data[j*k:], width, src[j*ld:], ld, k, min(width, n-j))
	}
	return panels{data, width, width, width * k}
}

// rowPanels makes panels of B[k,n], k rows of n floats that are ld apart: in place if n is a
// whole number of vectors, otherwise copied to scratch. It returns the rest of scratch.
func (isa *instructionSet) rowPanels(scratch, src []float32, ld, k, n int) (panels, []float32) {
	if n%isa.lanes == 0 {
		width := isa.panelWidth(n)
		return panels{src, width, ld, width}, scratch
	}
	return isa.packedRows(scratch, src, ld, k, n)
}

// packedRows is rowPanels that always copies to scratch.
func (isa *instructionSet) packedRows(scratch, src []float32, ld, k, n int) (panels, []float32) {
	width := isa.panelWidth(n)
	data, rest := carve(scratch, isa.panelFloats(n, k))
	eachWidth(0, blocks(n, width), n, width, func(panel, next, w int) {
		at := panel * width
		isa.packRows(data[at*k:], width, width*k, src[at:], ld, k, w, next-panel)
	})
	return panels{data, width, width, width * k}, rest
}

// multiply sets C[m,n] to A·B, or with accumulate adds that, on one thread. A[i,s] is
// a[i·aRow + s·aStep].
func (isa *instructionSet) multiply(m, n, k int, a []float32, aRow, aStep int, b panels, c []float32, ldc int, accumulate bool) {
	eachWidth(0, blocks(n, b.width), n, b.width, func(panel, next, w int) {
		j := panel * b.width
		parts := cutInto(m, isa.rows[blocks(w, isa.lanes)])
		for p := 0; p < parts.count; {
			i := parts.start(p)
			rows, end := parts.equal(p, parts.count)
			var add []float32
			if accumulate {
				add = c[i*ldc+j:]
			}
			isa.tiles(k, a[i*aRow:], aRow, aStep, rows*aRow, b.panel(panel).data, b.step, b.next, nil, add, ldc, c[i*ldc+j:], ldc, rows, w, end-p, next-panel)
			p = end
		}
	})
}

// eachWidth calls do(panel, next, columns) for panels from to to of n columns: once for all that
// have the full width, and once for the last one if it has fewer columns.
func eachWidth(from, to, n, width int, do func(panel, next, columns int)) {
	if whole := min(to, n/width); from < whole {
		do(from, whole, width)
		from = whole
	}
	if from < to {
		do(from, to, n-from*width)
	}
}

// parts are rows cut into count parts of nearly equal size: the first ones may have one row
// more than the others.
type parts struct{ rows, count int }

// cutInto cuts rows into as few parts of up to most rows as possible.
func cutInto(rows, most int) parts { return parts{rows, blocks(rows, most)} }

// start is the first row of part p.
func (c parts) start(p int) int { return p*(c.rows/c.count) + min(p, c.rows%c.count) }

// equal returns the size of part p, and the first part after it that has another size, or end.
func (c parts) equal(p, end int) (rows, next int) {
	rows = c.rows / c.count
	if larger := c.rows % c.count; p < larger {
		return rows + 1, min(larger, end)
	}
	return rows, end
}
