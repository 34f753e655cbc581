package kernel

import (
	"fmt"
	"math"
)

// Ignore as a target means that the row is left out of sums and means.
const Ignore = -100

// CrossEntropy returns the sum of −log softmax(logits[r])[targets[r]] over the
// rows of logits[rows,vocab] whose target is not Ignore, and the number of these rows.
// Unless losses is nil it sets losses[r] to each row's loss, 0 for ignored rows.
func CrossEntropy(losses []float32, logits []float32, targets []int32, rows, vocab int) (sum float64, counted int) {
	return crossEntropy("CrossEntropy", losses, logits, targets, rows, vocab, false)
}

// CrossEntropyGrad is CrossEntropy and its backward pass in one: it replaces the logits by
// the gradient of the mean loss, (softmax − onehot)/counted, and 0 in ignored rows.
func CrossEntropyGrad(losses []float32, logits []float32, targets []int32, rows, vocab int) (sum float64, counted int) {
	return crossEntropy("CrossEntropyGrad", losses, logits, targets, rows, vocab, true)
}

func crossEntropy(f string, losses []float32, logits []float32, targets []int32, rows, vocab int, grad bool) (sum float64, counted int) {
	size(f, "rows", rows)
	size(f, "vocab", vocab)
	need(f, "logits", len(logits), rows*vocab)
	need(f, "targets", len(targets), rows)
	if losses != nil {
		need(f, "losses", len(losses), rows)
	}
	for r, target := range targets[:rows] {
		switch {
		case target == Ignore:
		case target < 0 || int(target) >= vocab:
			panic(fmt.Sprintf("kernel: %s: targets[%d] = %d, vocab is %d", f, r, target, vocab))
		default:
			counted++
		}
	}
	t := crossEntropyTask{active, losses, logits, targets, rows, vocab, rowsPerPiece(vocab), counted, grad}
	return runSum(&crossEntropySlot, t, blocks(rows, t.rowsPerPiece)), counted
}

// Softmax computes p = softmax(logits) for each row of logits[rows,cols]. p may
// be logits.
func Softmax(p, logits []float32, rows, cols int) {
	size("Softmax", "rows", rows)
	size("Softmax", "cols", cols)
	need("Softmax", "p", len(p), rows*cols)
	need("Softmax", "logits", len(logits), rows*cols)
	t := softmaxTask{active, p, logits, rows, cols, rowsPerPiece(cols)}
	run(&softmaxSlot, t, blocks(rows, t.rowsPerPiece))
}

// rowsPerPiece is the number of rows in a piece if a row has cols elements.
func rowsPerPiece(cols int) int { return max(1, 8<<10/max(cols, 1)) }

type crossEntropyTask struct {
	isa                       *instructionSet
	losses, logits            []float32
	targets                   []int32
	rows, vocab, rowsPerPiece int
	counted                   int
	grad                      bool
}

var crossEntropySlot crossEntropyTask

// sumBlock is how many elements of a row are summed in float32; the sums of blocks are added
// in float64. A block fits in the first-level cache.
const sumBlock = 2048

func (t *crossEntropyTask) piece(w *worker, i int) {
	from, to := block(i, t.rowsPerPiece, t.rows)
	sum := 0.0
	for r := from; r < to; r++ {
		loss := t.row(w, t.logits[r*t.vocab:r*t.vocab+t.vocab], t.targets[r])
		sum += loss
		if t.losses != nil {
			t.losses[r] = float32(loss)
		}
	}
	workers.partial[i] = sum
}

// row returns the loss of a row of logits.
func (t *crossEntropyTask) row(w *worker, row []float32, target int32) (loss float64) {
	isa := t.isa
	if target == Ignore {
		if t.grad {
			clear(row)
		}
		return 0
	}
	shift := isa.max(row)
	logit := float64(row[target])
	scratch := w.floats(sumBlock)
	sum := 0.0
	for i := 0; i < len(row); i += sumBlock {
		x := row[i:min(i+sumBlock, len(row))]
		y := scratch[:len(x)]
		if t.grad {
			y = x
		}
		sum += float64(isa.exp(y, x, 1, shift))
	}
	if t.grad {
		isa.scale(row, float32(1/(sum*float64(t.counted))))
		row[target] -= 1 / float32(t.counted)
	}
	return math.Log(sum) + float64(shift) - logit
}

type softmaxTask struct {
	isa                      *instructionSet
	p, logits                []float32
	rows, cols, rowsPerPiece int
}

var softmaxSlot softmaxTask

func (t *softmaxTask) piece(_ *worker, i int) {
	from, to := block(i, t.rowsPerPiece, t.rows)
	for r := from; r < to; r++ {
		p := t.p[r*t.cols : r*t.cols+t.cols]
		x := t.logits[r*t.cols : r*t.cols+t.cols]
		shift := t.isa.max(x)
		sum := 0.0
		for i := 0; i < len(x); i += sumBlock {
			e := min(i+sumBlock, len(x))
			sum += float64(t.isa.exp(p[i:e], x[i:e], 1, shift))
		}
		t.isa.scale(p, float32(1/sum))
	}
}
