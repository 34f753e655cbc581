package kernel

// ColumnSums adds the sum over the rows of x[rows,cols] to sum[cols]: the
// gradient of a bias.
func ColumnSums(sum, x []float32, rows, cols int) {
	size("ColumnSums", "rows", rows)
	size("ColumnSums", "cols", cols)
	need("ColumnSums", "sum", len(sum), cols)
	need("ColumnSums", "x", len(x), rows*cols)
	run(&columnSumsSlot, columnSumsTask{best, sum, x, rows, cols}, blocks(cols, columnStrip))
}

// columnStrip is the number of columns that a piece takes down all rows.
const columnStrip = 64

type columnSumsTask struct {
	level      *level
	sum, x     []float32
	rows, cols int
}

var columnSumsSlot columnSumsTask

func (t *columnSumsTask) piece(_ *worker, i int) {
	from, to := block(i, columnStrip, t.cols)
	t.level.columnSums(t.sum[from:to], t.x[from:], t.cols, t.rows)
}

// columnSumsGo adds the sums of columns, rows ldx apart: sum[j] += Σ_r x[r·ldx + j].
func columnSumsGo(sum, x []float32, ldx, rows int) {
	for j, total := range sum {
		for r := range rows {
			total += x[r*ldx+j]
		}
		sum[j] = total
	}
}
