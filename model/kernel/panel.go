package kernel

// panels is a matrix B[k,n] as the micro-kernel reads it: panels of width
// columns, each of its rows padded to full vectors.
type panels struct {
	data  []float32
	width int
	step  int // from a row of a panel to the next
	next  int // from a panel to the next
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
		l.packColumns(data[j*k:], width, src[j*ld:], ld, k, min(width, n-j), 1)
	}
	return panels{data, width, width, width * k}, rest
}

// rowPanels makes panels of B[k,n], k rows of n floats ld apart: where they lie
// if the vectors come out even, else copied to scratch. It returns what is left
// of scratch.
func (l *level) rowPanels(scratch, src []float32, ld, k, n int) (panels, []float32) {
	width := l.panelWidth(n)
	if n%l.lanes == 0 {
		return panels{src, width, ld, width}, scratch
	}
	data, rest := carve(scratch, l.panelFloats(n, k))
	for j := 0; j < n; j += width {
		l.packRows(data[j*k:], width, src[j:], ld, k, min(width, n-j), 1)
	}
	return panels{data, width, width, width * k}, rest
}

// multiply computes C[m,n] = or += A·B on one thread, A[i,s] at a[i·aRow + s·aStep].
func (l *level) multiply(m, n, k int, a []float32, aRow, aStep int, b panels, c []float32, ldc int, accumulate bool) {
	for j := 0; j < n; j += b.width {
		w := min(b.width, n-j)
		rows := l.rows[blocks(w, l.lanes)]
		count := blocks(m, rows)
		for p := range count {
			i0, i1 := m*p/count, m*(p+1)/count
			var add []float32
			if accumulate {
				add = c[i0*ldc+j:]
			}
			l.tile(k, a[i0*aRow:], aRow, aStep, b.data[j/b.width*b.next:], b.step, nil, add, ldc, c[i0*ldc+j:], ldc, i1-i0, w)
		}
	}
}
