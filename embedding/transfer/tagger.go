package transfer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/embedding"
	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/op"
	"tinygpt/train"
)

// Tagger is the window classifier. For a word, h is the concatenation of the vectors and
// features of the words in its window. The scores of its tags are
//
//	GELU(h·W₁ + b₁)·W₂ + b₂,
//
// and their probabilities the softmax, or those of a conditional random field over the
// sentence.
type Tagger struct {
	config     Config
	lexicon    *lexicon
	parameters []*model.Parameter // in the order of names
	eval       *net               // for Tag
}

// Indices of the parameters.
const (
	words = iota
	shapeTable
	suffixTable
	hiddenWeight
	hiddenBias
	outputWeight
	outputBias
	chain // the CRF's scores [tags+2, tags] for a tag after another, and at the start and end
)

var names = []string{"words", "shapes", "suffixes", "hidden.weight", "hidden.bias", "output.weight", "output.bias", "chain"}

// NewTagger returns an untrained tagger for the words and tags of the sets. If start is Random,
// only the length of the vectors v matters. Settings that Validate refuses and a lack of
// sentences in Train or Dev are errors.
func NewTagger(c Config, start Start, v *embedding.Vectors, sets Sets, seed uint64) (*Tagger, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if len(sets.Train) == 0 || len(sets.Dev) == 0 {
		return nil, fmt.Errorf("%d sentences to learn from, %d to choose by: expected one or more of each", len(sets.Train), len(sets.Dev))
	}
	l, table := newLexicon(start, v, sets)
	t := &Tagger{config: c, lexicon: l}
	r := rand.New(rand.NewPCG(seed, 1))
	normal := func(x []float32, deviation float64) []float32 {
		for i := range x {
			x[i] = float32(deviation * r.NormFloat64())
		}
		return x
	}
	if start == Random {
		normal(table, tableDeviation)
	}
	places := 2*c.Window + 1
	in, tags := places*v.Dim, len(l.tags)
	if t.has(Shape) {
		in += places * shapeWidth
	}
	if t.has(Suffix) {
		in += places * suffixWidth
	}
	add := func(name int, values []float32, trained bool, shape ...int) {
		p := &model.Parameter{Name: names[name], Value: tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))}
		if trained {
			p.Grad = tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
		} else {
			p.Frozen = len(values)
		}
		t.parameters = append(t.parameters, p)
	}
	matrix := func(name, rows, columns int, deviation float64) {
		add(name, normal(make([]float32, rows*columns), deviation), true, rows, columns)
	}
	bias := func(name, n int) { add(name, make([]float32, n), true, n) }
	add(words, table, start != Frozen, len(table)/v.Dim, v.Dim)
	matrix(shapeTable, shapes, shapeWidth, tableDeviation)
	matrix(suffixTable, 2+len(l.suffixes), suffixWidth, tableDeviation)
	matrix(hiddenWeight, in, c.Hidden, 1/math.Sqrt(float64(in)))
	bias(hiddenBias, c.Hidden)
	matrix(outputWeight, c.Hidden, tags, 1/math.Sqrt(float64(c.Hidden)))
	bias(outputBias, tags)
	add(chain, make([]float32, (tags+2)*tags), true, tags+2, tags)
	longest := c.BatchTokens
	for _, set := range [][]Sentence{sets.Train, sets.Dev, sets.Test} {
		for _, s := range set {
			longest = max(longest, len(s.Words))
		}
	}
	var err error
	t.eval, err = t.net(longest+1, false)
	return t, err
}

func (t *Tagger) has(feature string) bool { return slices.Contains(t.config.Features, feature) }

// net is a graph over the tagger's parameters for rows tokens, with its inputs.
type net struct {
	graph                   *op.Graph
	machine                 *op.Machine
	rows                    int
	words, shapes, suffixes []int32 // [rows·places]; nil if the feature isn't used
	tags                    []int32 // [rows]; Ignore between sentences
	scores, loss            *G.Node
}

// net builds the graph for rows tokens, with dropout, loss and gradients for training.
func (t *Tagger) net(rows int, training bool) (*net, error) {
	g := op.NewGraph()
	n := &net{graph: g, rows: rows}
	param := func(name int) op.Param {
		p := t.parameters[name]
		if !training {
			return g.Param(p.Name, p.Value, nil)
		}
		return g.Param(p.Name, p.Value, p.Grad)
	}
	var params []op.Param
	for i := range t.parameters {
		params = append(params, param(i))
	}
	places := 2*t.config.Window + 1
	table := func(name string, p op.Param) (op.Table, []int32) {
		node, index := g.Indices(name, rows*places)
		return op.Table{Index: node, Param: p, Each: places}, index
	}
	tables := make([]op.Table, 1)
	tables[0], n.words = table("word rows", params[words])
	if t.has(Shape) {
		var one op.Table
		one, n.shapes = table("shape rows", params[shapeTable])
		tables = append(tables, one)
	}
	if t.has(Suffix) {
		var one op.Table
		one, n.suffixes = table("suffix rows", params[suffixTable])
		tables = append(tables, one)
	}
	h := g.Lookups(tables...)
	if training {
		h = g.Dropout(h, float32(t.config.Dropout))
	}
	n.scores = g.FeedForward(h, params[hiddenWeight], params[hiddenBias], params[outputWeight], params[outputBias], kernel.TanhGELU)
	if training {
		var node *G.Node
		node, n.tags = g.Indices("tags", rows)
		var used []op.Param
		for i, p := range params {
			if i == chain && !t.config.CRF || i == shapeTable && !t.has(Shape) || i == suffixTable && !t.has(Suffix) {
				continue
			}
			used = append(used, p)
		}
		if t.config.CRF {
			n.loss = g.CRF(n.scores, params[chain], node)
		} else {
			n.loss = g.CrossEntropy(n.scores, node)
		}
		if err := g.Grad(n.loss, used); err != nil {
			return nil, err
		}
	} else {
		g.Keep(n.scores)
	}
	m, err := op.NewMachine(g)
	if err != nil {
		return nil, err
	}
	g.Plan(m)
	n.machine = m
	return n, nil
}

