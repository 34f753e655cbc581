package align

import (
	"context"
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"

	"tinygpt/align/loss"
	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/model/safetensors"
	"tinygpt/train"
)

// PolicyInputs is what a policy learns from.
type PolicyInputs struct {
	Model *model.Model
	// Value is what the value model starts from: the reward model, which itself stays as
	// it is, or a model without a head, which gets one. Of GRPO, and with a head on the
	// policy, nil.
	Value     *model.Model
	Prompts   []Instruction
	Generator *Generator
	Reward    Judge
	// Gold, unless nil, is noted next to the reward and changes nothing.
	Gold Judge
	// Pretraining is the text that PPO-ptx mixes in.
	Pretraining *data.Stream
	Seed        uint64
}

// policy is PPO (Ouyang et al. 2022, section 3.5; Schulman et al. 2017), or GRPO if
// answers come in groups (Shao et al. 2024). An update is a roll-out and then an
// optimiser step for each mini-batch; the trainer's steps are the latter.
type policy struct {
	PolicyInputs
	config Policy
	steps  int // of an update

	scorer, referenceScorer *scorer
	value                   *valueModel // nil: a head, or none
	heads                   *scorer     // values of a head on the policy
	roll                    rollout
	beta                    []float64 // the price of KL: one number, in memory that a checkpoint keeps
	average                 *model.Model
	shuffled                []int // the order of the prompts in a round
	round                   int

	graphs  map[*model.Graph]*policyGraph
	lengths []int
	texts   map[int]*data.Sampler // windows of the pre-training text by length

	seen    map[string]float64 // see measures
	kept    []float64          // the same in memory that a checkpoint keeps
	made    []float64          // see preparing
	sampler float64
}

// policyGraph is what a graph reads besides its tokens, and the batch that is in it.
type policyGraph struct {
	targets                                     []int32
	spans, texts                                []span // of answers, and of pre-training windows
	old, reference, advantages, returns, values []float64
}

// newPolicy returns the objective for a policy whose reference is the model as it is
// now.
func newPolicy(in PolicyInputs, c Policy) (*policy, error) {
	reference, err := copyOf(in.Model)
	if err != nil {
		return nil, err
	}
	in.Model.SetDropout(0) // the answers are drawn without
	context := in.Model.Config.Context
	p := &policy{
		PolicyInputs: in, config: c, steps: c.Episodes / c.MiniBatch * c.Epochs,
		scorer: newScorer(in.Model, false), referenceScorer: newScorer(reference, false),
		roll: newRollout(c.Episodes, context), beta: []float64{c.KL}, made: make([]float64, 2),
		graphs: map[*model.Graph]*policyGraph{}, lengths: lengths(context, context), texts: map[int]*data.Sampler{},
	}
	p.kept = notMeasured(p.measureNames())
	switch {
	case c.Group > 1:
	case c.ValueHead:
		p.heads = newScorer(in.Model, true)
	default:
		value, err := NewScored(in.Value, in.Seed) // a copy
		if err != nil {
			return nil, err
		}
		if p.value, err = newValueModel(value, c); err != nil {
			return nil, err
		}
	}
	if c.Average > 0 {
		if p.average, err = copyOf(in.Model); err != nil {
			return nil, err
		}
	}
	if c.Pretraining > 0 {
		for _, l := range p.lengths {
			p.texts[l] = data.NewSampler(in.Pretraining, data.Documents, in.Seed, c.MiniBatch, 1, l)
		}
	}
	return p, nil
}

// warmth is the share of the learning rate that an update has: it rises over the first
// ones.
func (c Policy) warmth(update int) float64 {
	return min(1, float64(update+1)/float64(c.Warmup+1))
}

func (p *policy) learningRate(update int) float64 {
	return p.config.LearningRate * p.config.warmth(update)
}

// State is what a run that is stopped between two steps of an update needs.
func (p *policy) State() []safetensors.Tensor {
	p.keepMeasures()
	list := append(p.roll.state(),
		safetensors.Tensor{Name: "kl_coefficient", Shape: []int{1}, Data: p.beta},
		safetensors.Tensor{Name: "measures", Shape: []int{len(p.kept)}, Data: p.kept},
		safetensors.Tensor{Name: "prepared", Shape: []int{len(p.made)}, Data: p.made})
	if p.value != nil {
		list = append(list, p.value.state()...)
	}
	if p.average != nil {
		for _, t := range p.average.Tensors() {
			t.Name = "average." + t.Name
			list = append(list, t)
		}
	}
	return list
}

// preparing are what Prepare has made so far: 1 and the number of the update whose roll-out
// is drawn, and how many batches the value model was fitted to.
const (
	preparedUpdate = iota
	preparedBatches
)

// Prepare draws a roll-out before the first step of an update, and fits the value model to
// it. If ctx ends, a later call goes on.
func (p *policy) Prepare(ctx context.Context, step int) error {
	if step%p.steps != 0 {
		return nil
	}
	update := step / p.steps
	if drawn := float64(update + 1); p.made[preparedUpdate] != drawn {
		err := p.draw(ctx, update)
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return err
		}
		if p.average != nil && update > 0 {
			mix(p.average, p.Model, p.config.Average)
		}
		if err != nil {
			return err
		}
		p.made[preparedUpdate], p.made[preparedBatches] = drawn, 0
	}
	if p.value == nil {
		return nil
	}
	return p.value.update(ctx, &p.roll, update, p.Seed, &p.made[preparedBatches], p.measures())
}

// predict returns the values of the tokens before an update.
func (p *policy) predict(ctx context.Context, all []Sequence) ([][]float64, error) {
	if p.heads != nil {
		return p.heads.values(ctx, all)
	}
	return p.value.scorer.values(ctx, all)
}

