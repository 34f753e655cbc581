package model

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/safetensors"
)

// The models that transformers made with study/verify/python/check_huggingface.py. What they
// compute is tested in package verify.
var transformersModels = map[string]Config{
	"gpt2":          {Arch: GPT2, Layers: 2, Heads: 2, Width: 8, Context: 16, VocabSize: 280, Dropout: 0.1, LayerNormEpsilon: 1e-5},
	"openai-gpt":    {Arch: GPT1, Layers: 2, Heads: 2, Width: 8, Context: 16, VocabSize: 120, Dropout: 0.1, LayerNormEpsilon: 1e-5},
	"gpt2-float16":  {Arch: GPT2, Layers: 2, Heads: 2, Width: 8, Context: 16, VocabSize: 285, Dropout: 0.1, LayerNormEpsilon: 1e-6, UntiedHead: true},
	"gpt2-bfloat16": {Arch: GPT2, Layers: 2, Heads: 2, Width: 8, Context: 16, VocabSize: 280, Dropout: 0.1, LayerNormEpsilon: 1e-5},
	"gpt2-relu":     {Arch: GPT2, Layers: 2, Heads: 2, Width: 8, Context: 16, VocabSize: 280, Dropout: 0.1, LayerNormEpsilon: 1e-5, Activation: ReLU, InnerWidth: 12},
	"gpt2-silu":     {Arch: GPT2, Layers: 2, Heads: 2, Width: 8, Context: 16, VocabSize: 280, Dropout: 0.1, LayerNormEpsilon: 1e-5, Activation: SiLU, InnerWidth: 40},
}

// A model comes back from our folder as it was, and rounded if asked to be.
func TestHuggingFaceRoundTrip(t *testing.T) {
	for name, want := range transformersModels {
		m, leftOut, err := ReadHuggingFace(os.DirFS("testdata/"+name), nil)
		if err != nil {
			t.Fatal(err)
		}
		if m.Config != want || leftOut != nil {
			t.Errorf("%s: %+v, left out %v", name, m.Config, leftOut)
		}
		for _, narrow := range []safetensors.Dtype{"", safetensors.F16, safetensors.BF16} {
			dir := t.TempDir()
			if err := m.WriteHuggingFace(dir, narrow, 7, nil); err != nil {
				t.Fatal(err)
			}
			back, _, err := ReadHuggingFace(os.DirFS(dir), nil)
			if err != nil {
				t.Fatal(err)
			}
			if back.Config != m.Config {
				t.Errorf("%s: %+v comes back as %+v", name, m.Config, back.Config)
			}
			// Half a unit in the last place: 11 bits of binary16, 8 of bfloat16.
			bound := map[safetensors.Dtype]float64{"": 0, safetensors.F16: 0x1p-11, safetensors.BF16: 0x1p-8}[narrow]
			if strings.HasSuffix(name, "float16") && narrow == safetensors.F16 && name != "gpt2-bfloat16" || name == "gpt2-bfloat16" && narrow == safetensors.BF16 {
				bound = 0 // they have that width already
			}
			for i, p := range m.Parameters {
				for j, v := range p.Value.Float32s() {
					got := back.Parameters[i].Value.Float32s()[j]
					if d := math.Abs(float64(got - v)); !(d <= bound*math.Abs(float64(v))+bound*0x1p-13) {
						t.Fatalf("%s as %q: %s[%d] is %v, was %v", name, narrow, p.Name, j, got, v)
					}
				}
			}
		}
	}
}

