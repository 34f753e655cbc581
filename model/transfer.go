package model

import (
	"fmt"
	"slices"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// This file has what a model needs to be trained further, perhaps for another task: weights
// taken from another model, another dropout or context, new tokens and outputs, and parameters
// that training doesn't change.

// CopyFrom copies the values of every parameter that the other model has too. A table with
// more rows here than there (for new tokens) keeps its values in the other rows. Any other
// difference in shape is an error that names both, before anything is changed.
func (m *Model) CopyFrom(other *Model) error {
	for _, p := range m.Parameters {
		q := other.byName[p.Name]
		if q == nil {
			continue
		}
		here, there := p.Value.Shape(), q.Value.Shape()
		if len(here) != len(there) || there[0] > here[0] || !slices.Equal(here[1:], there[1:]) {
			return fmt.Errorf("model: %s has shape %v in the other model, here %v", p.Name, there, here)
		}
	}
	for _, p := range m.Parameters {
		if q := other.byName[p.Name]; q != nil {
			copy(p.Value.Float32s(), q.Value.Float32s())
		}
	}
	return nil
}

// SetDropout changes the dropout of the graphs that are made of the model from here on. The
// weights don't depend on it.
func (m *Model) SetDropout(probability float32) { m.Config.Dropout = probability }

// Crop shortens the context to its first positions, which can be done without training.
func (m *Model) Crop(context int) error {
	c := m.Config
	if context < 1 || context > c.Context {
		return fmt.Errorf("model.context is %d: the weights have %d positions, which can be cut down but not extended", context, c.Context)
	}
	p := m.byName[namesOf(c.Arch).positions]
	kept := append([]float32(nil), p.Value.Float32s()[:context*c.Width]...)
	p.Value, p.Grad = tensor.New(tensor.WithShape(context, c.Width), tensor.WithBacking(kept)), nil
	m.Config.Context = context
	return nil
}

// ScoreHead is the name of the head that AddHead adds, which transformers' classifiers have too.
const ScoreHead = "score"

// AddHead adds the parameters of a linear map from hidden states to outputs,
// score.weight [D, outputs] and score.bias: weights N(0, 0.02) as in GPT-1 (Radford et
// al. 2018, section 4.1), drawn with the seed, bias 0.
func (m *Model) AddHead(outputs int, seed uint64) {
	for _, s := range []spec{
		{ScoreHead + ".weight", tensor.Shape{m.Config.Width, outputs}, 0, 0.02},
		{ScoreHead + ".bias", tensor.Shape{outputs}, 0, 0},
	} {
		if m.byName[s.name] != nil {
			panic("model: there is a parameter " + s.name + " already")
		}
		m.add(s.parameter(seed))
	}
}

// SetTypes has the graphs that are made from now on read a type for each token, a token of its
// own whose vector is added to the embedding, as transformers' GPT-2 adds that of
// token_type_ids. none is the type of tokens of which nothing is said.
func (m *Model) SetTypes(none int32) { m.typed, m.untyped = true, none }

// Types returns the type of tokens of which nothing is said; ok is false of a model without
// types.
func (m *Model) Types() (none int32, ok bool) { return m.untyped, m.typed }

// Head adds the linear map that AddHead made to the graph: [R, outputs] for states x [R, D].
// Softmax of it is GPT-1's prediction of labels (Radford et al. 2018, equation 3).
func (g *Graph) Head(x *G.Node) *G.Node { return g.linear(x, ScoreHead) }

// FreezeEmbeddings keeps training from changing the positions and the first rows of the
// token table.
func (m *Model) FreezeEmbeddings(rows int) {
	names := namesOf(m.Config.Arch)
	m.byName[names.positions].freeze()
	m.byName[names.tokens].Frozen = rows * m.Config.Width
}

// FreezeLayers keeps training from changing the embeddings and the first n layers;
// with all layers, everything except heads that AddHead made (a linear probe). What is below
// the first layer that changes needs no backward pass.
func (m *Model) FreezeLayers(n int) {
	names := namesOf(m.Config.Arch)
	for _, p := range m.Parameters {
		layer, inLayer := LayerOf(p.Name)
		last := strings.HasPrefix(p.Name, "ln_f.") || p.Name == headName
		if p.Name == names.tokens || p.Name == names.positions || inLayer && layer < n || last && n >= m.Config.Layers {
			p.freeze()
		}
	}
}

func (p *Parameter) freeze() { p.Frozen = p.Value.Shape().TotalSize() }
