package align

import (
	"math"
	"slices"

	G "gorgonia.org/gorgonia"

	"tinygpt/align/loss"
	"tinygpt/model"
	"tinygpt/train"
)

// Group has the ranked answers to one prompt.
type Group struct {
	Sequences []Sequence // the prompt with each answer
	Texts     []string   // of the answers
	Pairs     [][2]int   // (better, worse): indices of answers
	// Number is the index of the example that it was made from.
	Number int
}

// rewardModel is the objective that learns scores from comparisons. All answers to a prompt are
// one example, whose loss is the mean over its pairs (Ouyang et al. 2022, equation 1).
type rewardModel struct {
	groups  []Group
	order   order
	counts  []int // numbers of sequences, ascending: there is a graph for each of them
	lengths []int // with each of these numbers of tokens
	graphs  map[*model.Graph]*rewardGraph

	values rewardValues // of the last step
}

// rewardGraph has a graph's inputs besides its tokens, and the batch that it computes.
type rewardGraph struct {
	rows   []int32 // [B] of the sequences' last tokens among the B·T positions
	groups []Group
}

// rewardValues has the sums and extremes that Values makes measures of.
type rewardValues struct{ pairs, right, margin, low, sum, high, answers float64 }

// newRewardModel returns the objective for the groups.
func newRewardModel(groups []Group, c RewardModel, context int, seed uint64) *rewardModel {
	r := &rewardModel{groups: groups, graphs: map[*model.Graph]*rewardGraph{}}
	maxAnswers := 0
	var sizes []int
	for _, g := range groups {
		sizes = append(sizes, longest(g.Sequences))
		maxAnswers = max(maxAnswers, len(g.Sequences))
	}
	r.lengths = lengths(slices.Max(sizes), context)
	r.order = newOrder(sizes, c.Prompts, c.Epochs, seed)
	for n := c.Prompts * maxAnswers; n > 0; n -= max(4, c.Prompts*maxAnswers/5) {
		r.counts = append([]int{n}, r.counts...)
	}
	return r
}

// Shapes returns a shape for each length and each number of sequences.
func (r *rewardModel) Shapes() (shapes []train.Shape) {
	for _, l := range r.lengths {
		for _, n := range r.counts {
			shapes = append(shapes, train.Shape{Batch: n, Context: l})
		}
	}
	return shapes
}

// Bucket returns the index of the smallest shape that a step's batch fits into.
func (r *rewardModel) Bucket(step, _ int) int {
	sequences, long := 0, 0
	for _, g := range r.batch(step) {
		sequences += len(g.Sequences)
		long = max(long, longest(g.Sequences))
	}
	return fitting(r.lengths, long)*len(r.counts) + fitting(r.counts, sequences)
}

// batch returns the groups of a step.
func (r *rewardModel) batch(step int) []Group { return pick(r.groups, r.order.at(step)) }

// Build adds the scores of the sequences' last tokens, and the loss.
func (r *rewardModel) Build(g *model.Graph) *G.Node {
	in := &rewardGraph{}
	r.graphs[g] = in
	var rows *G.Node
	rows, in.rows = g.Indices("rows", g.Batch)
	scores := g.Head(g.Rows(g.Hidden, rows, 1))
	return g.Loss("−mean log σ(better − worse)", func(x, grad [][]float32) float64 {
		total, at := 0.0, 0
		for _, group := range in.groups {
			k := len(group.Sequences)
			s := make([]float64, k)
			for i := range s {
				s[i] = float64(x[0][at+i])
			}
			d := make([]float64, k)
			l, margins := loss.Pairs(s, group.Pairs, 1/float64(len(in.groups)), d)
			total += l
			r.values.add(s, margins)
			if grad != nil {
				for i := range d {
					grad[0][at+i] = float32(d[i])
				}
			}
			at += k
		}
		return total
	}, scores)
}

// Fill writes the answers of a step's groups into a graph.
func (r *rewardModel) Fill(g *model.Graph, step, _ int) error {
	in := r.graphs[g]
	in.groups = r.batch(step)
	var sequences []Sequence
	for _, group := range in.groups {
		sequences = append(sequences, group.Sequences...)
	}
	place(g, sequences, nil)
	clear(in.rows)
	for i, s := range sequences {
		in.rows[i] = int32(i*g.Context + len(s.Tokens) - 1)
	}
	r.values = rewardValues{low: math.Inf(1), high: math.Inf(-1)}
	return nil
}

func (v *rewardValues) add(scores, margins []float64) {
	for _, s := range scores {
		v.low, v.high, v.sum = min(v.low, s), max(v.high, s), v.sum+s
		v.answers++
	}
	for _, d := range margins {
		v.margin += d
		v.pairs++
		if d > 0 {
			v.right++
		}
	}
}

// Values returns the measures of the last step, under trl's names.
func (r *rewardModel) Values(int) map[string]float64 {
	v := r.values
	if v.pairs == 0 {
		return nil
	}
	return map[string]float64{
		"accuracy": v.right / v.pairs, "margin": v.margin / v.pairs,
		"min_reward": v.low, "mean_reward": v.sum / v.answers, "max_reward": v.high,
	}
}
