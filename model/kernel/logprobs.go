package kernel

import (
	"fmt"
	"math"
)

// LogProbs sets logProbs[r] to log softmax(logits[r])[targets[r]], the natural logarithm, for
// each row of logits[rows,vocab]. Unless entropies is nil, it sets entropies[r] to −Σ p·log p of
// that row's softmax p, in nats. Rows whose target is Ignore get 0 in both.
func LogProbs(logProbs, entropies, logits []float32, targets []int32, rows, vocab int) {
	checkLogProbs("LogProbs", logProbs, entropies, logits, targets, rows, vocab)
	t := logProbsTask{active, logProbs, entropies, logits, targets, rows, vocab, rowsPerPiece(vocab), false}
	run(&logProbsSlot, t, blocks(rows, t.rowsPerPiece))
}

// LogProbsGrad is the backward pass of LogProbs. It replaces the logits by their gradient: in
// row r, with p = softmax(logits[r]) and H the entropy of p,
//
//	dlogits = dLogProbs[r]·(onehot(targets[r]) − p) − dEntropies[r]·p·(log p + H),
//
// and 0 in rows whose target is Ignore. A nil dEntropies is 0.
func LogProbsGrad(logits, dLogProbs, dEntropies []float32, targets []int32, rows, vocab int) {
	checkLogProbs("LogProbsGrad", dLogProbs, dEntropies, logits, targets, rows, vocab)
	t := logProbsTask{active, dLogProbs, dEntropies, logits, targets, rows, vocab, rowsPerPiece(vocab), true}
	run(&logProbsSlot, t, blocks(rows, t.rowsPerPiece))
}

func checkLogProbs(f string, logProbs, entropies, logits []float32, targets []int32, rows, vocab int) {
	size(f, "rows", rows)
	size(f, "vocab", vocab)
	need(f, "log-probabilities", len(logProbs), rows)
	if entropies != nil {
		need(f, "entropies", len(entropies), rows)
	}
	need(f, "logits", len(logits), rows*vocab)
	need(f, "targets", len(targets), rows)
	for r, target := range targets[:rows] {
		if target != Ignore && (target < 0 || int(target) >= vocab) {
			panic(fmt.Sprintf("kernel: %s: targets[%d] = %d, vocab is %d", f, r, target, vocab))
		}
	}
}

// logProbsTask computes log-probabilities and entropies of rows. With grad, logProbs and
// entropies are their gradients, and the logits are replaced by theirs.
type logProbsTask struct {
	isa                       *instructionSet
	logProbs, entropies       []float32
	logits                    []float32
	targets                   []int32
	rows, vocab, rowsPerPiece int
	grad                      bool
}

var logProbsSlot logProbsTask

func (t *logProbsTask) piece(w *worker, i int) {
	from, to := block(i, t.rowsPerPiece, t.rows)
	for r := from; r < to; r++ {
		row := t.logits[r*t.vocab : r*t.vocab+t.vocab]
		if t.grad {
			t.gradient(w, row, r)
		} else {
			t.row(w, row, r)
		}
	}
}

// row computes the log-probability and the entropy of row r.
func (t *logProbsTask) row(w *worker, row []float32, r int) {
	target := t.targets[r]
	if target == Ignore {
		t.logProbs[r] = 0
		if t.entropies != nil {
			t.entropies[r] = 0
		}
		return
	}
	s := t.isa.rowSoftmax(w.floats(sumBlock), row, t.entropies != nil)
	t.logProbs[r] = float32(float64(row[target]) - float64(s.max) - s.logSum())
	if t.entropies != nil {
		t.entropies[r] = float32(s.entropy())
	}
}

// gradient replaces row r of the logits with its gradient.
func (t *logProbsTask) gradient(w *worker, row []float32, r int) {
	isa, target, d, dEntropy := t.isa, t.targets[r], t.logProbs[r], float32(0)
	if t.entropies != nil {
		dEntropy = t.entropies[r]
	}
	if target == Ignore || d == 0 && dEntropy == 0 {
		clear(row)
		return
	}
	if dEntropy != 0 {
		// −dEntropy·p·(log p + H) − d·p, p being exp(x − max)/sum.
		s := isa.rowSoftmax(w.floats(sumBlock), row, true)
		shift, h := float64(s.max)+s.logSum(), s.entropy()
		e := w.floats(sumBlock)
		for i := 0; i < len(row); i += sumBlock {
			x := row[i:min(i+sumBlock, len(row))]
			isa.exp(e[:len(x)], x, 1, s.max)
			for j, v := range x {
				x[j] = 0
				if e[j] != 0 {
					p := float64(e[j]) / s.sum
					x[j] = float32(-p * (float64(d) + float64(dEntropy)*(float64(v)-shift+h)))
				}
			}
		}
		row[target] += d
		return
	}
	shift, sum := isa.max(row), 0.0
	for i := 0; i < len(row); i += sumBlock {
		x := row[i:min(i+sumBlock, len(row))]
		sum += float64(isa.exp(x, x, 1, shift))
	}
	isa.scale(row, float32(-float64(d)/sum))
	row[target] += d
}

