package kernel

import "math"

// AttentionStep is attention of one query row q[D], D = heads·headDim, on the
// first n cached rows of keys[n,D] and values[n,D]: a decoder's step, out[D].
func AttentionStep(out, q, keys, values []float32, n, heads, headDim int) {
	const f = "AttentionStep"
	size(f, "n", n)
	size(f, "heads", heads)
	size(f, "headDim", headDim)
	D := heads * headDim
	need(f, "out", len(out), D)
	need(f, "q", len(q), D)
	need(f, "keys", len(keys), n*D)
	need(f, "values", len(values), n*D)
	perPiece := 1
	if n*D < elementBlock { // not worth a second thread
		perPiece = max(1, heads)
	}
	run(&attentionStepSlot, attentionStepTask{best, out, q, keys, values, n, heads, headDim, perPiece}, blocks(heads, perPiece))
}

type attentionStepTask struct {
	level                       *level
	out, q, keys, values        []float32
	n, heads, headDim, perPiece int
}

var attentionStepSlot attentionStepTask

func (t *attentionStepTask) piece(w *worker, i int) {
	l, d, D := t.level, t.headDim, t.heads*t.headDim
	from, to := block(i, t.perPiece, t.heads)
	scale := float32(1 / math.Sqrt(float64(d)))
	p := w.floats(t.n)
	for h := from; h < to; h++ {
		out := t.out[h*d : h*d+d]
		clear(out)
		if t.n == 0 {
			continue
		}
		q := t.q[h*d : h*d+d]
		l.dots(p, q, t.keys[h*d:], D)
		sum := l.exp(p, p, scale, scale*l.max(p))
		for j := 0; j < t.n; j += streamUnroll {
			l.combine(out, p[j:min(j+streamUnroll, t.n)], t.values[j*D+h*d:], D)
		}
		l.scale(out, 1/sum)
	}
}