// The config.json that is written has the same value as transformers' own for every key.
func TestHuggingFaceConfigWritten(t *testing.T) {
	for name, c := range transformersModels {
		text := expect.File(t, "testdata", name, configFile)
		var theirs, ours map[string]any
		if err := json.Unmarshal(text, &theirs); err != nil {
			t.Fatal(err)
		}
		eot := int32(-1)
		if id, ok := theirs["eos_token_id"].(float64); ok {
			eot = int32(id)
		}
		if err := json.Unmarshal(c.HuggingFace(eot, theirs["dtype"].(string)), &ours); err != nil {
			t.Fatal(err)
		}
		for key, value := range ours {
			if want, ok := theirs[key]; !ok || fmt.Sprint(value) != fmt.Sprint(want) {
				t.Errorf("%s: %s is %v, transformers has %v", name, key, value, want)
			}
		}
		if len(ours) < 15 {
			t.Errorf("%s: only %d keys", name, len(ours))
		}
	}
}

// A key that is absent has transformers' value: the published models'.
func TestHuggingFaceDefaults(t *testing.T) {
	for text, want := range map[string]int64{`{"model_type": "gpt2"}`: 124439808, `{"model_type": "openai-gpt", "n_inner": null}`: 116534784} {
		c, err := ParseHuggingFace([]byte(text))
		if err != nil || c.ParameterCount() != want || c.Heads != 12 || c.Dropout != 0.1 {
			t.Errorf("%s: %+v %v", text, c, err)
		}
	}
}

func TestHuggingFaceConfigRefused(t *testing.T) {
	for settings, want := range map[string]string{
		`"model_type": "llama"`:                     `model_type is "llama": expected gpt2 or openai-gpt`,
		`"model_type": 2`:                           `key "model_type" has a number, expected string`,
		`"n_embd": "wide"`:                          `key "n_embd" has a string, expected int`,
		`"n_embd": 1.5`:                             `key "n_embd" has a number 1.5, expected int`,
		`"n_layer": 0`:                              "n_layer is 0: expected 1 or more",
		`"n_positions": -1`:                         "n_positions is -1",
		`"n_head": 7`:                               "n_head is 7, which doesn't divide n_embd 768",
		`"activation_function": "mish"`:             `activation_function is "mish": only gelu_new (the tanh form of GELU), gelu, relu and silu are`,
		`"eos_token_id": "end"`:                     `"eos_token_id" has a string`,
		`"model_type": "openai-gpt", "afn": "tanh"`: `afn is "tanh"`,
		`"n_inner": 0`:                              "n_inner is 0: expected 1 or more",
		`"add_cross_attention": true`:               "add_cross_attention is true",
		`"pruned_heads": {"0": [1]}`:                "pruned_heads isn't empty",
		`"quantization_config": {"bits": 4}`:        "quantization_config is set",
		`"layer_norm_epsilon": 0`:                   "layer_norm_epsilon is 0",
		`"layer_norm_epsilon": 1e38`:                "layer_norm_epsilon is 1e+38",
		`"resid_pdrop": 1`:                          "resid_pdrop is 1",
		`"n_head": 12, "activation_function": "gelu_pytorch_tanh"`:     "",
		`"model_type": "openai-gpt", "afn": "gelu", "n_ctx": 512`:      "",
		`"quantization_config": null, "pruned_heads": {}, "n_ctx": 99`: "",
	} {
		if !strings.Contains(settings, "model_type") {
			settings = `"model_type": "gpt2", ` + settings
		}
		_, err := ParseHuggingFace([]byte("{" + settings + "}"))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", settings, err)
			}
			continue
		}
		expect.OneLine(t, err, want)
	}
	_, err := ParseHuggingFace([]byte("gpt2"))
	expect.OneLine(t, err, "not a configuration in JSON")
}

// altered is the folder gpt2 of the testdata with changed tensors and configuration.
func altered(t *testing.T, tensors func([]safetensors.Tensor) []safetensors.Tensor, config ...string) fs.FS {
	t.Helper()
	m, _, err := ReadHuggingFace(os.DirFS("testdata/gpt2"), nil)
	if err != nil {
		t.Fatal(err)
	}
	path := fixture.NewPath(t, "w")
	if err := safetensors.Write(path, tensors(m.Tensors()), nil); err != nil {
		t.Fatal(err)
	}
	weights := expect.File(t, path)
	text := string(m.Config.HuggingFace(-1, "float32"))
	text = strings.NewReplacer(config...).Replace(text)
	return fstest.MapFS{configFile: {Data: []byte(text)}, weightsFile: {Data: weights}}
}

