package baseline

import (
	"math"
	"math/rand/v2"

	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/finetune/linear"
	"tinygpt/finetune/ngram"
)

// FastText is fastText's classifier (Joulin et al. 2017): every n-gram has a vector, a row's
// vector is the mean of those of its n-grams, and a linear map computes scores from it. It is a
// linear model whose weights have a low rank, so that n-grams of similar meaning learn from each
// other. As in the paper, it is trained by stochastic gradient descent with a learning rate that
// falls linearly to 0; the development set chooses rate and epochs.
type FastText struct {
	features linear.Features
	outputs  int
	vectors  []float64 // [F, fastTextWidth]
	scores   []float64 // [fastTextWidth, outputs]
	bias     []float64 // [outputs]
	// Rate and Epochs are those that the development set has chosen.
	Rate   float64
	Epochs int
}

// fastTextWidth is the length of the vectors.
const fastTextWidth = 50

// The learning rates and numbers of epochs that TrainFastText tries.
var (
	fastTextRates  = []float64{0.1, 0.5, 2}
	fastTextEpochs = []int{5, 25}
)

// TrainFastText fits a model to the training examples, with a Setup of finetune.Load. The seed
// draws the first vectors and the order of the examples. A label that isn't one of the task's is
// an error.
func TrainFastText(s *finetune.Setup, train, dev []labelled.Example, seed uint64) (*FastText, error) {
	f := ngram.Learn(s.Kind(), train)
	p, err := s.Problem(f, train)
	if err != nil {
		return nil, err
	}
	var best *FastText
	score := math.Inf(-1)
	for _, epochs := range fastTextEpochs {
		for _, rate := range fastTextRates {
			a := newFastText(f, p.Outputs, seed)
			a.Rate, a.Epochs = rate, epochs
			a.fit(p, seed)
			e, err := s.Measure(dev, a)
			if err != nil {
				return nil, err
			}
			if best == nil || e.Score() > score {
				best, score = a, e.Score()
			}
		}
	}
	return best, nil
}

// newFastText returns a model with random vectors and scores of 0, as fastText has at first.
func newFastText(f linear.Features, outputs int, seed uint64) *FastText {
	a := &FastText{
		features: f, outputs: outputs, vectors: make([]float64, f.Size()*fastTextWidth),
		scores: make([]float64, fastTextWidth*outputs), bias: make([]float64, outputs),
	}
	random := rand.New(rand.NewPCG(seed, 0x766563746f7273))
	for i := range a.vectors {
		a.vectors[i] = (2*random.Float64() - 1) / fastTextWidth
	}
	return a
}

// Scores returns the scores of each of the example's rows; see finetune.Scorer.
func (a *FastText) Scores(e labelled.Example) (out [][]float64) {
	for _, r := range a.features.Rows(e) {
		scores := make([]float64, a.outputs)
		a.scoreRow(scores, r)
		out = append(out, scores)
	}
	return out
}

// mean computes a row's vector.
func (a *FastText) mean(vector []float64, r linear.Row) {
	clear(vector)
	for _, x := range r {
		for i, v := range a.vectors[x.Feature*fastTextWidth:][:fastTextWidth] {
			vector[i] += v / float64(len(r))
		}
	}
}

// scoreRow computes the scores of a row.
func (a *FastText) scoreRow(scores []float64, r linear.Row) {
	var vector [fastTextWidth]float64
	a.mean(vector[:], r)
	a.scoreVector(scores, vector[:])
}

// scoreVector computes the scores of a row's vector.
func (a *FastText) scoreVector(scores, vector []float64) {
	copy(scores, a.bias)
	for i, v := range vector {
		for j, w := range a.scores[i*len(scores):][:len(scores)] {
			scores[j] += v * w
		}
	}
}

// fit trains on all examples Epochs times.
func (a *FastText) fit(p *linear.Problem, seed uint64) {
	var starts []int // the first row of each example
	for i := 0; i < len(p.Rows); i += max(p.Targets[i].Group, 1) {
		starts = append(starts, i)
	}
	random := rand.New(rand.NewPCG(seed, 0x6f72646572))
	steps := float64(a.Epochs * len(starts))
	for epoch := range a.Epochs {
		for n, which := range random.Perm(len(starts)) {
			done := float64(epoch*len(starts) + n)
			a.step(p, starts[which], a.Rate*(1-done/steps))
		}
	}
}

// step makes the update of one example, which begins at row i.
func (a *FastText) step(p *linear.Problem, i int, rate float64) {
	t := p.Targets[i]
	rows := p.Rows[i : i+max(t.Group, 1)]
	k := a.outputs
	vectors, errs := make([]float64, len(rows)*fastTextWidth), make([]float64, len(rows)*k)
	for j, r := range rows {
		a.mean(vectors[j*fastTextWidth:][:fastTextWidth], r)
		a.scoreVector(errs[j*k:][:k], vectors[j*fastTextWidth:][:fastTextWidth])
	}
	// errs becomes the derivative of the loss with respect to the scores.
	if p.Grades {
		errs[0] -= t.Grade
	} else { // over the choices, which have one score each, or over the classes
		linear.Softmax(errs)
		errs[t.Class]--
	}
	gradient := make([]float64, fastTextWidth)
	for j, r := range rows {
		err, vector := errs[j*k:][:k], vectors[j*fastTextWidth:][:fastTextWidth]
		for d, v := range vector {
			gradient[d] = 0
			for o, e := range err {
				w := &a.scores[d*k+o]
				gradient[d] += *w * e
				*w -= rate * v * e
			}
		}
		for o, e := range err {
			a.bias[o] -= rate * e
		}
		for _, x := range r {
			for d, g := range gradient {
				a.vectors[x.Feature*fastTextWidth+d] -= rate * g / float64(len(r))
			}
		}
	}
}
