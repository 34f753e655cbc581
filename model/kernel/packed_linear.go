package kernel

import "sync"

// Linear computes y[rows,Out] = x[rows,In]·Wᵀ + bias[Out]; a nil bias is 0. Up to a
// handful of rows W is read as it lies, once, and the bits of a row don't depend on how
// many there are. For more W is unpacked, a part at a time.
func (m *Packed) Linear(y, x, bias []float32, rows int) {
	const f = "Packed.Linear"
	size(f, "rows", rows)
	need(f, "y", len(y), rows*m.Out)
	need(f, "x", len(x), rows*m.In)
	if bias != nil {
		need(f, "bias", len(bias), m.Out)
	}
	switch {
	case rows == 0 || m.Out == 0:
	case rows <= fewRows:
		m.thin(y, x, bias, rows)
	default:
		m.thick(y, x, bias, rows)
	}
}

// packedTask is a product of few rows. As in thinTask, W is read in pieces of whole
// rows, each in thinStreams streams.
type packedTask struct {
	level        *level
	m            *Packed
	y, x, bias   []float32
	rows, ldx    int
	rowsPerPiece int
}

// packedPiece is about how many words of W a piece takes: enough for streams to run,
// few enough to share a small matrix out evenly.
const packedPiece = 16 << 10

// Guarded by the pool's lock.
var (
	packedSlot packedTask
	packedRows []float32 // of x, filled up to whole blocks
)

func (m *Packed) thin(y, x, bias []float32, rows int) {
	workers.mu.Lock()
	defer workers.mu.Unlock()
	t := &packedSlot
	*t = packedTask{level: best, m: m, y: y, x: x, bias: bias, rows: rows, ldx: m.columns()}
	if t.ldx != m.In {
		t.x = grow(&packedRows, rows*t.ldx)
		for r := range rows {
			row := t.x[r*t.ldx : (r+1)*t.ldx]
			clear(row[copy(row, x[r*m.In:(r+1)*m.In]):])
		}
	}
	t.rowsPerPiece = padded(max(1, packedPiece/max(m.stride, 1)), thinStreams)
	workers.section(t, blocks(m.Out, t.rowsPerPiece))
	*t = packedTask{}
}

// columns is the number of columns, filled up to whole blocks.
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
	if m.In == 0 {
		return
	}
	far := (to - from) / thinStreams
	t.dots(t.y[from:], m.Out, from, far, far)
	from += far * thinStreams
	if from == to {
		return
	}
	// The last rows of W, together with those of zeros.
	rest := w.floats(t.rows * thinStreams)
	clear(rest)
	t.dots(rest, thinStreams, from, 1, 1)
	for r := range t.rows {
		for j := from; j < to; j++ {
			t.y[r*m.Out+j] += rest[r*thinStreams+j-from]
		}
	}
}

// dots adds to c the products with the rows of W from from on: thinStreams times far.
func (t *packedTask) dots(c []float32, ldc, from, far, steps int) {
	m, l := t.m, t.level
	dots, n := m.packing.dots(l), m.stride/m.packing.words
	groups := blocks(t.rows, l.thin)
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

// unpackedFloats is the most of W that is unpacked at a time: what stays in the cache
// that the cores share, and all of a layer of GPT-2's smallest model.
const unpackedFloats = 2400 << 10

// unpacked is the memory of a product of many rows.
var unpacked struct {
	sync.Mutex
	w, y []float32
}

// thick computes a product of many rows.
func (m *Packed) thick(y, x, bias []float32, rows int) {
	u := &unpacked
	u.Lock()
	defer u.Unlock()
	part := min(m.Out, max(1, unpackedFloats/max(m.In, 1)))
	for from := 0; from < m.Out; from += part {
		to := min(from+part, m.Out)
		n := to - from
		t := gemmTask{level: best, transB: true, m: rows, n: n, k: m.In, a: x, b: grow(&u.w, n*m.In), c: y}
		if bias != nil {
			t.bias = bias[from:to]
		}
		m.Unpack(t.b, from, to)
		if n == m.Out {
			gemm(t)
			return
		}
		t.c = grow(&u.y, rows*n)
		gemm(t)
		run(&placeSlot, placeTask{y[from:], t.c, rows, m.Out, n}, blocks(rows, placeRows))
	}
}

// placeTask copies rows of n floats to rows that are ld apart.
type placeTask struct {
	y, x        []float32
	rows, ld, n int
}

var placeSlot placeTask

const placeRows = 16

func (t *placeTask) piece(_ *worker, i int) {
	from, to := block(i, placeRows, t.rows)
	for r := from; r < to; r++ {
		copy(t.y[r*t.ld:r*t.ld+t.n], t.x[r*t.n:])
	}
}
