package train

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	G "gorgonia.org/gorgonia"

	"tinygpt/model"
	"tinygpt/model/op"
)

// Sum is what the batches of one update add up to, between backward pass and update.
type Sum struct {
	// Parameters are those being trained; their Grad holds the sum of the gradients of
	// all batches.
	Parameters []*model.Parameter
	Loss       float64 // sum of the batches' losses
	Batches    int
	Tokens     int // read by the model, padding included
}

// graph computes the loss of one shape of batch.
type graph struct {
	*model.Graph
	loss *G.Node
}

// Step makes one update and returns its metrics: forward and backward pass of each
// micro-batch, Exchange, then clipping and the optimiser. It writes no file. If the loss
// or the gradient isn't finite, or anything else fails, it returns an error and the
// parameters are as before.
func (t *Trainer) Step(ctx context.Context) (Metrics, error) {
	if err := t.begin(); err != nil {
		return Metrics{}, err
	}
	c, step, start := t.Config, t.state.Step, time.Now()
	if o, ok := t.Objective.(Preparer); ok {
		if err := o.Prepare(ctx, step); err != nil {
			return Metrics{}, err
		}
	}
	if err := t.backward(step); err != nil {
		return Metrics{}, err
	}
	if t.Exchange != nil {
		if err := t.Exchange(&t.sum); err != nil {
			return Metrics{}, err
		}
	}
	batches := float64(t.sum.Batches)
	m := Metrics{
		Step: step + 1, Loss: t.sum.Loss / batches, LearningRate: c.LearningRateAt(step),
		GradNorm: t.Model.GradNorm() / batches,
	}
	if !finite(m.Loss) || !finite(m.GradNorm) {
		return m, t.diverged(m.Step, fmt.Sprintf("loss %v, gradient norm %v, learning rate %.3g", m.Loss, m.GradNorm, m.LearningRate))
	}
	t.Optimiser.Update(t.groups, Update{
		Step: step, LearningRate: m.LearningRate, GradScale: ClipScale(m.GradNorm, c.GradClip) / batches,
	})
	t.state.Step++
	if o, ok := t.Objective.(Valued); ok {
		m.Values = o.Values(step)
	}
	took := time.Since(start)
	t.state.Elapsed += took
	m.TokensPerSec, m.Elapsed = float64(t.sum.Tokens)/took.Seconds(), t.state.Elapsed.Seconds()
	return m, nil
}

// begin builds, before the first step, the graphs of the objective and what else a step
// needs. Only one graph runs at a time, so all share the memory of the largest.
func (t *Trainer) begin() error {
	if t.graphs != nil {
		return nil
	}
	t.optimiser()
	t.groups = t.Config.Groups(t.Model.Parameters)
	shapes := []Shape{{t.Config.BatchSize, t.Model.Config.Context}}
	if b, ok := t.Objective.(Bucketed); ok {
		shapes = b.Shapes()
	}
	var graphs []graph
	for _, s := range shapes {
		g := graph{Graph: t.Model.NewGraph(s.Batch, s.Context, true)}
		g.loss = t.Objective.Build(g.Graph)
		graphs = append(graphs, g)
	}
	arena := &op.Arena{}
	largestFirst := slices.Clone(graphs)
	slices.SortStableFunc(largestFirst, func(a, b graph) int { return cmp.Compare(len(b.Tokens), len(a.Tokens)) })
	for _, g := range largestFirst {
		g.Share(arena)
		if err := g.Compile(g.loss); err != nil {
			return err
		}
	}
	t.graphs = graphs
	return nil
}

// optimiser returns the optimiser, AdamW unless another one was set.
func (t *Trainer) optimiser() Optimiser {
	if t.Optimiser == nil {
		t.Optimiser = NewAdamW(t.Config)
	}
	return t.Optimiser
}

// backward computes the losses and gradients of all micro-batches of a step into t.sum.
func (t *Trainer) backward(step int) error {
	t.Model.ZeroGrad()
	t.sum = Sum{Parameters: t.Model.Parameters}
	for micro := range t.Config.GradientAccumulationSteps {
		g := t.graphs[0]
		if b, ok := t.Objective.(Bucketed); ok {
			g = t.graphs[b.Bucket(step, micro)]
		}
		if err := t.Objective.Fill(g.Graph, step, micro); err != nil {
			return err
		}
		g.SetDropoutSeed(dropoutSeed(t.Config.Seed, step, micro))
		if err := g.Run(); err != nil {
			return err
		}
		t.sum.Loss += float64(g.loss.Value().Data().(float32))
		t.sum.Batches++
		t.sum.Tokens += len(g.Tokens)
	}
	return nil
}

// dropoutSeed gives each micro-batch masks of its own. The multipliers are odd
// constants that spread small numbers over 64 bits.
func dropoutSeed(seed uint64, step, micro int) uint64 {
	return seed*0x9e3779b97f4a7c15 ^ (uint64(step)<<20+uint64(micro))*0xd1342543de82ef95
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// diverged returns the error for a NaN or an infinity: the step, the first tensor that
// holds one, the usual causes, and whether there is a good checkpoint.
func (t *Trainer) diverged(step int, found string) error {
	where := t.Model.NonFinite()
	if where == "" {
		where = "the loss alone"
	}
	saved := "nothing was saved yet"
	if _, err := os.Stat(filepath.Join(t.Dir, LastCheckpoint)); t.Dir != "" && err == nil {
		saved = "the last checkpoint in " + t.Dir + " is from before and can be used"
	}
	return fmt.Errorf("step %d: %s; first bad value: %s. Usual causes: learning_rate too high, warmup_steps too few, grad_clip 0, or damaged weights; %s",
		step, found, where, saved)
}
