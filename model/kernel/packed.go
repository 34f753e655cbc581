package kernel

import "fmt"

// Packed is a matrix W[Out,In] of a linear map y = x·Wᵀ, whose numbers take fewer bits
// than float32. The time of a decoder's step is that of reading the weights, so fewer
// bytes make it faster. Arithmetic is in float32, with the numbers that Unpack gives
// back.
type Packed struct {
	Out, In int
	packing Packing
	stride  int      // words in a row
	words   []uint32 // [Out, stride], where Out is rounded up to a multiple of streams
}

// Packing is a format for rows of a matrix: blocks of columns, each of a number of 32-bit
// words. The last block of a row is filled up with zeros.
type Packing struct {
	name           string
	columns, words int // of a block
	pack           func(w []uint32, x []float32)
	unpack         func(isa *instructionSet) func(x []float32, w []uint32)
	dots           func(isa *instructionSet) packedDots
}

// packedDots adds dot products with packed rows, read in streams that are far rows apart:
// c[r·ldc + s·far + t] += Σ_i a[r·lda + i]·W[s·far + t, i], s < streams, t < steps, i < columns
// of the blocks. w begins with row 0 of W, and each row has that many blocks.
type packedDots func(c []float32, ldc, rows int, a []float32, lda int, w []uint32, blocks, far, steps int)

// BFloat16 keeps the sign, the exponent and 7 bits of the fraction: half the memory.
var BFloat16 = Packing{
	"bfloat16", bfloat16Columns, bfloat16Words, packBFloat16,
	func(isa *instructionSet) func([]float32, []uint32) { return isa.unpackBFloat16 },
	func(isa *instructionSet) packedDots { return isa.dotsBFloat16 },
}

// Int8 keeps whole numbers from −127 to 127 and a common scale for each 64 columns: 27 % of
// the memory.
var Int8 = Packing{
	"int8", int8Columns, int8Words, packInt8,
	func(isa *instructionSet) func([]float32, []uint32) { return isa.unpackInt8 },
	func(isa *instructionSet) packedDots { return isa.dotsInt8 },
}

// Pack returns W packed, for w = W[out,in], or with trans its transpose [in,out].
func (p Packing) Pack(w []float32, out, in int, trans bool) *Packed {
	size("Pack", "out", out)
	size("Pack", "in", in)
	need("Pack", "w", len(w), out*in)
	m := &Packed{Out: out, In: in, packing: p, stride: blocks(in, p.columns) * p.words}
	m.words = make([]uint32, padded(out, streams)*m.stride) // rows of zeros at the end
	run(&packSlot, packTask{m, w, trans}, blocks(out, packRowsPerPiece))
	return m
}

// Bytes is how many bytes a product reads of the matrix.
func (m *Packed) Bytes() int64 { return 4 * int64(m.Out*m.stride) }

// Unpack sets x[to−from,In] to rows from to to of W, as they are computed with.
func (m *Packed) Unpack(x []float32, from, to int) {
	if from < 0 || to < from || to > m.Out {
		panic(fmt.Sprintf("kernel: Unpack: rows %d to %d of %d", from, to, m.Out))
	}
	need("Unpack", "x", len(x), (to-from)*m.In)
	if m.In > 0 {
		run(&unpackSlot, unpackTask{active, m, x, from, to}, blocks(to-from, packRowsPerPiece))
	}
}

const packRowsPerPiece = 16

type packTask struct {
	m     *Packed
	w     []float32
	trans bool
}

var packSlot packTask

func (t *packTask) piece(w *worker, i int) {
	m, p := t.m, t.m.packing
	row := w.floats(m.stride / p.words * p.columns)
	clear(row[m.In:])
	from, to := block(i, packRowsPerPiece, m.Out)
	for r := from; r < to; r++ {
		if t.trans {
			for j := range m.In {
				row[j] = t.w[j*m.Out+r]
			}
		} else {
			copy(row, t.w[r*m.In:(r+1)*m.In])
		}
		for b := range m.stride / p.words {
			p.pack(m.words[r*m.stride+b*p.words:][:p.words], row[b*p.columns:][:p.columns])
		}
	}
}

type unpackTask struct {
	isa      *instructionSet
	m        *Packed
	x        []float32
	from, to int
}

var unpackSlot unpackTask

func (t *unpackTask) piece(w *worker, i int) {
	m, unpack := t.m, t.m.packing.unpack(t.isa)
	from, to := block(i, packRowsPerPiece, t.to-t.from)
	for r := from; r < to; r++ {
		row := m.words[(t.from+r)*m.stride:][:m.stride]
		if x := t.x[r*m.In : (r+1)*m.In]; m.In%m.packing.columns == 0 {
			unpack(x, row)
		} else {
			padded := w.floats(m.stride / m.packing.words * m.packing.columns)
			unpack(padded, row)
			copy(x, padded)
		}
	}
}
