package kernel

// Linear computes y[rows,out] = x[rows,in]·w[in,out] + bias[out]; a nil bias is 0.
func Linear(y, x, w, bias []float32, rows, in, out int) {
	checkGemm("Linear", rows, out, in, x, w, y)
	if bias != nil {
		need("Linear", "bias", len(bias), out)
	}
	gemm(gemmTask{level: best, m: rows, n: out, k: in, alpha: 1, a: x, b: w, c: y, bias: bias})
}

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

var ones = []float32{1, 1, 1, 1, 1, 1, 1, 1}

func (t *columnSumsTask) piece(w *worker, i int) {
	from, to := block(i, columnStrip, t.cols)
	s := w.floats(to - from)
	clear(s)
	for r := 0; r < t.rows; r += len(ones) {
		t.level.combine(s, ones[:min(len(ones), t.rows-r)], t.x[r*t.cols+from:], t.cols)
	}
	t.level.add(t.sum[from:to], t.sum[from:to], s)
}
