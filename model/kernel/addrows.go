package kernel

import "math"

// Sums says which rows of a table get which steps: row Rows[i] the steps
// Steps[First[i]:First[i+1]], numbers of rows of a list of steps, in this order. Each row
// is there once.
type Sums struct {
	Rows, First, Steps []int32
}

const (
	sumRows  = 16 // rows in a piece of AddRows
	fewSteps = 4  // sums of fewer steps are not cut
	sumAhead = 4  // how many rows earlier AddRows asks for a row
)

// Cuts says whether AddRows looks at the length of a sum of n steps.
func Cuts(n int) bool { return n >= fewSteps }

// AddRows adds to each row of the table the sum of its steps, each of t.Stride floats. A
// sum of four or more steps is cut to the length most: its steps were computed without
// knowledge of each other. It returns how many sums were cut.
func AddRows(t Table, steps []float32, s Sums, most float32) (cut int) {
	if len(s.Rows) == 0 {
		return 0
	}
	need("AddRows", "First", len(s.First), len(s.Rows)+1)
	return int(runSum(&addRowsSlot, addRowsTask{active, t, steps, s, most}, blocks(len(s.Rows), sumRows)))
}

type addRowsTask struct {
	isa   *instructionSet
	table Table
	steps []float32
	sums  Sums
	most  float32
}

var addRowsSlot addRowsTask

func (t *addRowsTask) piece(w *worker, i int) {
	isa, s := t.isa, t.table.Stride
	from, to := block(i, sumRows, len(t.sums.Rows))
	sum := w.floats(s)
	cut := 0
	for r := from; r < to; r++ {
		row := t.table.Data[int(t.sums.Rows[r])*s:][:s]
		steps := t.sums.Steps[t.sums.First[r]:t.sums.First[r+1]]
		later := t.table.Data[int(t.sums.Rows[min(r+sumAhead, len(t.sums.Rows)-1)])*s:][:s]
		if !Cuts(len(steps)) {
			isa.addSteps(row, t.steps, steps, s, later)
			continue
		}
		clear(sum)
		isa.addSteps(sum, t.steps, steps, s, later)
		if n := math.Sqrt(isa.sumSquares(sum)); n > float64(t.most) {
			isa.scale(sum, float32(float64(t.most)/n))
			cut++
		}
		isa.add(row, row, sum)
	}
	workers.partial[i] = float64(cut)
}

// addStepsGo adds rows of steps to a row. A row that comes later is of use to assembly only.
func addStepsGo(row, steps []float32, list []int32, stride int, _ []float32) {
	for _, e := range list {
		addGo(row[:stride], row, steps[int(e)*stride:])
	}
}
