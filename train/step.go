package train

import (
	"cmp"
	"context"
	"errors"
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

// plan is what a trainer makes of its configuration before the first step.
type plan struct {
	phases []Phase
	// models are the parts of the model that the phases train, over one set of
	// parameters.
	models []*model.Model
	graphs []graph // one for each phase, or for each shape of a Bucketed objective
	phase  int     // the present one
	groups []Group // of the present phase
}

// trained returns the part of the model that is being trained.
func (p *plan) trained() *model.Model { return p.models[p.phase] }

// Step makes one update and returns its metrics: forward and backward pass of each
// micro-batch, Exchange, then clipping and the optimiser. It writes no file. If the loss
// or the gradient isn't finite, or anything else fails, it returns an error and the
// parameters are as before.
func (t *Trainer) Step(ctx context.Context) (Metrics, error) {
	if err := t.begin(); err != nil {
		return Metrics{}, err
	}
	c, step, start := t.Config, t.state.Step, time.Now()
	t.enter(step)
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
		GradNorm: t.plan.trained().GradNorm() / batches,
	}
	if !finite(m.Loss) || !finite(m.GradNorm) {
		return m, t.diverged(m.Step, fmt.Sprintf("loss %v, gradient norm %v, learning rate %.3g", m.Loss, m.GradNorm, m.LearningRate))
	}
	t.Optimiser.Update(t.plan.groups, Update{
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

// begin makes the plan before the first step, and builds its graphs. Only one graph runs
// at a time, so all share the memory of the largest.
func (t *Trainer) begin() error {
	if t.plan != nil {
		return nil
	}
	t.optimiser()
	p := &plan{phases: t.Config.Phases(t.Model.Config), phase: -1}
	b, bucketed := t.Objective.(Bucketed)
	if bucketed && len(t.Config.Stages) > 0 {
		return errors.New("train.stages is set: this training has shapes of its own, and no stages")
	}
	for _, phase := range p.phases {
		m := t.Model
		if phase.Layers < m.Config.Layers {
			m = m.FirstLayers(phase.Layers)
		}
		p.models = append(p.models, m)
		if !bucketed {
			p.graphs = append(p.graphs, graph{Graph: m.NewGraph(phase.Batch, phase.Context, true)})
		}
	}
	if bucketed {
		for _, s := range b.Shapes() {
			p.graphs = append(p.graphs, graph{Graph: t.Model.NewGraph(s.Batch, s.Context, true)})
		}
	}
	for i := range p.graphs {
		p.graphs[i].loss = t.Objective.Build(p.graphs[i].Graph)
	}
	arena := &op.Arena{}
	largestFirst := slices.Clone(p.graphs)
	slices.SortStableFunc(largestFirst, func(a, b graph) int { return cmp.Compare(len(b.Tokens), len(a.Tokens)) })
	for _, g := range largestFirst {
		g.Share(arena)
		if err := g.Compile(g.loss); err != nil {
			return err
		}
	}
	if t.state.Step == 0 {
		t.Model.SilenceLayers(p.phases[0].Layers)
	}
	t.plan = p
	return nil
}

// enter makes the phase of a step the present one. A resumed run whose number of steps was
// changed doesn't go back to an earlier phase.
func (t *Trainer) enter(step int) {
	p := t.plan
	for next := len(t.state.Stages); next+1 < len(p.phases) && step >= p.phases[next+1].First; next++ {
		t.state.Stages = append(t.state.Stages, step)
		if p.phases[next+1].Context > p.phases[next].Context {
			t.state.BestStep = 0 // evaluations on a longer context are of another kind
		}
	}
	if phase := min(len(t.state.Stages), len(p.phases)-1); p.phase != phase {
		p.phase = phase
		p.groups = t.Config.Groups(p.trained().Parameters, t.firstUpdate)
	}
}

// firstUpdate returns the number of the update that a parameter is first part of: that of
// the first phase which has its layer.
func (t *Trainer) firstUpdate(p *model.Parameter) int {
	layer, inLayer := model.LayerOf(p.Name)
	first := 0
	for i, phase := range t.plan.phases[:t.plan.phase] {
		if inLayer && layer >= phase.Layers {
			first = t.state.Stages[i]
		}
	}
	return first
}

// Context returns the length of the sequences that the model is trained on at present: the
// model's, or less in a stage with a shorter one.
func (t *Trainer) Context() int { return t.Config.ContextAt(t.Model.Config, t.state) }

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
	t.sum = Sum{Parameters: t.plan.trained().Parameters}
	for micro := range t.Config.GradientAccumulationSteps {
		g := t.plan.graphs[t.plan.phase]
		if b, ok := t.Objective.(Bucketed); ok {
			g = t.plan.graphs[b.Bucket(step, micro)]
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
