package finetune

import (
	"context"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"

	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/op"
	"tinygpt/train"
)

// evalTokens is about the number of tokens of a predictor's batch: enough for full speed.
const evalTokens = 1024

// Predictor computes the scores of items, without dropout. It keeps a graph for each
// length that was needed.
type Predictor struct {
	// Peers, unless nil, are the processes that share the work. All must have the same items and
	// weights.
	Peers train.Peers
	// Mixture, unless nil, is mixed into the network's scores.
	Mixture *Mixture

	model   *model.Model
	setup   *Setup
	head    head
	lengths []int
	graphs  map[int]*predicting
	arena   op.Arena // the memory of all graphs, which run one at a time
}

// predicting is a graph that ends in scores.
type predicting struct {
	*model.Graph
	rows   []int32
	scores *G.Node
}

// NewPredictor returns a predictor of a model that has the task's head. Items are padded to the
// given lengths, ascending; items that are longer, up to the context, to further ones.
func NewPredictor(m *model.Model, s *Setup, lengths []int) *Predictor {
	lengths = slices.Clone(lengths)
	for l := 2 * granule; len(lengths) == 0 || lengths[len(lengths)-1] < m.Config.Context; l *= 2 {
		if l = min(l, m.Config.Context); len(lengths) == 0 || l > lengths[len(lengths)-1] {
			lengths = append(lengths, l)
		}
	}
	return &Predictor{model: m, setup: s, head: tasks[s.Task].head(s), lengths: lengths, graphs: map[int]*predicting{}}
}

// unit is what must be computed in one batch: an item, or one sequence of a multiple
// choice, which may have more sequences than fit into a batch.
type unit struct {
	Item
	item, first int // index of the item, and of the unit's first score among the item's
}

// Scores returns the scores of each item, in the order of the items: those of its states, one
// after another; with a Mixture, the mixed ones. A score that is no number is an error, and so
// is the end of ctx. With Peers ctx must not end, since the other processes would wait.
func (p *Predictor) Scores(ctx context.Context, items []*Item) ([][]float32, error) {
	t, outputs := tasks[p.setup.Task], p.head.outputs()
	out := make([][]float32, len(items))
	buckets := make([][]*unit, len(p.lengths))
	for i, it := range items {
		whole := unit{Item: *it, item: i}
		units := []*unit{&whole}
		states := 1
		switch {
		case t.groups == 0:
			states = it.Length()
		case len(it.Sequences) > t.groups:
			units, states = nil, len(it.Sequences)
			for j, s := range it.Sequences {
				units = append(units, &unit{Item{Sequences: [][]int32{s}}, i, j * outputs})
			}
		}
		out[i] = make([]float32, states*outputs)
		for _, u := range units {
			b := bucketOf(p.lengths, u.Length())
			buckets[b] = append(buckets[b], u)
		}
	}
	batch := 0
	for b, units := range buckets {
		for ; len(units) > 0; batch++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			g, err := p.graph(p.lengths[b])
			if err != nil {
				return nil, err
			}
			n := min(len(units), g.Batch/max(t.groups, 1))
			if p.Peers == nil || batch%p.Peers.Size() == p.Peers.Rank() {
				if err := p.run(g, units[:n], out); err != nil {
					return nil, err
				}
			}
			units = units[n:]
		}
	}
	if err := p.share(out); err != nil {
		return nil, err
	}
	for i, scores := range out {
		if at := kernel.FirstNonFinite(scores); at >= 0 {
			return nil, fmt.Errorf("example %d: the model's score is %v: its weights are damaged, or its training diverged", i+1, scores[at])
		}
	}
	if p.Mixture == nil {
		return out, nil
	}
	return p.Mixture.mix(items, out), nil
}

// share exchanges the scores, so that every process has those that the others computed.
func (p *Predictor) share(scores [][]float32) error {
	if p.Peers == nil {
		return nil
	}
	var all []float64
	for _, s := range scores {
		for _, x := range s {
			all = append(all, float64(x))
		}
	}
	if err := p.Peers.Sum(all); err != nil {
		return err
	}
	for _, s := range scores {
		for i := range s {
			s[i], all = float32(all[0]), all[1:]
		}
	}
	return nil
}

// graph returns the graph for a length.
func (p *Predictor) graph(length int) (*predicting, error) {
	if g := p.graphs[length]; g != nil {
		return g, nil
	}
	groups := max(tasks[p.setup.Task].groups, 1)
	batch := max(1, evalTokens/length/groups) * groups
	g := &predicting{Graph: p.model.NewGraph(batch, length, false)}
	states, rows := readStates(g.Graph, p.setup.Task)
	g.rows, g.scores = rows, g.Head(states)
	g.Share(&p.arena)
	if err := g.Compile(nil); err != nil {
		return nil, err
	}
	p.graphs[length] = g
	return g, nil
}

// run computes a batch of units and writes their scores into out, which has a list for each
// item.
func (p *Predictor) run(g *predicting, units []*unit, out [][]float32) error {
	groups, outputs := tasks[p.setup.Task].groups, p.head.outputs()
	items := make([]*Item, len(units))
	for i, u := range units {
		items[i] = &u.Item
	}
	place(g.Graph, items, g.rows, groups)
	if err := g.Run(); err != nil {
		return err
	}
	scores := g.scores.Value().Data().([]float32)
	for i, u := range units {
		row, states := i, 1
		if groups == 0 {
			row, states = i*g.Context, u.Length()
		}
		copy(out[u.item][u.first:], scores[row*outputs:(row+states)*outputs])
	}
	return nil
}

// Predict returns the prediction for each item. Its errors are those of Scores.
func (p *Predictor) Predict(ctx context.Context, items []*Item) ([]Prediction, error) {
	scores, err := p.Scores(ctx, items)
	if err != nil {
		return nil, err
	}
	out := make([]Prediction, len(items))
	for i, it := range items {
		out[i] = p.head.predict(it, scores[i])
	}
	return out, nil
}
