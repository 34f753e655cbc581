package model

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// Parameter is one tensor that training changes. Names and layouts are those of
// Hugging Face's GPT-2 and OpenAI-GPT; weights of linear maps are [in, out].
type Parameter struct {
	Name  string
	Value *tensor.Dense
	// Grad has the shape of Value. A graph's run adds to it, or sets it if the run is the
	// first one since ZeroGrad. It is nil until a graph is differentiated.
	Grad  *tensor.Dense
	stale bool // Grad counts as 0, whatever it holds; see ZeroGrad
	// Frozen is the number of leading elements that training doesn't change. If these are
	// all elements, there is no gradient.
	Frozen int
}

// Trained returns the part of the parameter that training changes, and its gradient; nil if
// the parameter is frozen or has no gradient yet.
func (p *Parameter) Trained() (value, grad []float32) {
	if p.Grad == nil || p.frozen() {
		return nil, nil
	}
	return p.Value.Float32s()[p.Frozen:], p.Grad.Float32s()[p.Frozen:]
}

func (p *Parameter) frozen() bool { return p.Frozen == p.Value.Shape().TotalSize() }

// Decays says whether weight decay acts on the parameter: on matrices and
// embeddings, not on biases and gains.
func (p *Parameter) Decays() bool { return p.Value.Dims() >= 2 }

// Model is a configuration and its parameters.
type Model struct {
	Config     Config
	Parameters []*Parameter // in the order of the computation
	byName     map[string]*Parameter
	gradients  [][]float32 // GradNorm's memory
	typed      bool        // graphs read types of tokens
	untyped    int32       // the type of none
}

// spec is a parameter before it has memory.
type spec struct {
	name  string
	shape tensor.Shape
	mean  float32
	std   float64
}

// parameters lists the parameters of the configuration.
func (c Config) parameters() []spec {
	d, names := c.Width, namesOf(c.Arch)
	initStd := c.initStd()
	// With this the variance at the end of the residual stream doesn't depend on the depth
	// (Radford et al. 2019, section 2.3).
	residualStd := initStd / math.Sqrt(float64(2*c.Layers))
	list := []spec{
		{names.tokens, tensor.Shape{c.VocabSize, d}, 0, initStd},
		{names.positions, tensor.Shape{c.Context, d}, 0, initStd},
	}
	layerNorm := func(name string) {
		list = append(list, spec{name + ".weight", tensor.Shape{d}, 1, 0}, spec{name + ".bias", tensor.Shape{d}, 0, 0})
	}
	linear := func(name string, in, out int, std float64) {
		list = append(list, spec{name + ".weight", tensor.Shape{in, out}, 0, std}, spec{name + ".bias", tensor.Shape{out}, 0, 0})
	}
	for i := range c.Layers {
		b := block(i)
		layerNorm(b + "ln_1")
		linear(b+"attn.c_attn", d, 3*d, initStd)
		linear(b+"attn.c_proj", d, d, residualStd)
		layerNorm(b + "ln_2")
		linear(b+"mlp.c_fc", d, c.Inner(), initStd)
		linear(b+"mlp.c_proj", c.Inner(), d, residualStd)
	}
	if c.Arch == GPT2 {
		layerNorm("ln_f")
	}
	if c.UntiedHead {
		list = append(list, spec{headName, tensor.Shape{c.VocabSize, d}, 0, initStd})
	}
	return list
}

// headName is the name of an untied head's table.
const headName = "lm_head.weight"

// block is the prefix of the names of layer i's parameters.
func block(i int) string { return fmt.Sprintf("h.%d.", i) }

// LayerOf returns the number of the layer that a parameter belongs to, from 0; ok is false for
// parameters outside the layers.
func LayerOf(parameter string) (layer int, ok bool) {
	n, _ := fmt.Sscanf(parameter, "h.%d.", &layer)
	return layer, n == 1
}

// LinearMaps returns how many linear maps of a layer a parameter holds side by side, each
// in an equal share of its columns: the three of queries, keys and values, one in other
// matrices of a layer, and 0 for all other parameters.
func LinearMaps(parameter string) int {
	if _, ok := LayerOf(parameter); !ok {
		return 0
	}
	for _, l := range []struct {
		suffix string
		maps   int
	}{{"attn.c_attn.weight", 3}, {"attn.c_proj.weight", 1}, {"mlp.c_fc.weight", 1}, {"mlp.c_proj.weight", 1}} {
		if strings.HasSuffix(parameter, "."+l.suffix) {
			return l.maps
		}
	}
	return 0
}

// IsEmbedding says whether a parameter is the table of token or of position vectors.
func IsEmbedding(parameter string) bool {
	for _, a := range []Arch{GPT1, GPT2} {
		if n := namesOf(a); parameter == n.tokens || parameter == n.positions {
			return true
		}
	}
	return false
}

// IsTable says whether a parameter is an embedding or the table of an untied output head.
func IsTable(parameter string) bool { return IsEmbedding(parameter) || parameter == headName }

