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

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/internal/interrupt"
	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/op"
)

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
// micro-batch, then clipping and the optimiser. With Peers each process computes some of the
// batches; gradients are added up between backward pass and update. It writes no file. If
// the loss or the gradient isn't finite, or anything else fails, it returns an error and the
// parameters are as before; only if Peers fail to send each other updated parameters, some are
// updated and some not. A batch that Config.OnSpike leaves out changes no parameter either, but
// is a step.
func (t *Trainer) Step(ctx context.Context) (Metrics, error) {
	if err := t.begin(); err != nil {
		return Metrics{}, err
	}
	c, step, start := t.Config, t.state.Step, interrupt.Now()
	t.enter(step)
	if o, ok := t.Objective.(Preparer); ok {
		if err := o.Prepare(ctx, step); err != nil {
			return Metrics{}, err
		}
	}
	tokens, err := t.backward(step)
	if err != nil {
		return Metrics{}, err
	}
	norm, err := t.gradientNorm(ctx)
	if err != nil {
		return Metrics{}, err
	}
	batches := float64(c.GradientAccumulationSteps)
	m := Metrics{Step: step + 1, LearningRate: c.LearningRateAt(step), GradNorm: norm / batches}
	for _, loss := range t.losses {
		m.Loss += loss
	}
	m.Loss /= batches
	if !finite(m.Loss) || !finite(m.GradNorm) {
		return m, t.diverged(m.Step, fmt.Sprintf("loss %v, gradient norm %v, learning rate %.3g", m.Loss, m.GradNorm, m.LearningRate))
	}
	skip := c.OnSpike == Skip && t.state.Spikes.note(m.Loss, m.GradNorm)
	if skip {
		m.Skipped = t.state.Spikes.Skipped
	}
	u := Update{Step: step, LearningRate: m.LearningRate, GradScale: ClipScale(m.GradNorm, c.GradClip) / batches}
	switch {
	case skip: // on all processes: they have the same losses and norm
	case t.sharing == nil:
		t.Optimiser.Update(t.plan.groups, u)
	default:
		if err := t.sharing.update(u); err != nil {
			return m, err
		}
	}
	t.state.Step++
	if o, ok := t.Objective.(Valued); ok && t.sharing == nil { // of several processes each knows its part
		m.Values = o.Values(step)
	}
	took := interrupt.Now().Sub(start)
	t.state.Elapsed += took
	m.TokensPerSec, m.Elapsed = float64(tokens)/took.Seconds(), t.state.Elapsed.Seconds()
	if t.sharing != nil {
		m.Waiting = t.sharing.waited.Seconds() / took.Seconds()
	}
	return m, nil
}

// begin makes the plan before the first step, and builds its graphs. Only one graph runs
// at a time, so all share the memory of the largest.
func (t *Trainer) begin() error {
	if t.plan != nil {
		return nil
	}
	t.optimiser()
	t.tree.parts = t.Config.parts()
	if t.Peers != nil {
		var err error
		if t.sharing, err = t.newSharing(); err != nil {
			return err
		}
		t.tree.parts /= t.Peers.Size()
		t.taken = map[*tensor.Dense]bool{}
	}
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
		if t.sharing != nil {
			t.sharing.enter(phase, p.trained(), t.Model.Parameters, p.groups)
		}
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

// optimiser returns the optimiser: that of the configuration unless another one was set.
func (t *Trainer) optimiser() Optimiser {
	if t.Optimiser == nil {
		t.Optimiser = NewOptimiser(t.Config)
	}
	return t.Optimiser
}

// backward computes the losses and gradients of a step, of all micro-batches or of those
// that are this process'. It returns how many tokens the models of all processes read,
// padding included.
func (t *Trainer) backward(step int) (tokens int, err error) {
	each := t.Config.GradientAccumulationSteps / t.Config.parts() // micro-batches of a part
	first := 0
	if t.sharing != nil {
		first = t.Peers.Rank() * t.tree.parts * each
		t.sharing.begin()
	}
	t.losses = append(t.losses[:0], make([]float64, t.Config.GradientAccumulationSteps)...)
	for micro := range t.losses {
		tokens += len(t.graph(step, micro).Tokens)
	}
	for part := range t.tree.parts {
		t.Model.ZeroGrad()
		for i := range each {
			micro := first + part*each + i
			g := t.graph(step, micro)
			if err := t.Objective.Fill(g.Graph, step, micro); err != nil {
				return 0, err
			}
			g.SetDropoutSeed(dropoutSeed(t.Config.Seed, step, micro))
			g.SetReady(nil)
			if t.sharing != nil && part == t.tree.parts-1 && i == each-1 {
				g.SetReady(t.ready)
			}
			if err := g.Run(); err != nil {
				return 0, err
			}
			t.losses[micro] = float64(g.loss.Value().Data().(float32))
		}
		t.addPart(part)
	}
	return tokens, nil
}

// graph returns the graph of a micro-batch.
func (t *Trainer) graph(step, micro int) graph {
	if b, ok := t.Objective.(Bucketed); ok {
		return t.plan.graphs[b.Bucket(step, micro)]
	}
	return t.plan.graphs[t.plan.phase]
}

// addPart adds the gradients of a part to those of the parts before. Those of the last part
// that ready has taken are done.
func (t *Trainer) addPart(part int) {
	last := part == t.tree.parts-1
	if last && part == 0 && t.sharing == nil {
		return
	}
	for i, p := range t.plan.trained().Parameters {
		_, grad := p.Trained()
		switch {
		case grad == nil || last && t.taken[p.Grad]:
		case last && t.sharing != nil: // no operation of the graph reads the parameter
			t.ready(p.Grad)
		default:
			x, y := t.tree.add(part, i, grad)
			if y != nil {
				kernel.Add(x, x, y)
			}
		}
	}
	clear(t.taken)
}

// gradientNorm returns the L2 norm of the sum of the batches' gradients. With Peers it first
// waits for those of the other processes, and learns their losses.
func (t *Trainer) gradientNorm(ctx context.Context) (float64, error) {
	if t.sharing == nil {
		return t.plan.trained().GradNorm(), nil
	}
	if err := t.sharing.receive(); err != nil {
		return 0, err
	}
	norm2, stop, err := t.sharing.agree(t.losses, ctx.Err() != nil)
	t.stop = t.stop || stop
	return math.Sqrt(norm2), err
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
	where, err := t.firstNonFinite()
	if err != nil {
		return err
	}
	saved := "nothing was saved yet"
	if _, err := os.Stat(filepath.Join(t.Dir, LastCheckpoint)); t.Dir != "" && err == nil {
		saved = "the last checkpoint in " + t.Dir + " is from before and can be used"
	}
	err = fmt.Errorf("step %d: %s; first bad value: %s. Usual causes: learning_rate too high, warmup_steps too few, grad_clip 0, or damaged weights; %s",
		step, found, where, saved)
	if t.sharing != nil {
		return agreed{err}
	}
	return err
}

// firstNonFinite describes the first tensor that holds a NaN or an infinity, and with Peers
// which process has it.
func (t *Trainer) firstNonFinite() (string, error) {
	where := t.Model.NonFinite()
	if t.sharing != nil {
		all, err := ExchangeTexts(t.Peers, where)
		if err != nil {
			return "", err
		}
		where = ""
		for r, w := range all {
			if w != "" {
				where = fmt.Sprintf("%s, in process %d of %d", w, r, len(all))
				break
			}
		}
	}
	if where == "" {
		where = "the loss alone"
	}
	return where, nil
}
