package kernel

import "fmt"

// Embedding looks rows up: y[i,:] = table[ids[i],:], rows of d floats.
func Embedding(y []float32, table []float32, ids []int32, d int) {
	lookUp("Embedding", embeddingTask{active, y, table, ids, d, false})
}

// EmbeddingPlus is Embedding that adds: y[i,:] += table[ids[i],:]. Its backward pass is
// EmbeddingGrad as well.
func EmbeddingPlus(y []float32, table []float32, ids []int32, d int) {
	lookUp("EmbeddingPlus", embeddingTask{active, y, table, ids, d, true})
}

// lookUp checks the task of a function, and runs it.
func lookUp(function string, t embeddingTask) {
	size(function, "d", t.d)
	need(function, "y", len(t.y), len(t.ids)*t.d)
	checkIDs(function, t.ids, len(t.table), t.d)
	if t.d > 0 {
		run(&embeddingSlot, t, blocks(len(t.ids)*t.d, elementBlock))
	}
}

// EmbeddingGrad is the backward pass of Embedding: dtable[ids[i],:] += dy[i,:], in the order
// of i.
func EmbeddingGrad(dtable, dy []float32, ids []int32, d int) {
	size("EmbeddingGrad", "d", d)
	need("EmbeddingGrad", "dy", len(dy), len(ids)*d)
	checkIDs("EmbeddingGrad", ids, len(dtable), d)
	run(&embeddingGradSlot, embeddingGradTask{active, dtable, dy, ids, d}, blocks(d, columnBlock))
}

func checkIDs(function string, ids []int32, table, d int) {
	if d == 0 {
		return
	}
	for i, id := range ids {
		if id < 0 || int(id) >= table/d {
			panic(fmt.Sprintf("kernel: %s: ids[%d] = %d, the table has %d rows of %d", function, i, id, table/d, d))
		}
	}
}

// EmbeddingAdd adds position vectors to rows of sequences of length context, one after
// another: y[r,:] += table[r mod context,:].
func EmbeddingAdd(y []float32, table []float32, rows, context, d int) {
	checkPositions("EmbeddingAdd", rows, context, d, len(y), len(table))
	if d > 0 && rows > 0 {
		run(&positionSlot, positionTask{active, y, table, rows, context, d, false}, blocks(rows, context))
	}
}

// PositionGrad is the backward pass of EmbeddingAdd for its table:
// dtable[r mod context,:] += dy[r,:], in the order of r.
func PositionGrad(dtable, dy []float32, rows, context, d int) {
	checkPositions("PositionGrad", rows, context, d, len(dy), len(dtable))
	if d > 0 && rows > 0 {
		run(&positionSlot, positionTask{active, dy, dtable, rows, context, d, true}, blocks(d, columnBlock))
	}
}

// checkPositions panics unless the table has every position that the rows need.
func checkPositions(function string, rows, context, d, y, table int) {
	size(function, "rows", rows)
	size(function, "d", d)
	if context < 1 {
		badSize(function, "context", context)
	}
	need(function, "the rows' slice", y, rows*d)
	need(function, "the table", table, min(rows, context)*d)
}

type embeddingTask struct {
	isa      *instructionSet
	y, table []float32
	ids      []int32
	d        int
	add      bool
}

var embeddingSlot embeddingTask

func (t *embeddingTask) piece(_ *worker, i int) {
	// Piece i copies or adds the rows that start in block i of elements.
	from, to := block(i, elementBlock, len(t.ids)*t.d)
	for r := blocks(from, t.d); r < blocks(to, t.d); r++ {
		id := int(t.ids[r])
		y, row := t.y[r*t.d:r*t.d+t.d], t.table[id*t.d:id*t.d+t.d]
		if t.add {
			t.isa.add(y, y, row)
		} else {
			copy(y, row)
		}
	}
}

type embeddingGradTask struct {
	isa        *instructionSet
	dtable, dy []float32
	ids        []int32
	d          int
}

var embeddingGradSlot embeddingGradTask

// piece adds up a block of columns of all rows: by columns, since rows may share an id.
func (t *embeddingGradTask) piece(_ *worker, i int) {
	from, to := block(i, columnBlock, t.d)
	for r, id := range t.ids {
		sum := t.dtable[int(id)*t.d+from : int(id)*t.d+to]
		t.isa.add(sum, sum, t.dy[r*t.d+from:r*t.d+to])
	}
}

type positionTask struct {
	isa              *instructionSet
	y, table         []float32
	rows, context, d int
	grad             bool
}

var positionSlot positionTask

// piece is one sequence, or in the backward pass a block of columns of all rows.
func (t *positionTask) piece(_ *worker, i int) {
	if !t.grad {
		from, to := block(i, t.context, t.rows)
		y := t.y[from*t.d : to*t.d]
		t.isa.add(y, y, t.table)
		return
	}
	from, to := block(i, columnBlock, t.d)
	for r := range t.rows {
		p := r % t.context * t.d
		sum := t.table[p+from : p+to]
		t.isa.add(sum, sum, t.y[r*t.d+from:r*t.d+to])
	}
}