// mix moves the weights of average towards those of m.
func mix(average, m *model.Model, decay float64) {
	for _, p := range average.Parameters {
		a, b := p.Value.Float32s(), m.Parameter(p.Name).Value.Float32s()
		for i := range a {
			a[i] += float32(1-decay) * (b[i] - a[i])
		}
	}
}

// Shapes have a mini-batch of answers, and with PPO-ptx as many windows of text.
func (p *policy) Shapes() (shapes []train.Shape) {
	batch := p.config.MiniBatch
	if p.config.Pretraining > 0 {
		batch *= 2
	}
	for _, l := range p.lengths {
		shapes = append(shapes, train.Shape{Batch: batch, Context: l})
	}
	return shapes
}

func (p *policy) episodes(step int) []int {
	return miniBatches(p.config, p.Seed, step/p.steps)[step%p.steps]
}

func (p *policy) batch(step int) (batch []Sequence) {
	for _, e := range p.episodes(step) {
		batch = append(batch, p.roll.sequence(e))
	}
	return batch
}

// Bucket is the length of a batch.
func (p *policy) Bucket(step, _ int) int { return fitting(p.lengths, longest(p.batch(step))) }

// Build adds log-probabilities and entropies, with a head on the policy values, and the
// loss.
func (p *policy) Build(g *model.Graph) *G.Node {
	in := &policyGraph{}
	p.graphs[g] = in
	var targets *G.Node
	targets, in.targets = ignoredTargets(g)
	inputs := []*G.Node{g.LogProbsEntropy(g.Logits(), targets)}
	if p.config.ValueHead {
		inputs = append(inputs, g.Head(g.Hidden, scoreName))
	}
	return g.Loss("clipped policy loss", func(x, grad [][]float32) float64 { return p.compute(in, x, grad) }, inputs...)
}

// Fill writes a mini-batch of the roll-out.
func (p *policy) Fill(g *model.Graph, step, _ int) error {
	in, episodes, batch := p.graphs[g], p.episodes(step), p.batch(step)
	in.spans, in.texts = place(g, batch, in.targets), nil
	in.old, in.reference = p.roll.get(p.roll.old, episodes), p.roll.get(p.roll.reference, episodes)
	in.advantages = p.roll.get(p.roll.advantages, episodes)
	in.returns, in.values = p.roll.get(p.roll.returns, episodes), p.roll.get(p.roll.values, episodes)
	if p.config.Pretraining > 0 {
		at := len(g.Tokens) / 2
		p.texts[g.Context].Batch(step, 0, g.Tokens[at:], in.targets[at:])
		for i := range p.config.MiniBatch {
			in.texts = append(in.texts, span{at + i*g.Context, g.Context})
		}
	}
	return nil
}

// compute is the loss of the batch that is in a graph.
func (p *policy) compute(in *policyGraph, x, grad [][]float32) float64 {
	half := len(x[0]) / 2
	logProbs, entropies := gather(x[0][:half], in.spans), gather(x[0][half:], in.spans)
	tokens := len(logProbs)
	if tokens == 0 {
		return 0
	}
	d := make([]float64, tokens)
	total, stats := loss.Policy(logProbs, in.old, in.advantages, p.config.Clip, tokens, d)
	steps, n := float64(p.steps), float64(tokens)
	seen := p.measures()
	seen["loss/policy_avg"] += total / steps
	seen["policy/clipfrac_avg"] += float64(stats.Clipped) / n / steps
	seen["policy/approxkl_avg"] += stats.ApproxKL / n / steps
	seen["policy/entropy_avg"] += mean(entropies) / steps
	ratio := stats.Ratio / n
	seen["val/ratio"] += ratio / steps
	seen["val/ratio_var"] += (ratio - 1) * (ratio - 1) / steps
	if p.config.KLIn == KLLoss && p.beta[0] > 0 {
		more := make([]float64, tokens)
		kl := loss.K3Loss(logProbs, in.reference, tokens, more)
		total += p.beta[0] * kl
		seen["kl"] += kl / steps
		for i := range d {
			d[i] += p.beta[0] * more[i]
		}
	}
	scatter(grad[0][:half], in.spans, d)
	if p.config.Entropy > 0 {
		total -= p.config.Entropy * mean(entropies)
		fill(d, -p.config.Entropy/n)
		scatter(grad[0][half:], in.spans, d)
	}
	if in.texts != nil {
		texts := gather(x[0][:half], in.texts)
		d := make([]float64, len(texts))
		l := loss.NLL(texts, len(texts), d)
		for i := range d {
			d[i] *= p.config.Pretraining
		}
		scatter(grad[0][:half], in.texts, d)
		total += p.config.Pretraining * l
		seen["ptx/loss"] += l / steps
	}
	if p.config.ValueHead {
		values := gather(x[1], in.spans)
		d := make([]float64, tokens)
		l, clipped := loss.Value(values, in.values, in.returns, p.config.ValueClip, p.config.ValueWeight, tokens, d)
		scatter(grad[1], in.spans, d)
		total += l
		seen["loss/value_avg"] += l / p.config.ValueWeight / steps
		seen["val/clipfrac_avg"] += float64(clipped) / n / steps
	}
	return total
}

// check refuses what can't be learned from.
func (in *PolicyInputs) check(c Policy) error {
	switch {
	case len(in.Prompts) == 0:
		return fmt.Errorf("no prompts to answer")
	case c.Group == 1 && !c.ValueHead && in.Value == nil:
		return fmt.Errorf("PPO without a reward model needs a value model to start from: give one with --reward, or set ppo.value_head=true")
	case c.Pretraining > 0 && in.Pretraining == nil:
		return fmt.Errorf("ppo.pretraining is %g, but the pre-training text isn't there", c.Pretraining)
	}
	return nil
}
