package kernel

import "math"

// A linear-chain conditional random field (Lafferty et al. 2001) gives a sequence of tags
// y of a sentence of n tokens the score
//
//	Σ_i scores[i, y_i] + start[y_0] + Σ_i transitions[y_i-1, y_i] + end[y_n-1],
//
// and a probability in proportion to its exponential. chain is [T+2, T]: the transitions
// from each of T tags, then start, then end. Sums are taken in float64, one sentence after
// another: there are few tags.

// CRF returns −log p(tags), in nats, of one sentence: scores [n, T], tags [n].
func CRF(scores, chain []float32, tags []int32, T int) float64 {
	return newLattice(scores, chain, len(tags), T).loss(tags)
}

// CRFGrad adds scale times the gradient of CRF by scores and chain to dscores and dchain,
// each of which may be nil, and returns CRF.
func CRFGrad(dscores, dchain, scores, chain []float32, tags []int32, T int, scale float64) float64 {
	l := newLattice(scores, chain, len(tags), T)
	l.gradients(dscores, dchain, tags, scale)
	return l.loss(tags)
}

// Viterbi writes the most probable tags [n] of a sentence, among equals the first ones.
func Viterbi(tags []int32, scores, chain []float32, T int) {
	n := len(tags)
	if n == 0 {
		return
	}
	need("Viterbi", "scores", len(scores), n*T)
	need("Viterbi", "chain", len(chain), (T+2)*T)
	best, from := make([]float64, n*T), make([]int32, n*T)
	for t := range T {
		best[t] = float64(chain[T*T+t]) + float64(scores[t])
	}
	for i := 1; i < n; i++ {
		for t := range T {
			most := math.Inf(-1)
			for s := range T {
				if x := best[(i-1)*T+s] + float64(chain[s*T+t]); x > most {
					most, from[i*T+t] = x, int32(s)
				}
			}
			best[i*T+t] = most + float64(scores[i*T+t])
		}
	}
	most := math.Inf(-1)
	for t := range T {
		if x := best[(n-1)*T+t] + float64(chain[(T+1)*T+t]); x > most {
			most, tags[n-1] = x, int32(t)
		}
	}
	for i := n - 1; i > 0; i-- {
		tags[i-1] = from[i*T+int(tags[i])]
	}
}

// lattice holds the logarithms of sums over tag sequences of a sentence: forward [n, T] over
// those from the start to tag t of token i, with the token's own score, and backward [n, T]
// over those from there to the end, without it.
type lattice struct {
	n, T              int
	scores, chain     []float32
	forward, backward []float64 // [n, T]
	total             float64   // log of the sum over all sequences
}

func newLattice(scores, chain []float32, n, T int) *lattice {
	need("CRF", "scores", len(scores), n*T)
	need("CRF", "chain", len(chain), (T+2)*T)
	l := &lattice{n: n, T: T, scores: scores, chain: chain, forward: make([]float64, n*T), backward: make([]float64, n*T)}
	if n == 0 {
		return l
	}
	terms := make([]float64, T)
	for t := range T {
		l.forward[t] = float64(chain[T*T+t]) + float64(scores[t])
		l.backward[(n-1)*T+t] = float64(chain[(T+1)*T+t])
	}
	for i := 1; i < n; i++ {
		for t := range T {
			for s := range T {
				terms[s] = l.forward[(i-1)*T+s] + float64(chain[s*T+t])
			}
			l.forward[i*T+t] = logSum(terms) + float64(scores[i*T+t])
		}
	}
	for i := n - 2; i >= 0; i-- {
		for s := range T {
			for t := range T {
				terms[t] = float64(chain[s*T+t]) + float64(scores[(i+1)*T+t]) + l.backward[(i+1)*T+t]
			}
			l.backward[i*T+s] = logSum(terms)
		}
	}
	for t := range T {
		terms[t] = l.forward[(n-1)*T+t] + l.backward[(n-1)*T+t]
	}
	l.total = logSum(terms)
	return l
}

// logSum returns log Σ e^x.
func logSum(x []float64) float64 {
	most := math.Inf(-1)
	for _, v := range x {
		most = max(most, v)
	}
	if math.IsInf(most, -1) {
		return most
	}
	var sum float64
	for _, v := range x {
		sum += math.Exp(v - most)
	}
	return most + math.Log(sum)
}

func (l *lattice) loss(tags []int32) float64 {
	if l.n == 0 {
		return 0
	}
	T := l.T
	score := float64(l.chain[T*T+int(tags[0])]) + float64(l.chain[(T+1)*T+int(tags[l.n-1])])
	for i, t := range tags {
		score += float64(l.scores[i*T+int(t)])
		if i > 0 {
			score += float64(l.chain[int(tags[i-1])*T+int(t)])
		}
	}
	return l.total - score
}

// gradients adds the gradients: the expected number of each tag at each token, and of each
// transition, minus the number in the sentence.
func (l *lattice) gradients(dscores, dchain []float32, tags []int32, scale float64) {
	T := l.T
	for i := range l.n {
		for t := range T {
			p := math.Exp(l.forward[i*T+t] + l.backward[i*T+t] - l.total)
			if int(tags[i]) == t {
				p--
			}
			if dscores != nil {
				dscores[i*T+t] += float32(scale * p)
			}
			if dchain == nil {
				continue
			}
			if i == 0 {
				dchain[T*T+t] += float32(scale * p)
			}
			if i == l.n-1 {
				dchain[(T+1)*T+t] += float32(scale * p)
				continue
			}
			for u := range T {
				q := math.Exp(l.forward[i*T+t] + float64(l.chain[t*T+u]) + float64(l.scores[(i+1)*T+u]) + l.backward[(i+1)*T+u] - l.total)
				if int(tags[i]) == t && int(tags[i+1]) == u {
					q--
				}
				dchain[t*T+u] += float32(scale * q)
			}
		}
	}
}
