package train

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"tinygpt/data"
	"tinygpt/model"
)

// Evaluation says how well a model predicts a text, or the labels of a fine-tuning.
type Evaluation struct {
	Loss   float64 // mean over predicted tokens (or examples), in nats
	Tokens int     // predicted tokens
	Bytes  int     // length of the text that the predicted tokens spell
	// Metric names what Score measures; a higher score is better. Fine-tuning is judged by
	// it. Empty: evaluations are judged by the loss.
	Metric string
	Score  float64
}

// betterThan says whether the evaluation is better than the best one of s so far: by the
// score, or by the loss if there is no score or both scores are equal. Equal scores are
// common: a hundred examples allow only a hundred accuracies, and Matthews' coefficient is
// 0 until a second class is predicted.
func (e Evaluation) betterThan(s State) bool {
	if s.BestStep == 0 {
		return true
	}
	if e.Metric != "" && e.Score != s.BestScore {
		return e.Score > s.BestScore
	}
	return e.Loss < s.BestLoss
}

// Perplexity returns e to the power of the loss.
func (e Evaluation) Perplexity() float64 { return math.Exp(e.Loss) }

// BitsPerByte returns the cost of the whole text in bits, divided by its length in bytes.
// It can be compared between tokenizers, because it doesn't depend on how the text is cut.
func (e Evaluation) BitsPerByte() float64 {
	return e.Loss * float64(e.Tokens) / math.Ln2 / float64(e.Bytes)
}

// Evaluator measures a model on a token stream. It keeps its memory from one evaluation to
// the next.
type Evaluator struct {
	// Windows cut the text into pieces that the model reads: the stream's DocumentWindows
	// unless changed.
	Windows iter.Seq[data.Window]
	// Bytes is the length of the text that is predicted: the whole text's unless changed.
	Bytes int
	// Progress, unless nil, is called now and then with the number of tokens predicted so
	// far.
	Progress func(tokens int)
	// Peers, unless nil, share the work. All have the same stream and weights.
	Peers Peers

	stream  *data.Stream
	decoder *model.Decoder
	windows []data.Window // read together in one pass
	inputs  []model.Input
	probs   []float32
}

const (
	evalRows    = 1024 // maximum number of tokens in one pass: enough for full speed
	evalWindows = 16   // maximum number of windows in one pass
)

// NewEvaluator returns an evaluator of a model with these weights.
func NewEvaluator(w *model.Weights, stream *data.Stream) *Evaluator {
	return &Evaluator{
		Windows: stream.DocumentWindows(w.Config().Context), Bytes: stream.Bytes,
		stream: stream, decoder: w.NewDecoder(evalWindows),
	}
}

// EvaluationBytes estimates the memory of an Evaluator of a model with configuration c.
func EvaluationBytes(c model.Config) int64 {
	return c.DecoderBytes(evalWindows, max(evalRows, c.Context))
}

// Run measures the whole stream. If ctx ends it returns the context's error.
func (e *Evaluator) Run(ctx context.Context) (Evaluation, error) {
	total := Evaluation{Bytes: e.Bytes}
	var sums []float64 // of the windows that are read together
	rows := 0
	measure := func() error {
		var sum float64
		var err error
		tokens := e.tokens()
		if e.Peers == nil || len(sums)%e.Peers.Size() == e.Peers.Rank() {
			sum, err = e.measure(tokens)
		}
		sums = append(sums, sum)
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
	if e.Peers != nil {
		if err := e.Peers.Sum(sums); err != nil {
			return total, err
		}
	}
	nats := 0.0
	for _, s := range sums {
		nats += s
	}
	if total.Tokens == 0 || total.Bytes <= 0 {
		return total, fmt.Errorf("nothing to predict in a text of %d tokens, read in these windows: expected two tokens or more in one of them", len(e.stream.Tokens))
	}
	total.Loss = nats / float64(total.Tokens)
	return total, nil
}

// tokens is the number of tokens that are predicted in e.windows.
func (e *Evaluator) tokens() (n int) {
	for _, w := range e.windows {
		n += w.End - w.From
	}
	return n
}

// measure reads e.windows and returns the sum of the losses of the predicted tokens, in
// nats.
func (e *Evaluator) measure(tokens int) (nats float64, err error) {
	// Longest first: sequence i of the decoder keeps the size of its longest window, so
	// most sequences stay small.
	slices.SortFunc(e.windows, func(v, w data.Window) int { return (w.End - w.Begin) - (v.End - v.Begin) })
	e.inputs = e.inputs[:0]
	e.probs = slices.Grow(e.probs[:0], tokens)[:tokens]
	at := 0
	for i, w := range e.windows {
		// The last token is only predicted: nothing follows it.
		n := w.End - 1 - w.From
		e.decoder.Reset(i)
		e.inputs = append(e.inputs, model.Input{Sequence: i, Tokens: e.stream.Tokens[w.Begin : w.End-1], LogProbs: e.probs[at : at+n]})
		at += n
	}
	if err := e.decoder.Append(e.inputs); err != nil {
		return 0, err
	}
	for _, p := range e.probs[:at] {
		nats -= float64(p)
	}
	for i, w := range e.windows {
		nats -= float64(e.decoder.LogProb(i, e.stream.Tokens[w.End-1]))
	}
	return nats, nil
}
