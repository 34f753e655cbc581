package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

const sorterFolder = "data/tiny_model/" // in ../shared

// sorter is minGPT's model that sorts six of three symbols.
func sorter(t *testing.T) *Model {
	t.Helper()
	m, err := ReadMinGPT(fixture.Read(t, sorterFolder+"gpt-nano-sort-model.json"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every activation that minGPT itself computed of the trained model for one batch, except the
// weights of attention, which are never stored here.
func TestSorterActivations(t *testing.T) {
	m := sorter(t)
	text := fixture.Read(t, sorterFolder+"gpt-nano-sort-t0-partials.json")
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	const batch, context = 3, 11
	reference := func(name string, shape ...int) []float32 {
		values, err := minGPTTensor(entries[name], spec{shape: tensor.Shape(shape)})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return values
	}

	g := m.NewGraph(batch, context, false)
	for i, v := range reference("idx", batch, context) {
		g.Tokens[i] = int32(v)
	}
	d, nodes := m.Config.Width, map[string]*G.Node{"ln_f": g.Hidden, "lm_head": g.Logits()}
	embed := func(name string) *G.Node {
		tokens, backing := g.Indices(name, batch*context)
		copy(backing, g.Tokens)
		return g.Embedding(tokens, g.param("wte.weight"), g.param("wpe.weight"), context)
	}
	// The parts of the first block, one by one.
	x := embed("first")
	nodes["x"] = x
	nodes["ln1"] = g.layerNorm(x, "h.0.ln_1")
	nodes["qkv"] = g.linear(nodes["ln1"], "h.0.attn.c_attn")
	nodes["y"] = g.CausalSelfAttention(nodes["qkv"], m.Config.Heads, context, 0)
	nodes["yProj"] = g.linear(nodes["y"], "h.0.attn.c_proj")
	nodes["attnResid"] = g.ResidualLinear(x, nodes["y"], g.param("h.0.attn.c_proj.weight"), g.param("h.0.attn.c_proj.bias"), 0)
	nodes["ln2"] = g.layerNorm(nodes["attnResid"], "h.0.ln_2")
	nodes["fc"] = g.linear(nodes["ln2"], "h.0.mlp.c_fc")
	nodes["mlpResid"] = g.feedForward(nodes["attnResid"], nodes["ln2"], "h.0.mlp.")
	// All blocks, as the model has them.
	x = embed("again")
	for i := range m.Config.Layers {
		x = g.block(x, block(i))
		nodes[fmt.Sprint("block", i)] = x
	}
	for _, n := range nodes {
		g.Keep(n)
	}
	if err := g.Compile(nil); err != nil {
		t.Fatal(err)
	}
	if err := g.Run(); err != nil {
		t.Fatal(err)
	}
	for name, node := range nodes {
		width := map[string]int{"qkv": 3 * d, "fc": 4 * d, "lm_head": m.Config.VocabSize}[name]
		if width == 0 {
			width = d
		}
		closeTo(t, name, node.Value().Data().([]float32), reference(name, batch, context, width))
	}
}

// The model sorts: greedily, all 729 sequences.
func TestSorterSorts(t *testing.T) {
	m := sorter(t)
	d, wrong := m.NewDecoder(1), 0
	for n := range 729 {
		input := make([]int32, 6)
		for i := range input {
			input[i] = int32(n % 3)
			n /= 3
		}
		var output []int32
		d.Reset(0)
		next := input
		for range input {
			if err := d.Append([]Input{{Sequence: 0, Tokens: next}}); err != nil {
				t.Fatal(err)
			}
			logits := d.Logits(0)
			best := int32(0)
			for i, v := range logits {
				if v > logits[best] {
					best = int32(i)
				}
			}
			output = append(output, best)
			next = output[len(output)-1:]
		}
		want := slices.Sorted(slices.Values(input))
		if !slices.Equal(output, want) {
			wrong++
			t.Logf("%v becomes %v", input, output)
		}
	}
	if wrong > 0 {
		t.Errorf("%d of 729 sequences aren't sorted", wrong)
	}
}

func TestMinGPTRefused(t *testing.T) {
	const config = `"config": {"n_layer": 1, "n_head": 1, "n_embd": 2, "vocab_size": 3, "block_size": 4}`
	entry := func(shape, dtype, data string) string {
		return fmt.Sprintf(`{%s, "transformer.wte.weight": {"shape": %s, "dtype": %q, "data": %q}}`, config, shape, dtype, data)
	}
	expect.Errors(t, map[string]string{
		"":                                       "not a configuration in JSON",
		"[]":                                     "expected",
		"{}":                                     `no entry "config"`,
		`{"config": {"n_layer": "a"}}`:           `config: key "n_layer" has a string`,
		`{"config": {"n_layer": 9}}`:             "config: 9 layers × 0, 0 tokens, context 0: more than there are tensors or bytes",
		`{"config": {"n_layer": 1}}`:             "config: model.heads is 0: expected 1 or more; ",
		"{" + config + "}":                       `tensor "transformer.wte.weight": missing`,
		entry("[3, 1]", "torch.float32", ""):     `tensor "transformer.wte.weight": shape [3 1], expected [3 2]`,
		entry("[3, 2]", "torch.float32", "AAAA"): "3 bytes of torch.float32, expected 24",
		entry("[3, 2]", "torch.float16", "AAAA"): "3 bytes of torch.float16",
		entry("[3, 2]", "torch.float32", "AA!A"): `tensor "transformer.wte.weight": data: illegal base64`,
		`{` + config + `, "transformer.wte.weight": 3}`: `tensor "transformer.wte.weight": `,
	}, func(text string) (*Model, error) { return ReadMinGPT([]byte(text)) })
}

// FuzzReadMinGPT: a file is refused in one line or is a model.
func FuzzReadMinGPT(f *testing.F) {
	f.Add([]byte(`{"config": {"n_layer": 1, "n_head": 1, "n_embd": 1, "vocab_size": 1, "block_size": 1}, "transformer.wte.weight": {"shape": [1, 1], "dtype": "torch.float32", "data": "AACAPw=="}}`))
	f.Add([]byte(`{"config": {"n_layer": 1, "n_head": 1, "n_embd": 4611686018427387904, "vocab_size": 4, "block_size": 1}, "transformer.wte.weight": {"shape": [4, 4611686018427387904], "dtype": "torch.float32", "data": ""}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ReadMinGPT(text)
		if err != nil {
			expect.OneLine(t, err, "")
			return
		}
		if err := m.Config.Validate(); err != nil {
			t.Error(err)
		}
	})
}
