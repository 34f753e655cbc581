package train

import (
	"math"

	G "gorgonia.org/gorgonia"

	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/model/kernel"
)

// Evaluation is how well a model predicts a text, or the labels of fine-tuning.
type Evaluation struct {
	Loss   float64 // mean over tokens (or examples), in nats
	Tokens int     // predicted tokens
	Bytes  int     // bytes of text that they stand for
	// Metric names what Score measures, more being better: what fine-tuning is judged
	// by. Empty: the loss is.
	Metric string
	Score  float64
}

// Cost is what the best checkpoint has the least of: the loss, or minus the score.
func (e Evaluation) Cost() float64 {
	if e.Metric != "" {
		return -e.Score
	}
	return e.Loss
}

// Perplexity is e to the loss.
func (e Evaluation) Perplexity() float64 { return math.Exp(e.Loss) }

// BitsPerByte doesn't depend on the tokenizer: what the whole text costs in
// bits, divided by its length.
func (e Evaluation) BitsPerByte() float64 {
	return e.Loss * float64(e.Tokens) / math.Ln2 / float64(e.Bytes)
}

// Evaluator measures a model on a token stream, without dropout. It holds one
// graph, used for every evaluation of a run.
type Evaluator struct {
	graph  *model.Graph
	logits *G.Node
	stream *data.Stream
	vocab  int
}

// EvalBatch is the number of sequences that an evaluation computes at once: some
// thousand tokens, enough for full speed.
func EvalBatch(c model.Config) int { return max(1, 1024/c.Context) }

// NewEvaluator builds the graph for windows of the model's context.
func NewEvaluator(m *model.Model, stream *data.Stream) (*Evaluator, error) {
	g := m.NewGraph(EvalBatch(m.Config), m.Config.Context, false)
	e := &Evaluator{graph: g, logits: g.Logits(), stream: stream, vocab: m.Config.VocabSize}
	return e, g.Compile(nil)
}

// Run measures the whole stream: each token is predicted once, from the start of
// its document if that fits into the context.
func (e *Evaluator) Run() (Evaluation, error) {
	var total Evaluation
	var nats float64
	for b := range e.stream.EvalBatches(e.graph.Batch, e.graph.Context) {
		copy(e.graph.Tokens, b.Inputs)
		if err := e.graph.Run(); err != nil {
			return total, err
		}
		sum, counted := kernel.CrossEntropy(nil, e.logits.Value().Data().([]float32), b.Targets, len(b.Targets), e.vocab)
		nats += sum
		total.Tokens += counted
	}
	total.Bytes = e.stream.Bytes
	total.Loss = nats / float64(max(total.Tokens, 1))
	return total, nil
}