// fill writes sentences into the inputs, with a row without a tag after each, and returns how
// many fit. r is nil except in training, see lexicon.row.
func (t *Tagger) fill(n *net, sentences []Sentence, r *rand.Rand) (filled int) {
	clear(n.words)
	clear(n.shapes)
	clear(n.suffixes)
	for i := range n.tags {
		n.tags[i] = op.Ignore
	}
	w, at := t.config.Window, 0
	places := 2*w + 1
	for _, s := range sentences {
		if at+len(s.Words) > n.rows {
			break
		}
		for i, word := range s.Words {
			row, shape, suffix := t.lexicon.row(word, r), shapeOf(word), t.lexicon.suffix(word)
			for place := range places { // where this word is in the window of word j
				j := i + w - place
				if j < 0 || j >= len(s.Words) {
					continue
				}
				k := (at+j)*places + place
				n.words[k] = row
				if n.shapes != nil {
					n.shapes[k] = shape
				}
				if n.suffixes != nil {
					n.suffixes[k] = suffix
				}
			}
			if n.tags != nil {
				n.tags[at+i] = t.lexicon.tagIndex[s.Tags[i]]
			}
		}
		at += len(s.Words) + 1
		filled++
	}
	return filled
}

// Train trains on sets.Train and keeps the weights of the epoch with the best F1 on sets.Dev.
// report, unless nil, is called after each epoch, from 1, with the mean loss in nats and that
// F1. A loss that isn't finite is an error, and so is the end of ctx.
func (t *Tagger) Train(ctx context.Context, sets Sets, seed uint64, report func(epoch int, loss, f1 float64)) error {
	rows := t.config.BatchTokens
	for _, s := range sets.Train {
		rows = max(rows, len(s.Words))
	}
	n, err := t.net(rows, true)
	if err != nil {
		return err
	}
	c := train.Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: t.config.WeightDecay}
	optimiser, groups := train.NewAdamW(c), c.Groups(t.parameters, nil)
	order := slices.Clone(sets.Train)
	var tokens int
	for _, s := range order {
		tokens += len(s.Words) + 1
	}
	steps := t.config.Epochs * (tokens/rows + 1) // about
	best, step := -1.0, 0
	var kept [][]float32
	for epoch := range t.config.Epochs {
		r := rand.New(rand.NewPCG(seed, uint64(2+epoch)))
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		var sum float64
		batches := 0
		for left := order; len(left) > 0; step++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			left = left[t.fill(n, left, r):]
			n.graph.SetDropoutSeed(seed<<32 + uint64(step))
			for _, p := range t.parameters {
				if p.Grad != nil {
					kernel.Clear(p.Grad.Float32s())
				}
			}
			if err := n.machine.Run(); err != nil {
				return err
			}
			loss := float64(n.loss.Value().Data().(float32))
			if math.IsNaN(loss) || math.IsInf(loss, 0) {
				return fmt.Errorf("epoch %d: the loss is %v: lower learning_rate (%v)", epoch+1, loss, t.config.LearningRate)
			}
			sum += loss
			batches++
			rate := t.config.LearningRate * max(1-float64(step)/float64(steps), 0.02)
			optimiser.Update(groups, train.Update{Step: step, LearningRate: rate, GradScale: 1})
		}
		score, err := t.Evaluate(sets.Dev)
		if err != nil {
			return err
		}
		if f1 := score.All.F1(); f1 > best {
			best, kept = f1, nil
			for _, p := range t.parameters {
				kept = append(kept, slices.Clone(p.Value.Float32s()))
			}
		}
		if report != nil {
			report(epoch+1, sum/float64(batches), score.All.F1())
		}
	}
	for i, p := range t.parameters {
		copy(p.Value.Float32s(), kept[i])
	}
	return nil
}

// Tag returns the most probable tag of each word, sentence by sentence; with a CRF, the most
// probable sequence of tags. A sentence longer than all that the tagger was made for is an error.
func (t *Tagger) Tag(sentences []Sentence) ([][]string, error) {
	var out [][]string
	n, tags := t.eval, len(t.lexicon.tags)
	for left := sentences; len(left) > 0; {
		filled := t.fill(n, left, nil)
		if filled == 0 {
			return nil, fmt.Errorf("a sentence of %d words: expected at most %d", len(left[0].Words), n.rows)
		}
		if err := n.machine.Run(); err != nil {
			return nil, err
		}
		scores := n.scores.Value().Data().([]float32)
		for _, s := range left[:filled] {
			own := scores[:len(s.Words)*tags]
			indices := make([]int32, len(s.Words))
			if t.config.CRF {
				kernel.Viterbi(indices, own, t.parameters[chain].Value.Float32s(), tags)
			} else {
				for i := range indices {
					indices[i] = largest(own[i*tags : (i+1)*tags])
				}
			}
			said := make([]string, len(indices))
			for i, k := range indices {
				said[i] = t.lexicon.tags[k]
			}
			out = append(out, said)
			scores = scores[min((len(s.Words)+1)*tags, len(scores)):]
		}
		left = left[filled:]
	}
	return out, nil
}

// largest returns the index of the largest number, the first of equal ones.
func largest(x []float32) (best int32) {
	for i, v := range x {
		if v > x[best] {
			best = int32(i)
		}
	}
	return best
}
