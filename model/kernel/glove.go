package kernel

import "math"

// Cell is an entry of a matrix of co-occurrences, as GloVe's objective needs it.
type Cell struct {
	I, J uint16  // row and column within its block
	F    float32 // the weight f(X)
	Log  float32 // log X
}

// Cells is a block of a matrix of co-occurrences: the rows Row + Step·I, each with the
// columns Column + Step·J. A word has rows of its own in the tables for both parts.
type Cells struct {
	List        []Cell
	Row, Column int
	Step        int
	Words       int // rows of the matrix: what column j is in a table is row Words + j
}

// AdaGradTable has parameters in Stride floats of each row, and the sums of their squared
// steps in as many after them.
type AdaGradTable struct {
	Data   []float32 // [rows, 2, Stride]
	D      int       // parameters of a row
	Stride int
}

// NewAdaGradTable returns a table of zeros, and ones as sums of squares.
func NewAdaGradTable(rows, d int) AdaGradTable {
	size("NewAdaGradTable", "rows", rows)
	size("NewAdaGradTable", "d", d)
	t := AdaGradTable{D: d, Stride: padded(d, tableAlign)}
	t.Data = Memory(2 * rows * t.Stride)
	for i := range rows {
		for j := range t.Stride {
			t.Data[(2*i+1)*t.Stride+j] = 1
		}
	}
	return t
}

// Row is the parameters of a row, D floats.
func (t AdaGradTable) Row(i int) []float32 { return t.Data[2*i*t.Stride:][:t.D] }

// Squares is the sums of squared steps of a row, D floats.
func (t AdaGradTable) Squares(i int) []float32 { return t.Data[(2*i+1)*t.Stride:][:t.D] }

// GloVe makes a step of AdaGrad for each cell of each block in order, and returns the sum of
//
//	½·f·(w·c − log X)²
//
// before the cells' steps: equation 8 of Pennington et al. 2014, with the biases as two of
// the dimensions, whose partners are 1 and never change (sums of squares of +Inf). A
// parameter's step s is rates [Stride] times its gradient; it moves by s/√(sum of squares),
// and the sum grows by s² afterwards, as in the authors' program. Blocks run at the same
// time: no two may share a row or a column.
func GloVe(t AdaGradTable, rates []float32, blocks []Cells) (cost float64) {
	need("GloVe", "rates", len(rates), t.Stride)
	return runSum(&gloveSlot, gloveTask{active, t, rates, blocks, true}, len(blocks))
}

// GloVeCost returns what GloVe does, and changes nothing.
func GloVeCost(t AdaGradTable, blocks []Cells) (cost float64) {
	return runSum(&gloveSlot, gloveTask{active, t, nil, blocks, false}, len(blocks))
}

type gloveTask struct {
	isa    *instructionSet
	table  AdaGradTable
	rates  []float32
	blocks []Cells
	train  bool
}

var gloveSlot gloveTask

// cellsAhead is how many cells earlier a cell's rows are asked for.
const cellsAhead = 4

func (t *gloveTask) piece(_ *worker, i int) {
	b, s := &t.blocks[i], 2*t.table.Stride
	row := func(c *Cell) []float32 { return t.table.Data[(b.Row+b.Step*int(c.I))*s:][:s] }
	column := func(c *Cell) []float32 { return t.table.Data[(b.Words+b.Column+b.Step*int(c.J))*s:][:s] }
	cost := 0.0
	for n := range b.List {
		c := &b.List[n]
		w, x := row(c), column(c)
		var diff float32
		if t.train {
			ahead := &b.List[min(n+cellsAhead, len(b.List)-1)]
			diff = t.isa.gloveStep(w, x, t.rates, c.F, c.Log, row(ahead), column(ahead))
		} else {
			diff = t.isa.dot(w[:t.table.D], x[:t.table.D]) - c.Log
		}
		cost += 0.5 * float64(c.F) * float64(diff) * float64(diff)
	}
	workers.partial[i] = cost
}

// gloveStepGo makes the step of one cell. w and x are rows of parameters with their sums of
// squares; those ahead are asked for in assembly, and nothing here. It returns w·x − log.
func gloveStepGo(w, x, rates []float32, f, log float32, _, _ []float32) (diff float32) {
	n := len(w) / 2
	rates = rates[:n]
	w, gw := w[:n], w[n:2*n]
	x, gx := x[:n], x[n:2*n]
	diff = dotGo(w, x) - log
	g := f * diff
	for i, r := range rates {
		r *= g
		sw, sx := r*x[i], r*w[i]
		w[i] -= sw / float32(math.Sqrt(float64(gw[i])))
		x[i] -= sx / float32(math.Sqrt(float64(gx[i])))
		gw[i] += sw * sw
		gx[i] += sx * sx
	}
	return diff
}
