package train

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"

	"tinygpt/data"
	"tinygpt/model"
)

// Evaluation is how well a model predicts a text, or the labels of fine-tuning.
type Evaluation struct {
	Loss   float64 // mean over predicted tokens (or examples), in nats
	Tokens int     // predicted tokens
	Bytes  int     // bytes of text that they stand for
	// Metric names what Score measures, more being better: what fine-tuning is judged
	// by. Empty: the loss is.
	Metric string
	Score  float64
}

// betterThan says whether the evaluation is better than the best one of s so far: by the
// score, and by the loss where there is none or scores are the same. That happens: a
// hundred examples have a hundred accuracies, and Matthews' coefficient is 0 until a
// second class is predicted.
func (e Evaluation) betterThan(s State) bool {
	if s.BestStep == 0 {
		return true
	}
	if e.Metric != "" && e.Score != s.BestScore {
		return e.Score > s.BestScore
	}
	return e.Loss < s.BestLoss
}

// Perplexity is e to the loss.
func (e Evaluation) Perplexity() float64 { return math.Exp(e.Loss) }

// BitsPerByte doesn't depend on the tokenizer: what the whole text costs in
// bits, divided by its length.
func (e Evaluation) BitsPerByte() float64 {
	return e.Loss * float64(e.Tokens) / math.Ln2 / float64(e.Bytes)
}

// Evaluator measures a model on a token stream. It holds the memory for that, used
// for every evaluation of a run.
type Evaluator struct {
	// Windows are those in which the text is read: DocumentWindows unless changed.
	Windows iter.Seq[data.Window]
	// Bytes is the length of what Windows predict: the whole text's unless changed.
	Bytes int
	// Progress, unless nil, is told now and then how many tokens are predicted.
	Progress func(tokens int)

	stream  *data.Stream
	decoder *model.Decoder
	windows []data.Window // that are measured together
	inputs  []model.Input
	probs   []float32
}

const (
	evalRows    = 1024 // tokens that are read at once: enough for full speed
	evalWindows = 16   // windows at most
)

// NewEvaluator returns an evaluator of a model with these weights.
func NewEvaluator(w *model.Weights, stream *data.Stream) *Evaluator {
	return &Evaluator{
		Windows: stream.DocumentWindows(w.Config().Context), Bytes: stream.Bytes,
		stream: stream, decoder: w.NewDecoder(evalWindows),
	}
}

// EvaluationBytes is about the memory of an Evaluator.
func EvaluationBytes(c model.Config) int64 {
	return c.DecoderBytes(evalWindows, max(evalRows, c.Context))
}

// Run measures the whole stream. It stops with the context's error if that ends.
func (e *Evaluator) Run(ctx context.Context) (Evaluation, error) {
	total := Evaluation{Bytes: e.Bytes}
	nats, rows := 0.0, 0
	measure := func() error {
		sum, tokens, err := e.measure()
		nats += sum
		total.Tokens += tokens
		if e.Progress != nil {
			e.Progress(total.Tokens)
		}
		e.windows, rows = e.windows[:0], 0
		return errors.Join(err, ctx.Err())
	}
	for w := range e.Windows {
		if w.From == w.End {
			continue
		}
		if n := w.End - w.Begin; len(e.windows) == evalWindows || len(e.windows) > 0 && rows+n > evalRows {
			if err := measure(); err != nil {
				return total, err
			}
		}
		e.windows = append(e.windows, w)
		rows += w.End - w.Begin
	}
	if err := measure(); err != nil {
		return total, err
	}
	total.Loss = nats / float64(max(total.Tokens, 1))
	return total, nil
}

// measure returns what the windows' predicted tokens cost, in nats, and their number.
func (e *Evaluator) measure() (nats float64, tokens int, err error) {
	// Longer ones first, so that the memory of most sequences stays small.
	slices.SortFunc(e.windows, func(v, w data.Window) int { return (w.End - w.Begin) - (v.End - v.Begin) })
	e.inputs = e.inputs[:0]
	for _, w := range e.windows {
		tokens += w.End - w.From
	}
	e.probs = slices.Grow(e.probs[:0], tokens)[:tokens]
	at := 0
	for i, w := range e.windows {
		// The last token is predicted and not read.
		n := w.End - 1 - w.From
		e.decoder.Reset(i)
		e.inputs = append(e.inputs, model.Input{Sequence: i, Tokens: e.stream.Tokens[w.Begin : w.End-1], LogProbs: e.probs[at : at+n]})
		at += n
	}
	if err := e.decoder.Append(e.inputs); err != nil {
		return 0, 0, err
	}
	for _, p := range e.probs[:at] {
		nats -= float64(p)
	}
	for i, w := range e.windows {
		nats -= float64(e.decoder.LogProb(i, e.stream.Tokens[w.End-1]))
	}
	return nats, tokens, nil
}
