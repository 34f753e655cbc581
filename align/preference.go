package align

import (
	"context"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"tinygpt/align/loss"
	"tinygpt/model"
	"tinygpt/train"
)

// pair is two answers to a prompt, of which chosen is the better one, with their
// log-probabilities under the reference.
type pair struct {
	chosen, rejected       Sequence
	refChosen, refRejected float64
}

// preference is the objective that learns from pairs without a reward model: DPO, IPO or hinge.
type preference struct {
	answers
	pairs  []pair
	config Preference
	order  order

	values map[string]float64 // of the last update
}

// newPreference draws the pairs and computes their log-probabilities under the reference, the
// model as it is now.
func newPreference(reference *model.Model, groups []Group, c Preference, seed uint64) (*preference, error) {
	p := &preference{config: c}
	var sequences []Sequence
	random := rand.New(rand.NewPCG(seed, 0))
	var chosen [][2]int // indices of a pair's answers in sequences
	for _, g := range groups {
		first := len(sequences)
		sequences = append(sequences, g.Sequences...)
		for n, i := range random.Perm(len(g.Pairs)) {
			if n == c.PairsOfPrompt {
				break
			}
			chosen = append(chosen, [2]int{first + g.Pairs[i][0], first + g.Pairs[i][1]})
		}
	}
	sums, err := newScorer(reference, false).sums(context.Background(), sequences)
	if err != nil {
		return nil, err
	}
	var sizes []int
	for _, x := range chosen {
		i, j := x[0], x[1]
		p.pairs = append(p.pairs, pair{sequences[i], sequences[j], sums[i], sums[j]})
		sizes = append(sizes, max(len(sequences[i].Tokens), len(sequences[j].Tokens)))
	}
	p.answers = answers{batch: 2 * min(c.BatchSize, len(p.pairs)), lengths: lengths(longest(sequences), reference.Config.Context)}
	p.order = newOrder(sizes, c.BatchSize, c.Epochs, seed)
	return p, nil
}

// Build adds the loss.
func (p *preference) Build(g *model.Graph) *G.Node { return p.build(g, "preference loss") }

// Shapes returns the shapes of the graphs, one for each length.
func (p *preference) Shapes() []train.Shape { return p.shapes() }

// Bucket returns the index of the shape for a step.
func (p *preference) Bucket(step, _ int) int {
	_, sequences := p.batchAt(step)
	return fitting(p.lengths, longest(sequences))
}

// batchAt returns the pairs of a step, and their sequences: chosen, rejected, chosen, …
func (p *preference) batchAt(step int) (pairs []pair, sequences []Sequence) {
	pairs = pick(p.pairs, p.order.at(step))
	for _, x := range pairs {
		sequences = append(sequences, x.chosen, x.rejected)
	}
	return pairs, sequences
}

// Fill writes a step's pairs into a graph.
func (p *preference) Fill(g *model.Graph, step, _ int) error {
	pairs, sequences := p.batchAt(step)
	kind := loss.Preference{Kind: p.config.Loss, Beta: p.config.Beta, Smoothing: p.config.Smoothing}
	n := float64(len(pairs))
	demonstrated := 0 // tokens of chosen answers
	for _, x := range pairs {
		demonstrated += x.chosen.Answer()
	}
	p.fill(g, sequences, func(logProbs, grad []float64) float64 {
		v := map[string]float64{}
		parts, grads := split(logProbs, sequences), split(grad, sequences)
		total := 0.0
		for i, x := range pairs {
			chosen, rejected := sum(parts[2*i]), sum(parts[2*i+1])
			better, worse := chosen-x.refChosen, rejected-x.refRejected
			l, d := kind.Pair(better - worse)
			total += l / n
			fill(grads[2*i], d/n)
			fill(grads[2*i+1], -d/n)
			if p.config.SFT > 0 { // RPO: the chosen answers are demonstrations too
				more := make([]float64, len(parts[2*i]))
				total += p.config.SFT * loss.NLL(parts[2*i], demonstrated, more)
				for j := range more {
					grads[2*i][j] += p.config.SFT * more[j]
				}
			}
			v["rewards/chosen"] += kind.Beta * better / n
			v["rewards/rejected"] += kind.Beta * worse / n
			v["rewards/margins"] += kind.Beta * (better - worse) / n
			v["logps/chosen"] += chosen / n
			v["logps/rejected"] += rejected / n
			if better > worse {
				v["rewards/accuracies"] += 1 / n
			}
		}
		p.values = v
		return total
	})
	return nil
}

// Values returns the measures of the last step, under trl's names.
func (p *preference) Values(int) map[string]float64 { return p.values }

// measured returns the mean loss of all pairs; s computes the policy's log-probabilities.
func (p *preference) measured(ctx context.Context, s *scorer) (float64, error) {
	var all []Sequence
	for _, x := range p.pairs {
		all = append(all, x.chosen, x.rejected)
	}
	sums, err := s.sums(ctx, all)
	if err != nil {
		return 0, err
	}
	kind := loss.Preference{Kind: p.config.Loss, Beta: p.config.Beta, Smoothing: p.config.Smoothing}
	total := 0.0
	for i, x := range p.pairs {
		l, _ := kind.Pair((sums[2*i] - x.refChosen) - (sums[2*i+1] - x.refRejected))
		total += l
	}
	return total / float64(len(p.pairs)), nil
}
