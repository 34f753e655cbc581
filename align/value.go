package align

import (
	"context"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"tinygpt/align/loss"
	"tinygpt/model"
	"tinygpt/model/op"
	"tinygpt/model/safetensors"
	"tinygpt/train"
)

// valueModel predicts the returns of an unfinished answer's tokens. It is a separate model
// that starts from the reward model (Ouyang et al. 2022, appendix C.4) and is fitted right after
// each roll-out.
type valueModel struct {
	model     *model.Model
	config    Policy
	optimiser *train.AdamW
	groups    []train.Group
	scorer    *scorer
	lengths   []int
	graphs    []*valueGraph
}

// valueGraph is the loss of values for one length, and the batch that it computes.
type valueGraph struct {
	*model.Graph
	clip         float64
	spans        []span
	old, returns []float64
	loss         *G.Node
	clipped      int // tokens of this batch whose value was clipped
}

// valueTraining has AdamW's settings.
var valueTraining = train.Config{Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, GradClip: 1}

func newValueModel(m *model.Model, c Policy) (*valueModel, error) {
	m.SetDropout(0)
	v := &valueModel{
		model: m, config: c, optimiser: train.NewAdamW(valueTraining), groups: valueTraining.Groups(m.Parameters, nil),
		scorer: newScorer(m, true), lengths: lengths(m.Config.Context, m.Config.Context),
	}
	arena := &op.Arena{}
	v.graphs = make([]*valueGraph, len(v.lengths))
	for i := len(v.lengths) - 1; i >= 0; i-- { // the largest first: the others share its memory
		g := &valueGraph{Graph: m.NewGraph(c.MiniBatch, v.lengths[i], true), clip: c.ValueClip}
		g.loss = g.Loss("value loss", g.compute, g.Head(g.Hidden))
		g.Share(arena)
		if err := g.Compile(g.loss); err != nil {
			return nil, err
		}
		v.graphs[i] = g
	}
	return v, nil
}

// compute returns the loss of the batch in the graph and writes its gradient.
func (g *valueGraph) compute(x, grad [][]float32) float64 {
	values := gather(x[0], g.spans)
	d := make([]float64, len(values))
	l, clipped := loss.Value(values, g.old, g.returns, g.clip, 1, len(values), d)
	g.clipped = clipped
	scatter(grad[0], g.spans, d)
	return l
}

// update fits the values to the returns of a roll-out: a step for each mini-batch, beginning
// with number made, which it counts up. It adds its measures to those of the update. If ctx
// ends it returns the error of ctx.
func (v *valueModel) update(ctx context.Context, r *rollout, update int, seed uint64, made *float64, measures map[string]float64) error {
	batches := miniBatches(v.config, seed, update)
	for i, episodes := range batches {
		if i < int(*made) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var batch []Sequence
		for _, e := range episodes {
			batch = append(batch, r.sequence(e))
		}
		g := v.graphs[fitting(v.lengths, longest(batch))]
		g.spans = place(g.Graph, batch, nil)
		g.old, g.returns = r.get(r.values, episodes), r.get(r.returns, episodes)
		v.model.ZeroGrad()
		if err := g.Run(); err != nil {
			return err
		}
		v.optimiser.Update(v.groups, train.Update{
			Step: update*len(batches) + i, LearningRate: v.config.ValueRate * v.config.warmth(update),
			GradScale: train.ClipScale(v.model.GradNorm(), valueTraining.GradClip),
		})
		n := float64(len(batches))
		measures["loss/value_avg"] += float64(g.loss.Value().Data().(float32)) / n
		measures["val/clipfrac_avg"] += float64(g.clipped) / float64(len(g.old)) / n
		*made++
	}
	return nil
}

// state returns the tensors that a checkpoint keeps: weights and AdamW's moments.
func (v *valueModel) state() (list []safetensors.Tensor) {
	for _, t := range v.model.Tensors() {
		t.Name = "value." + t.Name
		list = append(list, t)
	}
	for _, p := range v.model.Parameters {
		for _, t := range v.optimiser.State(p) {
			t.Name = "value." + t.Name
			list = append(list, t)
		}
	}
	return list
}

// miniBatches returns the episodes of each optimiser step of an update, in a new random order
// in each of its epochs.
func miniBatches(c Policy, seed uint64, update int) (list [][]int) {
	for epoch := range c.Epochs {
		order := rand.New(rand.NewPCG(seed+1, uint64(update*c.Epochs+epoch))).Perm(c.Episodes)
		for at := 0; at < len(order); at += c.MiniBatch {
			list = append(list, order[at:at+c.MiniBatch])
		}
	}
	return list
}
