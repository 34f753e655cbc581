package kernel

// Linear computes y[rows,Out] = x[rows,In]·Wᵀ + bias[Out]; a nil bias is 0. For few rows W is
// read once, in place; for more it is unpacked, some rows at a time. The bits of a row of
// y don't depend on how many rows there are.
func (m *Packed) Linear(y, x, bias []float32, rows int) {
	const f = "Packed.Linear"
	size(f, "rows", rows)
	need(f, "y", len(y), rows*m.Out)
	need(f, "x", len(x), rows*m.In)
	if bias != nil {
		need(f, "bias", len(bias), m.Out)
	}
	if rows == 0 || m.Out == 0 {
		return
	}
	workers.mu.Lock()
	defer workers.mu.Unlock()
	t := packedTask{isa: active, m: m, y: y, x: x, bias: bias, rows: rows, ldx: m.columns()}
	if t.ldx != m.In {
		t.x = grow(&packedRows, rows*t.ldx)
		for r := range rows {
			row := t.x[r*t.ldx : (r+1)*t.ldx]
			clear(row[copy(row, x[r*m.In:(r+1)*m.In]):])
		}
	}
	t.rowsPerPiece = padded(max(1, packedPiece/max(m.stride, 1)), streams)
	runLocked(&packedSlot, t, blocks(m.Out, t.rowsPerPiece))
}

// packedTask is a product with a packed matrix. A piece is some rows of W, as in dotsTask.
type packedTask struct {
	isa          *instructionSet
	m            *Packed
	y, x, bias   []float32
	rows, ldx    int
	rowsPerPiece int
}

const (
	// packedPiece is about how many words of W a piece takes: enough for streams to be fast, few
	// enough to share a small matrix out evenly.
	packedPiece = 16 << 10
	// fewPackedRows is the number of rows of x up to which W is unpacked in registers, again for
	// every few rows.
	fewPackedRows = 16
)

// Guarded by the pool's lock.
var (
	packedSlot packedTask
	packedRows []float32 // x with its rows filled up to whole blocks
)

// columns is the number of columns of a row filled up to whole blocks.
func (m *Packed) columns() int { return m.stride / m.packing.words * m.packing.columns }

func (t *packedTask) piece(w *worker, i int) {
	m := t.m
	from, to := block(i, t.rowsPerPiece, m.Out)
	for r := range t.rows {
		y := t.y[r*m.Out+from : r*m.Out+to]
		if t.bias != nil {
			copy(y, t.bias[from:to])
		} else {
			clear(y)
		}
	}
	switch {
	case m.In == 0:
	case t.rows <= fewPackedRows:
		t.few(w, from, to)
	default:
		t.many(w, from, to)
	}
}

// few adds the products of few rows of x with rows from to to of W.
func (t *packedTask) few(w *worker, from, to int) {
	m := t.m
	far := (to - from) / streams
	t.dots(t.y[from:], m.Out, from, far, far)
	from += far * streams
	if from == to {
		return
	}
	// The last rows of W, with the rows of zeros that follow them.
	rest := w.floats(t.rows * streams)
	clear(rest)
	t.dots(rest, streams, from, 1, 1)
	for r := range t.rows {
		for j := from; j < to; j++ {
			t.y[r*m.Out+j] += rest[r*streams+j-from]
		}
	}
}

// dots adds to c the products with rows from, from+1, … of W: streams·far of them, of which
// steps of each stream.
func (t *packedTask) dots(c []float32, ldc, from, far, steps int) {
	m, isa := t.m, t.isa
	dots, n := m.packing.dots(isa), m.stride/m.packing.words
	groups := blocks(t.rows, isa.fewRows)
	if steps == 0 {
		return
	}
	if groups == 1 {
		dots(c, ldc, t.rows, t.x, t.ldx, m.words[from*m.stride:], n, far, steps)
		return
	}
	for s := range steps { // while these rows are in cache
		for g := range groups {
			r0, r1 := part(g, groups, t.rows)
			dots(c[r0*ldc+s:], ldc, r1-r0, t.x[r0*t.ldx:], t.ldx, m.words[(from+s)*m.stride:], n, far, 1)
		}
	}
}

// many adds the products of many rows of x with rows from to to of W, which it unpacks first.
func (t *packedTask) many(w *worker, from, to int) {
	m, isa := t.m, t.isa
	scratch := w.floats(streams * (t.ldx + nearRows))
	c, unpacked := carve(scratch, streams*nearRows)
	unpack := m.packing.unpack(isa)
	for r0 := 0; r0 < t.rows; r0 += nearRows {
		rows := min(nearRows, t.rows-r0)
		groups := blocks(rows, isa.fewRows)
		for j := from; j < to; j += streams {
			unpack(unpacked, m.words[j*m.stride:][:streams*m.stride])
			clear(c)
			for g := range groups {
				g0, g1 := part(g, groups, rows)
				isa.dotsRows(c[g0*streams:], streams, g1-g0, t.ldx, t.x[(r0+g0)*t.ldx:], t.ldx, unpacked, t.ldx, 1, 1)
			}
			for r := range rows {
				y := t.y[(r0+r)*m.Out+j:]
				for i := range min(streams, to-j) {
					y[i] += c[r*streams+i]
				}
			}
		}
	}
}