// names are the names of parameters that the two architectures name differently.
type names struct{ tokens, positions string }

func namesOf(a Arch) names {
	if a == GPT1 {
		return names{"tokens_embed.weight", "positions_embed.weight"}
	}
	return names{"wte.weight", "wpe.weight"}
}

// New returns a model with random parameters: weights N(0, InitStd), those of the
// residual projections N(0, InitStd/√(2·layers)), biases 0, gains 1. Each parameter
// draws from a stream of its own, given by seed and name.
func New(c Config, seed uint64) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, byName: map[string]*Parameter{}}
	for _, s := range c.parameters() {
		m.add(s.parameter(seed))
	}
	if c.InitPositions == Sinusoids {
		c.sinusoids(m.weights(namesOf(c.Arch).positions))
	}
	return m, nil
}

// sinusoids fills a table of positions [T, D]: sines in the first half of the columns,
// cosines in the second, of wavelengths from 2π to 20,000π.
func (c Config) sinusoids(table []float32) {
	half := c.Width / 2
	size := math.Sqrt2 * c.initStd() // a sinusoid's standard deviation is its size/√2
	for i := range half {
		frequency := math.Pow(1e4, -float64(i)/float64(half))
		for t := range c.Context {
			sin, cos := math.Sincos(float64(t) * frequency)
			table[t*c.Width+i], table[t*c.Width+half+i] = float32(size*sin), float32(size*cos)
		}
	}
}

// NewZero returns a model whose parameters are 0, for weights that are read into it.
func NewZero(c Config) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, byName: map[string]*Parameter{}}
	for _, s := range c.parameters() {
		m.add(s.zero())
	}
	return m, nil
}

// zeros returns a tensor in memory of package kernel.
func zeros(shape tensor.Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(kernel.Memory(shape.TotalSize())))
}

// zero makes the parameter with zeros.
func (s spec) zero() *Parameter {
	return &Parameter{Name: s.name, Value: zeros(s.shape)}
}

// parameter makes the parameter with its values before training.
func (s spec) parameter(seed uint64) *Parameter {
	p := s.zero()
	name := fnv.New64a()
	name.Write([]byte(s.name))
	random := rand.New(rand.NewPCG(seed, name.Sum64()))
	v := p.Value.Float32s()
	for i := range v {
		v[i] = s.mean
		if s.std > 0 {
			v[i] += float32(random.NormFloat64() * s.std)
		}
	}
	return p
}

func (m *Model) add(p *Parameter) {
	m.Parameters = append(m.Parameters, p)
	m.byName[p.Name] = p
}

// Parameter returns the parameter of that name, or nil.
func (m *Model) Parameter(name string) *Parameter { return m.byName[name] }

// TokenTable returns the token embedding, [VocabSize, Width]; it is the output table too
// unless the head is untied.
func (m *Model) TokenTable() *Parameter { return m.byName[namesOf(m.Config.Arch).tokens] }

// head is the output table: the token embedding unless the head is untied.
func (m *Model) head() *Parameter {
	if m.Config.UntiedHead {
		return m.byName[headName]
	}
	return m.TokenTable()
}

// weights returns the values of a parameter.
func (m *Model) weights(name string) []float32 {
	p := m.byName[name]
	if p == nil {
		panic("model: no parameter " + name)
	}
	return p.Value.Float32s()
}

// ZeroGrad makes all gradients count as zero. It doesn't write their memory: the next run of a
// graph sets the gradients rather than adding to them.
func (m *Model) ZeroGrad() {
	for _, p := range m.Parameters {
		p.stale = true
	}
}

// clearIfUnset clears the gradient if no graph has set it since ZeroGrad.
func (p *Parameter) clearIfUnset() {
	if p.stale && p.Grad != nil {
		kernel.Clear(p.Grad.Float32s())
	}
	p.stale = false
}

// GradNorm is the L2 norm of all gradients together, without those of frozen elements.
func (m *Model) GradNorm() float64 {
	m.gradients = m.gradients[:0]
	for _, p := range m.Parameters {
		_, grad := p.Trained()
		m.gradients = append(m.gradients, grad)
	}
	return math.Sqrt(kernel.SumSquares(m.gradients...))
}

// NonFinite describes the first parameter that holds a NaN or an infinity, or if all
// parameters are finite, the first such gradient; "" if there is none.
func (m *Model) NonFinite() string {
	for _, p := range m.Parameters {
		if i := kernel.FirstNonFinite(p.Value.Float32s()); i >= 0 {
			return fmt.Sprintf("%s[%d] = %v", p.Name, i, p.Value.Float32s()[i])
		}
	}
	for _, p := range m.Parameters {
		if p.Grad == nil {
			continue
		}
		if i := kernel.FirstNonFinite(p.Grad.Float32s()); i >= 0 {
			return fmt.Sprintf("gradient of %s[%d] = %v", p.Name, i, p.Grad.Float32s()[i])
		}
	}
	return ""
}
