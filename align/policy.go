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

// PolicyInputs has what PPO and GRPO need besides their settings.
type PolicyInputs struct {
	// Model is the policy, which is trained.
	Model *model.Model
	// Value is what the value model starts as a copy of: the reward model, or a model without a
	// head, which gets one. It is nil for GRPO and for a head on the policy.
	Value     *model.Model
	Prompts   []Instruction
	Generator *Generator
	Reward    Judge
	// Gold, unless nil, is measured along with the reward. It doesn't affect the training.
	Gold Judge
	// Pretraining is the text that PPO-ptx mixes in, nil without.
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
	value                   *valueModel // nil for GRPO and with a head on the policy
	heads                   *scorer     // computes the values with a head on the policy, else nil
	roll                    rollout
	beta                    []float64    // [1] the price of KL; a slice, so that a checkpoint can fill it
	average                 *model.Model // the running mean of the weights, nil without
	shuffled                []int        // the order of the prompts in round
	round                   int          // how many times all prompts were used before

	graphs  map[*model.Graph]*policyGraph
	lengths []int                 // tokens of a sequence in each graph
	texts   map[int]*data.Sampler // windows of the pre-training text by length

	seen    map[string]float64 // see measures
	kept    []float64          // the same as a checkpoint has them, see keepMeasures
	made    []float64          // [2] see preparedUpdate, preparedBatches
	sampler float64            // what checkSampler found for the last roll-out
}

// policyGraph has a graph's inputs besides its tokens, and the batch that it computes.
type policyGraph struct {
	targets                                     []int32
	spans, texts                                []span    // of answers, and of pre-training windows
	old, reference, advantages, returns, values []float64 // of the answers' tokens, see rollout
}

// newPolicy returns the objective. The reference is a copy of the model as it is now.
func newPolicy(in PolicyInputs, c Policy) (*policy, error) {
	reference, err := copyOf(in.Model)
	if err != nil {
		return nil, err
	}
	in.Model.SetDropout(0) // answers are drawn without dropout
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
		value, err := NewScored(in.Value, in.Seed)
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

// warmth returns the factor of the learning rate in an update: it rises over the first ones.
func (p Policy) warmth(update int) float64 {
	return min(1, float64(update+1)/float64(p.Warmup+1))
}

func (p *policy) learningRate(update int) float64 {
	return p.config.LearningRate * p.config.warmth(update)
}

// State returns what a run that was stopped between two steps of an update needs to go on with
// the same bits. The tensors share memory with the policy.
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

// Indices of what policy.made says about Prepare's work.
const (
	preparedUpdate  = iota // 1 plus the number of the update whose roll-out is drawn; 0: none
	preparedBatches        // how many batches of it the value model was fitted to
)

// Prepare draws a roll-out before the first step of an update, and fits the value model to
// it. If ctx ends, a later call goes on where this one stopped. A policy that is further from
// its reference than max_kl is a *KLError.
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

// predict returns the values of the answers' tokens.
func (p *policy) predict(ctx context.Context, all []Sequence) ([][]float64, error) {
	if p.heads != nil {
		return p.heads.values(ctx, all)
	}
	return p.value.scorer.values(ctx, all)
}

// mix updates the running mean of m's weights: average·decay + m·(1−decay).
func mix(average, m *model.Model, decay float64) {
	for _, p := range average.Parameters {
		a, b := p.Value.Float32s(), m.Parameter(p.Name).Value.Float32s()
		for i := range a {
			a[i] += float32(1-decay) * (b[i] - a[i])
		}
	}
}

// Shapes returns the shapes of the graphs: a mini-batch of answers, and with PPO-ptx as many
// windows of text.
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

// episodes returns the episodes of a step's mini-batch.
func (p *policy) episodes(step int) []int {
	return miniBatches(p.config, p.Seed, step/p.steps)[step%p.steps]
}

// batch returns their sequences.
func (p *policy) batch(step int) (batch []Sequence) {
	for _, e := range p.episodes(step) {
		batch = append(batch, p.roll.sequence(e))
	}
	return batch
}

// Bucket returns the index of the shape for a step.
func (p *policy) Bucket(step, _ int) int { return fitting(p.lengths, longest(p.batch(step))) }

// Build adds log-probabilities and entropies, values if the policy has a head for them, and the
// loss.
func (p *policy) Build(g *model.Graph) *G.Node {
	in := &policyGraph{}
	p.graphs[g] = in
	var targets *G.Node
	targets, in.targets = ignoredTargets(g)
	inputs := []*G.Node{g.LogProbsEntropy(g.Logits(), targets)}
	if p.config.ValueHead {
		inputs = append(inputs, g.Head(g.Hidden))
	}
	return g.Loss("clipped policy loss", func(x, grad [][]float32) float64 { return p.compute(in, x, grad) }, inputs...)
}

// Fill writes a step's mini-batch of the roll-out into a graph.
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

// compute returns the loss of the batch in a graph and writes the gradient. x has the
// log-probabilities and entropies, [2, B·T], and with a head the values. It adds to the
// update's measures.
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

// check returns an error if something is missing that the settings need.
func (in *PolicyInputs) check(c Policy) error {
	switch {
	case len(in.Prompts) == 0:
		return errors.New("no prompts to answer: expected one or more that leave room for an answer in the model's context")
	case c.Group == 1 && !c.ValueHead && in.Value == nil:
		return fmt.Errorf("PPO without a reward model needs a value model to start from: give one with --reward, or set ppo.value_head=true")
	case c.Pretraining > 0 && in.Pretraining == nil:
		return fmt.Errorf("pretraining is %g, but there is no pre-training text: set it to 0, or start from a model whose run has one", c.Pretraining)
	}
	return nil
}