// rowSoftmax holds the maximum and the sum of a row's softmax, which is exp(x −
// max)/sum.
type rowSoftmax struct {
	max float32
	sum float64
	// weighted is Σ exp(x − max)·(x − max), if it was asked for.
	weighted float64
}

// logSum is log Σ exp(x − max).
func (s rowSoftmax) logSum() float64 { return math.Log(s.sum) }

// entropy is −Σ p·log p.
func (s rowSoftmax) entropy() float64 { return s.logSum() - s.weighted/s.sum }

// rowSoftmax reads a row of logits. scratch has sumBlock floats.
func (isa *instructionSet) rowSoftmax(scratch, row []float32, weighted bool) (s rowSoftmax) {
	s.max = isa.max(row)
	for i := 0; i < len(row); i += sumBlock {
		x := row[i:min(i+sumBlock, len(row))]
		e := scratch[:len(x)]
		s.sum += float64(isa.exp(e, x, 1, s.max))
		if !weighted {
			continue
		}
		for j, v := range x {
			if e[j] != 0 { // 0·(−Inf) is 0 here
				s.weighted += float64(e[j]) * float64(v-s.max)
			}
		}
	}
	return s
}

// KL computes the Kullback-Leibler divergence kl[r] = Σ p·(log p − log q), in nats, of
// each row of logits[rows,vocab] from the same row of reference[rows,vocab]: p is the
// softmax of the first, q that of the second. It is never negative, and 0 for equal rows.
func KL(kl, logits, reference []float32, rows, vocab int) {
	const f = "KL"
	size(f, "rows", rows)
	size(f, "vocab", vocab)
	need(f, "kl", len(kl), rows)
	need(f, "logits", len(logits), rows*vocab)
	need(f, "reference", len(reference), rows*vocab)
	t := klTask{active, kl, logits, reference, rows, vocab, rowsPerPiece(vocab)}
	run(&klSlot, t, blocks(rows, t.rowsPerPiece))
}

type klTask struct {
	isa                       *instructionSet
	kl, logits, reference     []float32
	rows, vocab, rowsPerPiece int
}

var klSlot klTask

func (t *klTask) piece(w *worker, i int) {
	from, to := block(i, t.rowsPerPiece, t.rows)
	for r := from; r < to; r++ {
		at, end := r*t.vocab, r*t.vocab+t.vocab
		t.kl[r] = float32(t.isa.kl(w.floats(2*sumBlock), t.logits[at:end], t.reference[at:end]))
	}
}

// kl returns the divergence of one row; scratch has 2·sumBlock floats. Since p and q each sum to
// 1, the divergence is Σ p·(eᵈ − 1 − d) with d = log q − log p: terms that aren't negative and
// don't cancel.
func (isa *instructionSet) kl(scratch, logits, reference []float32) (sum float64) {
	p := isa.rowSoftmax(scratch[:sumBlock], logits, false)
	q := isa.rowSoftmax(scratch[:sumBlock], reference, false)
	shift := (float64(q.max) - float64(p.max)) + (q.logSum() - p.logSum()) // 0 for equal rows
	for i := 0; i < len(logits); i += sumBlock {
		x := logits[i:min(i+sumBlock, len(logits))]
		y := reference[i:][:len(x)]
		ep, eq := scratch[:len(x)], scratch[sumBlock:][:len(x)]
		isa.exp(ep, x, 1, p.max)
		isa.exp(eq, y, 1, q.max)
		for j := range x {
			pj, qj := float64(ep[j])/p.sum, float64(eq[j])/q.sum
			if pj == 0 {
				sum += qj
				continue
			}
			d := float64(y[j]) - float64(x[j]) - shift
			if d > -0.5 && d < 0.5 {
				// eᵈ − 1 − d by its series, since qj − pj − pj·d would be what rounding
				// leaves of small differences.
				sum += pj * d * d / 2 * (1 + d/3*(1+d/4*(1+d/5*(1+d/6*(1+d/7*(1+d/8*(1+d/9)))))))
			} else {
				sum += qj - pj - pj*d
			}
		}
	}
	return sum
}