func same(list []safetensors.Tensor) []safetensors.Tensor { return list }

func TestHuggingFaceWeightsRefused(t *testing.T) {
	without := func(name string) func([]safetensors.Tensor) []safetensors.Tensor {
		return func(list []safetensors.Tensor) []safetensors.Tensor {
			return slices.DeleteFunc(list, func(t safetensors.Tensor) bool { return t.Name == name })
		}
	}
	with := func(name string, n int) func([]safetensors.Tensor) []safetensors.Tensor {
		return func(list []safetensors.Tensor) []safetensors.Tensor {
			return append(list, safetensors.Tensor{Name: name, Shape: []int{n}, Data: make([]float32, n)})
		}
	}
	transposed := func(list []safetensors.Tensor) []safetensors.Tensor {
		for i := range list {
			if list[i].Name == "h.1.attn.c_attn.weight" {
				list[i].Shape = []int{24, 8}
			}
		}
		return list
	}
	for want, dir := range map[string]fs.FS{
		"no config.json in it": fstest.MapFS{},
		"no model.safetensors, no model.safetensors.index.json and no pytorch_model.bin":  fstest.MapFS{configFile: {Data: []byte(`{"model_type": "gpt2"}`)}},
		"pytorch_model.bin: neither of the two forms of torch.save":                       fstest.MapFS{configFile: {Data: []byte(`{"model_type": "gpt2"}`)}, "pytorch_model.bin": {}},
		"config.json: n_head is 3, which doesn't divide n_embd 8":                         altered(t, same, `"n_head": 2`, `"n_head": 3`),
		`no tensor "h.1.ln_2.bias" in the weights`:                                        altered(t, without("h.1.ln_2.bias")),
		`no tensor "lm_head.weight" in the weights, though tie_word_embeddings`:           altered(t, same, `"tie_word_embeddings": true`, `"tie_word_embeddings": false`),
		`tensor "h.1.attn.c_attn.weight" has shape [24 8], the model of config.json asks`: altered(t, transposed),
		`tensor "wte.weight" has shape [280 8], the model of config.json asks`:            altered(t, same, `"vocab_size": 280`, `"vocab_size": 281`),
		`tensors "ln_f.bias" and "transformer.ln_f.bias" are the same parameter`:          altered(t, with("transformer.ln_f.bias", 8)),
		`tensor "h.2.ln_1.bias" has no place in the model of config.json with 2 layers`:   altered(t, with("h.2.ln_1.bias", 8)),
		`no tensor "h.2.ln_1.weight" in the weights`:                                      altered(t, same, `"n_layer": 2`, `"n_layer": 3`),
		"n_layer in config.json is 2000000000, the weights have 28 tensors":               altered(t, same, `"n_layer": 2`, `"n_layer": 2000000000`),
		`has shape [280 8], the model of config.json asks for [280 8000000000]`:           altered(t, same, `"n_embd": 8`, `"n_embd": 8000000000`),
	} {
		_, _, err := ReadHuggingFace(dir, nil)
		expect.OneLine(t, err, want)
	}
}

