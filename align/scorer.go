package align

import (
	"cmp"
	"context"
	"errors"
	"slices"

	G "gorgonia.org/gorgonia"

	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/op"
)

// scoreName is the linear map of a reward or value model among its parameters.
const scoreName = "score"

// NewScored returns a copy of m with a head that gives one score: weights N(0, 0.02) drawn
// for the seed, or those of m's own head if it has one.
func NewScored(m *model.Model, seed uint64) (*model.Model, error) {
	s, err := model.NewZero(m.Config)
	if err != nil {
		return nil, err
	}
	s.AddHead(scoreName, 1, seed)
	if none, ok := m.Types(); ok {
		s.SetTypes(none)
	}
	return s, s.CopyFrom(m)
}

// copyOf returns a model of its own with the same weights.
func copyOf(m *model.Model) (*model.Model, error) {
	c, err := model.NewZero(m.Config)
	if err != nil {
		return nil, err
	}
	return c, c.CopyFrom(m)
}

// scoreBatch is how many sequences a scorer computes together.
const scoreBatch = 16

// scorer computes what a model makes of given sequences, without dropout and gradients:
// log-probabilities of the answers' tokens, or what the head says.
type scorer struct {
	model  *model.Model
	heads  bool // the head instead of the vocabulary
	graphs map[int]*scoring
	arena  op.Arena // the graphs run in turn
}

// scoring is a graph for one length.
type scoring struct {
	*model.Graph
	targets []int32
	logits  *G.Node
	out     *G.Node // log-probabilities and entropies [2, B·T], or scores [B·T, 1]
}

func newScorer(m *model.Model, heads bool) *scorer {
	return &scorer{model: m, heads: heads, graphs: map[int]*scoring{}}
}

// graph returns the graph for sequences of up to n tokens.
func (s *scorer) graph(n int) (*scoring, error) {
	all := lengths(s.model.Config.Context, s.model.Config.Context)
	length := all[fitting(all, n)]
	if g := s.graphs[length]; g != nil {
		return g, nil
	}
	g := &scoring{Graph: s.model.NewGraph(scoreBatch, length, false)}
	g.Share(&s.arena)
	if s.heads {
		g.out = g.Head(g.Hidden, scoreName)
	} else {
		var targets *G.Node
		targets, g.targets = g.Indices("targets", scoreBatch*length)
		g.logits = g.Logits()
		g.out = g.LogProbsEntropy(g.logits, targets)
	}
	if err := g.Compile(nil); err != nil {
		return nil, err
	}
	s.graphs[length] = g
	return g, nil
}

// each runs the sequences in batches of similar lengths. do gets a batch's graph, the
// numbers of its sequences and where their answers are. When ctx ends it returns its error.
func (s *scorer) each(ctx context.Context, sequences []Sequence, do func(g *scoring, numbers []int, spans []span)) error {
	numbers := make([]int, len(sequences))
	for i := range numbers {
		numbers[i] = i
	}
	slices.SortStableFunc(numbers, func(a, b int) int { return cmp.Compare(len(sequences[a].Tokens), len(sequences[b].Tokens)) })
	for part := range slices.Chunk(numbers, scoreBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := make([]Sequence, len(part))
		for i, n := range part {
			batch[i] = sequences[n]
		}
		g, err := s.graph(longest(batch))
		if err != nil {
			return err
		}
		spans := place(g.Graph, batch, g.targets)
		if err := g.Run(); err != nil {
			return err
		}
		do(g, part, spans)
	}
	return nil
}

// sums returns the log-probabilities of whole answers.
func (s *scorer) sums(ctx context.Context, sequences []Sequence) (sums []float64, err error) {
	sums = make([]float64, len(sequences))
	err = s.each(ctx, sequences, func(g *scoring, numbers []int, spans []span) {
		out := g.out.Value().Data().([]float32)
		for i, n := range numbers {
			for _, l := range gather(out, spans[i:i+1]) {
				sums[n] += l
			}
		}
	})
	return sums, err
}

// comparison is what a policy and its reference make of the tokens of answers.
type comparison struct {
	logProbs, reference [][]float64
	// KL is the exact divergence over the whole vocabulary at each token.
	kl, entropies [][]float64
}

// compare runs a policy and its reference over the same sequences.
func (s *scorer) compare(ctx context.Context, reference *scorer, sequences []Sequence) (c comparison, err error) {
	for _, list := range []*[][]float64{&c.logProbs, &c.reference, &c.kl, &c.entropies} {
		*list = make([][]float64, len(sequences))
	}
	var failed error
	err = s.each(ctx, sequences, func(g *scoring, numbers []int, spans []span) {
		r, err := reference.graph(g.Context)
		if err == nil {
			copy(r.Tokens, g.Tokens)
			copy(r.targets, g.targets)
			err = r.Run()
		}
		if err != nil {
			failed = err
			return
		}
		rows := make([]float32, len(g.Tokens))
		kernel.KL(rows, g.logits.Value().Data().([]float32), r.logits.Value().Data().([]float32), len(rows), s.model.Config.VocabSize)
		mine, theirs := g.out.Value().Data().([]float32), r.out.Value().Data().([]float32)
		for i, n := range numbers {
			at := spans[i : i+1]
			c.logProbs[n], c.reference[n] = gather(mine, at), gather(theirs, at)
			c.kl[n], c.entropies[n] = gather(rows, at), gather(mine[len(rows):], at)
		}
	})
	return c, errors.Join(err, failed)
}

// scores returns what the head says at the last token of each sequence.
func (s *scorer) scores(ctx context.Context, sequences []Sequence) ([]float64, error) {
	scores := make([]float64, len(sequences))
	err := s.each(ctx, sequences, func(g *scoring, numbers []int, spans []span) {
		out := g.out.Value().Data().([]float32)
		for i, n := range numbers {
			scores[n] = float64(out[spans[i].from+spans[i].n])
		}
	})
	return scores, err
}

// values returns what the head says before each token of the answers.
func (s *scorer) values(ctx context.Context, sequences []Sequence) ([][]float64, error) {
	values := make([][]float64, len(sequences))
	err := s.each(ctx, sequences, func(g *scoring, numbers []int, spans []span) {
		out := g.out.Value().Data().([]float32)
		for i, n := range numbers {
			values[n] = gather(out, spans[i:i+1])
		}
	})
	return values, err
}

// Divergence is the mean exact KL divergence of m from reference over m's answers, in
// nats an answer. Both have the same vocabulary.
func Divergence(ctx context.Context, m, reference *model.Model, list []Instruction, answers []Answer) (float64, error) {
	var kept []Sequence
	for _, s := range sequences(list, answers) {
		if len(s.Tokens) <= reference.Config.Context {
			kept = append(kept, s)
		}
	}
	c, err := newScorer(m, false).compare(ctx, newScorer(reference, false), kept)
	if err != nil {
		return 0, err
	}
	var kl []float64
	for _, tokens := range c.kl {
		kl = append(kl, sum(tokens))
	}
	return mean(kl), nil
}
