package model

import "tinygpt/model/kernel"

// predictions is the working memory of what follows the last layer.
type predictions struct {
	ends    []int     // sequences that a pass has read to their end
	logits  []float32 // [rows, V]
	scores  []score
	targets []int32
	losses  []float32
}

// score is a log-probability that is asked for: that of token, which row predicts, is
// written to to.
type score struct {
	row   int
	token int32
	to    *float32
}

// scoreFloats is how many logits are computed at a time if they are only needed for
// log-probabilities: with GPT-2's vocabulary some hundred rows.
const scoreFloats = 8 << 20

// predict applies the output head to the rows whose predictions are wanted: the
// last of each sequence, and those before tokens whose probability is asked for.
func (d *Decoder) predict() {
	p, c := &d.pass, d.weights.config
	p.ends, p.scores = p.ends[:0], p.scores[:0]
	for _, s := range d.spans {
		tokens := d.sequences[s.sequence].tokens
		if s.to == len(tokens) {
			d.gather(len(p.ends), s.row+s.to-s.from-1)
			p.ends = append(p.ends, s.sequence)
			d.sequences[s.sequence].predicted = len(tokens)
		}
		// The span predicts the tokens at positions from+1 to to; those from first on are
		// asked for.
		first := len(tokens) - len(s.logProbs)
		for at := max(first, s.from+1); at <= min(s.to, len(tokens)-1); at++ {
			p.scores = append(p.scores, score{s.row + at - 1 - s.from, tokens[at], &s.logProbs[at-first]})
		}
	}
	d.next()
	block := min(max(scoreFloats/c.VocabSize, 1), len(d.pass.mean))
	for from := 0; from < len(p.scores); from += block {
		d.score(p.scores[from:min(from+block, len(p.scores))])
	}
}

// gather copies a row of x to row i of y.
func (d *Decoder) gather(i, row int) {
	w := d.weights.config.Width
	copy(d.pass.y[i*w:(i+1)*w], d.pass.x[row*w:])
}

// next computes the logits of the sequences that were read to their end.
func (d *Decoder) next() {
	p, v := &d.pass, d.weights.config.VocabSize
	m := len(p.ends)
	if m == 0 {
		return
	}
	if first := p.ends[0]; p.consecutive() {
		d.project(d.logits[first*v:(first+m)*v], m)
		return
	}
	resize(&p.logits, m*v)
	d.project(p.logits, m)
	for i, sequence := range p.ends {
		copy(d.Logits(sequence), p.logits[i*v:])
	}
}

// consecutive says whether the logits of ends lie one after another.
func (p *predictions) consecutive() bool {
	for i, sequence := range p.ends {
		if sequence != p.ends[0]+i {
			return false
		}
	}
	return true
}

// score computes log-probabilities.
func (d *Decoder) score(scores []score) {
	p, v, n := &d.pass, d.weights.config.VocabSize, len(scores)
	resize(&p.logits, n*v)
	resize(&p.targets, n)
	resize(&p.losses, n)
	for i, s := range scores {
		d.gather(i, s.row)
		p.targets[i] = s.token
	}
	d.project(p.logits, n)
	kernel.CrossEntropy(p.losses, p.logits, p.targets, n, v)
	for i, s := range scores {
		*s.to = -p.losses[i]
	}
}

// logProb is the log-probability of a token, given all logits.
func (p *predictions) logProb(logits []float32, token int32) float32 {
	resize(&p.targets, 1)
	p.targets[0] = token
	loss, _ := kernel.CrossEntropy(nil, logits, p.targets, 1, len(logits))
	return float32(-loss)
}

// project computes logits[n,V] from the first n rows of y, hidden states after the last
// layer.
func (d *Decoder) project(logits []float32, n int) {
	d.weights.project(logits, d.pass.y, d.pass.mean, d.pass.rstd, n)
}

// project computes logits[n,V] from hidden states y[n,D], which it overwrites; mean and rstd
// [n] are working memory.
func (w *Weights) project(logits, y, mean, rstd []float32, n int) {
	if w.config.Arch == GPT2 {
		w.norm(y, y, w.last, mean, rstd, n)
	}
	w.head.apply(logits, y, n)
}