// Tensors besides the parameters: those of other heads are named, buffers aren't, and a head that
// equals the embedding is the embedding.
func TestHuggingFaceExtraTensors(t *testing.T) {
	var head []float32
	extra := func(list []safetensors.Tensor) []safetensors.Tensor {
		if head == nil {
			head = slices.Clone(list[0].Data.([]float32))
		}
		return append(list,
			safetensors.Tensor{Name: "score.weight", Shape: []int{2, 8}, Data: make([]float32, 16)},
			safetensors.Tensor{Name: "transformer.h.1.attn.bias", Shape: []int{1, 1, 16, 16}, Data: make([]float32, 256)},
			safetensors.Tensor{Name: "h.0.attn.masked_bias", Data: []float32{-1e4}},
			safetensors.Tensor{Name: headName, Shape: []int{280, 8}, Data: head})
	}
	m, leftOut, err := ReadHuggingFace(altered(t, extra), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(leftOut, []string{"score.weight"}) || m.Config.UntiedHead || m.Parameter(headName) != nil {
		t.Errorf("left out %v, untied %v", leftOut, m.Config.UntiedHead)
	}
	head[2239]++
	if m, _, err = ReadHuggingFace(altered(t, extra), nil); err != nil {
		t.Fatal(err)
	}
	if p := m.Parameter(headName); !m.Config.UntiedHead || m.head() != p || !slices.Equal(p.Value.Float32s(), head) {
		t.Errorf("the head isn't the file's: untied %v", m.Config.UntiedHead)
	}
	if len(m.Parameters) != len(m.Config.parameters()) {
		t.Errorf("%d parameters, expected %d", len(m.Parameters), len(m.Config.parameters()))
	}
}

// Progress ends with the total, and an error of it ends the work.
func TestHuggingFaceProgress(t *testing.T) {
	var last int64
	m, _, err := ReadHuggingFace(os.DirFS("testdata/gpt2"), func(done, total int64) error {
		if done <= last || done > total {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
		return nil
	})
	if err != nil || last != m.Config.ParameterCount() {
		t.Errorf("%d: %v", last, err)
	}
	stop := errors.New("stop")
	if _, _, err := ReadHuggingFace(os.DirFS("testdata/gpt2"), func(_, _ int64) error { return stop }); err != stop {
		t.Error(err)
	}
}

// A shorter context changes no logit of tokens within it.
func TestCrop(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		m := tiny(t, arch)
		tokens := randomTokens(4, m.Config.VocabSize, 1)
		before := logits(t, m, tokens, 1)
		if err := m.Crop(4); err != nil {
			t.Fatal(err)
		}
		closeTo(t, "cropped", logits(t, m, tokens, 1), before)
		if m.Config.Context != 4 || m.Parameters[1].Value.Shape()[0] != 4 {
			t.Errorf("%+v", m.Config)
		}
		for _, n := range []int{0, 5} {
			expect.OneLine(t, m.Crop(n), fmt.Sprintf("model.context is %d: the weights have 4 positions", n))
		}
	}
}

// FuzzParseHuggingFace: a configuration is refused in one line or is valid.
func FuzzParseHuggingFace(f *testing.F) {
	for name := range transformersModels {
		text := expect.File(f, "testdata", name, configFile)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseHuggingFace(text)
		if err != nil {
			expect.OneLine(t, err, "")
			return
		}
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		back, err := ParseHuggingFace(c.HuggingFace(-1, ""))
		if err != nil || back != c {
			t.Errorf("%+v comes back as %+v: %v", c, back, err)
		}
	})
}

