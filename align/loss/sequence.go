package loss

import "math"

// LogSoftmax returns log softmax(logits).
func LogSoftmax(logits []float64) []float64 {
	high := math.Inf(-1)
	for _, z := range logits {
		high = max(high, z)
	}
	sum := 0.0
	for _, z := range logits {
		sum += math.Exp(z - high)
	}
	out := make([]float64, len(logits))
	for i, z := range logits {
		out[i] = z - high - math.Log(sum)
	}
	return out
}

// AddLogitsGrad adds to grad the gradient with respect to the logits of a loss whose derivative
// with respect to log softmax(logits)[target] is d: d·(onehot − softmax).
func AddLogitsGrad(grad, logSoftmax []float64, target int, d float64) {
	for i, l := range logSoftmax {
		grad[i] -= d * math.Exp(l)
	}
	grad[target] += d
}

// Entropy returns −Σ p·log p, in nats, of a distribution given by its logarithms.
func Entropy(logSoftmax []float64) (h float64) {
	for _, l := range logSoftmax {
		h -= math.Exp(l) * l
	}
	return h
}

// NLL returns the loss of supervised fine-tuning: −Σ log p/tokens over the log-probabilities of
// answers' tokens. tokens is the number of such tokens in the whole batch, of which logProbs
// may be a part. It writes the gradient to grad, which may be nil.
func NLL(logProbs []float64, tokens int, grad []float64) (loss float64) {
	n := float64(tokens)
	for i, l := range logProbs {
		loss -= l / n
		if grad != nil {
			grad[i] = -1 / n
		}
	}
	return loss
}
