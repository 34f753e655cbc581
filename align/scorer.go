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

// NewScored returns a copy of m with a head that computes one score: m's own head if it has
// one, else weights drawn from N(0, 0.02²) with the seed.
func NewScored(m *model.Model, seed uint64) (*model.Model, error) {
	s, err := model.NewZero(m.Config)
	if err != nil {
		return nil, err
	}
	s.AddHead(1, seed)
	if none, ok := m.Types(); ok {
		s.SetTypes(none)
	}
	return s, s.CopyFrom(m)
}

// copyOf returns a copy of m, without a head.
func copyOf(m *model.Model) (*model.Model, error) {
	c, err := model.NewZero(m.Config)
	if err != nil {
		return nil, err
	}
	return c, c.CopyFrom(m)
}

// scoreBatch is how many sequences a scorer computes together.
const scoreBatch = 16

// scorer runs a model over given sequences without dropout and gradients. It computes either
// the log-probabilities of the answers' tokens or the head's scores.
type scorer struct {
	model  *model.Model
	heads  bool             // scores instead of log-probabilities
	graphs map[int]*scoring // by length
	arena  op.Arena         // the memory of all graphs, which run one at a time
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
		g.out = g.Head(g.Hidden)
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

// each runs the sequences in batches of similar lengths. After each run it calls do with the
// graph, the indices of the batch's sequences and the spans of their answers. The end of ctx
// is an error.
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
		batch := pick(sequences, part)
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

// sums returns the log-probability of each answer: the sum over its tokens.
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

// comparison has numbers of a policy and its reference for each token of each answer.
type comparison struct {
	logProbs, reference [][]float64 // log-probabilities under the policy and the reference
	kl                  [][]float64 // the exact KL(policy‖reference) over the vocabulary
	entropies           [][]float64 // of the policy
}

// compare runs s, a policy, and its reference over the same sequences.
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

// scores returns the head's score at the last token of each sequence.
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

// values returns for each token of the answers the head's score at the position before it.
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

// Divergence returns the mean over m's answers of the exact KL divergence KL(m‖reference), in
// nats an answer. Both models must have the same vocabulary; answers that are longer than the
// reference's context are left out.
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
