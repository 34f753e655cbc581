package kernel

// ColumnSums adds the sum over the rows of x[rows,cols] to sum[cols]: the
// gradient of a bias.
func ColumnSums(sum, x []float32, rows, cols int) {
	size("ColumnSums", "rows", rows)
	size("ColumnSums", "cols", cols)
	need("ColumnSums", "sum", len(sum), cols)
	need("ColumnSums", "x", len(x), rows*cols)
	run(&columnSumsSlot, columnSumsTask{active, sum, x, rows, cols}, blocks(cols, columnBlock))
}

// columnBlock is the number of columns in a piece, which goes down all rows.
const columnBlock = 64

type columnSumsTask struct {
	isa        *instructionSet
	sum, x     []float32
	rows, cols int
}

var columnSumsSlot columnSumsTask

func (t *columnSumsTask) piece(_ *worker, i int) {
	from, to := block(i, columnBlock, t.cols)
	t.isa.columnSums(t.sum[from:to], t.x[from:], t.cols, t.rows)
}

// columnSumsGo adds up the rows of x, which are ldx apart: sum[j] += Σ_r x[r·ldx + j].
func columnSumsGo(sum, x []float32, ldx, rows int) {
	for j, total := range sum {
		for r := range rows {
			total += x[r*ldx+j]
		}
		sum[j] = total
	}
}
