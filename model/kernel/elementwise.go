package kernel

import "math"

// elementBlock is the number of elements in a piece of an elementwise kernel.
const elementBlock = 8 << 10

// Add computes y = a + b over len(y) elements. Each of a, b may be y.
func Add(y, a, b []float32) {
	need("Add", "a", len(a), len(y))
	need("Add", "b", len(b), len(y))
	run(&addSlot, addTask{active, y, a, b}, blocks(len(y), elementBlock))
}

type addTask struct {
	isa     *instructionSet
	y, a, b []float32
}

var addSlot addTask

func (t *addTask) piece(_ *worker, i int) {
	from, to := block(i, elementBlock, len(t.y))
	t.isa.add(t.y[from:to], t.a[from:to], t.b[from:to])
}

// Scale computes x = s·x.
func Scale(x []float32, s float32) {
	run(&scaleSlot, scaleTask{active, x, s}, blocks(len(x), elementBlock))
}

type scaleTask struct {
	isa *instructionSet
	x   []float32
	s   float32
}

var scaleSlot scaleTask

func (t *scaleTask) piece(_ *worker, i int) {
	from, to := block(i, elementBlock, len(t.x))
	t.isa.scale(t.x[from:to], t.s)
}

// SumSquares returns Σ x² over all slices, summed in float64.
func SumSquares(xs ...[]float32) float64 {
	workers.mu.Lock()
	defer workers.mu.Unlock()
	squaresBlocks = squaresBlocks[:0]
	for _, x := range xs {
		squaresBlocks = squaresBlocks.with(len(x), elementBlock)
	}
	return runSumLocked(&sumSquaresSlot, sumSquaresTask{active, xs, squaresBlocks}, squaresBlocks.pieces())
}

// SquareBlock is the number of elements that a number of SquareSums is the sum over.
const SquareBlock = elementBlock

// SquareSums writes to sums Σ x² of each block of SquareBlock elements of each slice, in
// order: the numbers that SumSquares adds up. The last block of a slice may be shorter.
func SquareSums(sums []float64, xs ...[]float32) {
	workers.mu.Lock()
	defer workers.mu.Unlock()
	squaresBlocks = squaresBlocks[:0]
	for _, x := range xs {
		squaresBlocks = squaresBlocks.with(len(x), elementBlock)
	}
	need("SquareSums", "sums", len(sums), squaresBlocks.pieces())
	runSumLocked(&sumSquaresSlot, sumSquaresTask{active, xs, squaresBlocks}, squaresBlocks.pieces())
	copy(sums, workers.partial[:squaresBlocks.pieces()])
}

type sumSquaresTask struct {
	isa    *instructionSet
	list   [][]float32
	blocks blockIndex
}

// Guarded by the pool's lock.
var (
	sumSquaresSlot sumSquaresTask
	squaresBlocks  blockIndex
)

func (t *sumSquaresTask) piece(_ *worker, i int) {
	n, b := t.blocks.find(i)
	from, to := block(b, elementBlock, len(t.list[n]))
	workers.partial[i] = t.isa.sumSquares(t.list[n][from:to])
}

// FirstNonFinite returns the index of the first NaN or infinity in x, or −1.
func FirstNonFinite(x []float32) int {
	// A piece only counts whether its block holds one, which is rare.
	if runSum(&finiteSlot, finiteTask{active, x}, blocks(len(x), elementBlock)) == 0 {
		return -1
	}
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	panic("kernel: FirstNonFinite: x changed during the call")
}

type finiteTask struct {
	isa *instructionSet
	x   []float32
}

var finiteSlot finiteTask

func (t *finiteTask) piece(_ *worker, i int) {
	from, to := block(i, elementBlock, len(t.x))
	workers.partial[i] = 0
	if !t.isa.finite(t.x[from:to]) {
		workers.partial[i] = 1
	}
}

func addGo(y, a, b []float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] + b[i]
	}
}

func scaleGo(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

func sumSquaresGo(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

// finiteGo says whether no element of x is NaN or infinite.
func finiteGo(x []float32) bool {
	const exponent = 0xff << 23
	for _, v := range x {
		if math.Float32bits(v)&exponent == exponent {
			return false
		}
	}
	return true
}

// Copy copies x to y, which has its length.
func Copy(y, x []float32) {
	need("Copy", "x", len(x), len(y))
	run(&copySlot, copyTask{y, x}, blocks(len(y), clearBlock))
}

type copyTask struct{ y, x []float32 }

var copySlot copyTask

func (t *copyTask) piece(_ *worker, i int) {
	from, to := block(i, clearBlock, len(t.y))
	copy(t.y[from:to], t.x[from:to])
}

// Clear sets x to 0.
func Clear(x []float32) {
	run(&clearSlot, clearTask{x}, blocks(len(x), clearBlock))
}

// clearBlock is the number of elements in a piece of Clear and Copy: large, since writing
// takes little more than starting a piece.
const clearBlock = 64 << 10

type clearTask struct{ x []float32 }

var clearSlot clearTask

func (t *clearTask) piece(_ *worker, i int) {
	from, to := block(i, clearBlock, len(t.x))
	clear(t.x[from:to])
}
