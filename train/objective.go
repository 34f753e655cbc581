package train

import (
	"context"

	G "gorgonia.org/gorgonia"

	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/model/safetensors"
)

// Objective is a loss over the model's hidden states, and the batches that it is
// computed on.
//
// The rule for resuming: an objective's data at update number step may depend on step,
// micro and the seed, on the model's weights as they are when it is called, and on the
// tensors of its State. Everything else must be the same in a new process. Then a
// resumed run ends with the same bits as one that was never stopped. Supervised
// objectives need none of the optional interfaces below: their batches are functions of
// step and micro. In reinforcement learning, Prepare samples roll-outs from the present
// weights, with random numbers drawn from seed and step; if several updates use the
// same roll-outs, State holds them, because a run that is resumed between those updates
// no longer has the weights that wrote them.
type Objective interface {
	// Build adds the inputs that the loss needs to the graph and returns the scalar
	// loss. It is called once for each shape of batch.
	Build(g *model.Graph) *G.Node
	// Fill writes the batch of the given step and micro-batch, both counted from 0, into
	// a graph that Build saw. After an error the update isn't made.
	Fill(g *model.Graph, step, micro int) error
}

// Bucketed is an Objective whose batches have several shapes, of its own choice. The
// Trainer builds a graph for each, over the same parameters. Its training has no stages.
type Bucketed interface {
	Objective
	Shapes() []Shape
	// Bucket returns which of the shapes a batch has.
	Bucket(step, micro int) int
}

// Preparer is an Objective with work to do before an update, such as roll-outs.
type Preparer interface {
	Objective
	// Prepare is called once before the first Fill of a step. It may read the weights
	// but not change them. When ctx ends it returns the context's error; the update
	// isn't made then, and after a resume Prepare is called again for the same step.
	Prepare(ctx context.Context, step int) error
}

// Stateful is an Objective that keeps data from one update to the next.
type Stateful interface {
	Objective
	// State returns named tensors over the objective's own memory, always the same
	// names and shapes. A checkpoint writes them, and a resumed run reads them back
	// into that memory.
	State() []safetensors.Tensor
}

// Valued is an Objective with measures of its own, such as rewards.
type Valued interface {
	Objective
	// Values returns what is logged of the update that was just made, by name; see
	// Metrics.Values. Nil: nothing. It is not called when several processes share the training,
	// of which each knows its own batches.
	Values(step int) map[string]float64
}

// Shape is the shape of a batch: Batch sequences of Context tokens.
type Shape struct{ Batch, Context int }

// LanguageModel is next-token prediction: the mean cross-entropy of each token
// given those before it (Radford et al. 2018, equation 1). Its batches are windows of
// Text, in any shape.
type LanguageModel struct {
	Text  *data.Stream
	Order data.Order // where windows begin
	Seed  uint64
	// Accumulation is the number of micro-batches of an update.
	Accumulation int

	inputs   map[*model.Graph]windows
	samplers map[Shape]*data.Sampler
}

// windows is where a graph's batches come from, and the memory of its targets [B·T].
type windows struct {
	sampler *data.Sampler
	targets []int32
}

// Build adds the output head and the targets.
func (l *LanguageModel) Build(g *model.Graph) *G.Node {
	if l.inputs == nil {
		l.inputs, l.samplers = map[*model.Graph]windows{}, map[Shape]*data.Sampler{}
	}
	shape := Shape{g.Batch, g.Context}
	if l.samplers[shape] == nil {
		l.samplers[shape] = data.NewSampler(l.Text, l.Order, l.Seed, g.Batch, l.Accumulation, g.Context)
	}
	node, targets := g.Indices("targets", g.Batch*g.Context)
	l.inputs[g] = windows{l.samplers[shape], targets}
	return g.CrossEntropy(g.Logits(), node)
}

// Fill copies windows of the text into the graph.
func (l *LanguageModel) Fill(g *model.Graph, step, micro int) error {
	in := l.inputs[g]
	in.sampler.Batch(step, micro, g.Tokens, in.targets)
	return nil
}