// Variants of a folder that transformers reads and some programs write give the right model.
func TestHuggingFaceVariants(t *testing.T) {
	want, _, err := ReadHuggingFace(os.DirFS("testdata/gpt2"), nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens := randomTokens(7, want.Config.VocabSize, 1)
	rename := func(from, to string) func([]safetensors.Tensor) []safetensors.Tensor {
		return func(list []safetensors.Tensor) []safetensors.Tensor {
			for i := range list {
				if list[i].Name == from {
					list[i].Name = to
				}
			}
			return list
		}
	}
	unbiased := func(kinds ...string) func([]safetensors.Tensor) []safetensors.Tensor {
		return func(list []safetensors.Tensor) []safetensors.Tensor {
			return slices.DeleteFunc(list, func(t safetensors.Tensor) bool {
				return strings.HasSuffix(t.Name, ".bias") && slices.ContainsFunc(kinds, func(k string) bool { return strings.Contains(t.Name, k) })
			})
		}
	}
	config := func(from, to string) fs.FS { return altered(t, same, from, to) }
	header := func(change func(string) string) fs.FS {
		dir := altered(t, same).(fstest.MapFS)
		data := dir[weightsFile].Data
		n := binary.LittleEndian.Uint64(data)
		text := change(string(data[8 : 8+n]))
		changed := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
		dir[weightsFile].Data = append(append(changed, text...), data[8+n:]...)
		return dir
	}
	for what, dir := range map[string]fs.FS{
		"the tied table as lm_head.weight only": altered(t, rename("wte.weight", headName)),
		"eos_token_id a list":                   config(`"eos_token_id": null`, `"eos_token_id": [7, 9]`),
		"bos_token_id an empty list":            config(`"bos_token_id": null`, `"bos_token_id": []`),
		"no linear biases":                      altered(t, unbiased("attn", "mlp")),
		"no biases":                             altered(t, unbiased("attn", "mlp", "ln_")),
		"white space around the header":         header(func(h string) string { return "\n\t " + h + "\r\n\t " }),
		"__metadata__: null":                    header(func(h string) string { return `{"__metadata__": null, ` + h[strings.Index(h, "}")+2:] }),
		"activation_function gelu_pytorch_tanh": config(`"gelu_new"`, `"gelu_pytorch_tanh"`),
	} {
		m, leftOut, err := ReadHuggingFace(dir, nil)
		if err != nil || leftOut != nil {
			t.Errorf("%s: left out %v, %v", what, leftOut, err)
			continue
		}
		expected := want
		if strings.Contains(what, "biases") {
			expected, _, err = ReadHuggingFace(os.DirFS("testdata/gpt2"), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range expected.Parameters {
				if strings.HasSuffix(p.Name, ".bias") && (what == "no biases" || !strings.Contains(p.Name, "ln_")) {
					clear(p.Value.Float32s())
				}
			}
		}
		if !slices.Equal(logits(t, m, tokens, 1), logits(t, expected, tokens, 1)) {
			t.Errorf("%s: other logits", what)
		}
	}
}

// The exact form of GELU is read, computed by graph and decoder alike, written for
// transformers, and refused where it would be taken for the tanh form.
func TestExactGELU(t *testing.T) {
	m, _, err := ReadHuggingFace(altered(t, same, `"gelu_new"`, `"gelu"`), nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens := randomTokens(9, m.Config.VocabSize, 1)
	d := m.NewDecoder(1)
	appendTo(t, d, Input{Tokens: tokens})
	exact := slices.Clone(d.Logits(0))
	closeTo(t, "the decoder's logits", exact, next(t, m, tokens))
	m.Config.Activation = GELUNew
	tanh := next(t, m, tokens)
	difference := 0.0
	for i := range tanh {
		difference = max(difference, math.Abs(float64(exact[i]-tanh[i])))
	}
	if difference == 0 || difference > 1e-3 {
		t.Errorf("the two forms differ by up to %v in a logit", difference)
	}
	m.Config.Activation = GELU
	if text := string(m.Config.HuggingFace(-1, "")); !strings.Contains(text, `"activation_function": "gelu"`) {
		t.Errorf("written as\n%s", text)
	}
	expect.OneLine(t, m.WriteGGUF(fixture.NewPath(t, "m.gguf"), "m", nil, "", nil), "model.activation is gelu: llama.cpp")
	m.Config.Arch = GPT1
	expect.OneLine(t, m.WriteHuggingFace(t.TempDir(), "", -1, nil), "model.activation is gelu: transformers' openai-gpt")
	m.Config.Activation, m.Config.InnerWidth = ReLU, 7
	expect.OneLine(t, m.WriteHuggingFace(t.TempDir(), "", -1, nil), "model.inner_width is 7: transformers' openai-gpt")
	m.Config.Activation = "mish"
	expect.OneLine(t, m.Config.Validate(), `model.activation is "mish"`)
}
