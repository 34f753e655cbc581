package verify

import (
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"testing"
	"testing/fstest"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/safetensors"
)

func TestEmbeddedCases(t *testing.T) {
	for _, dir := range Embedded() {
		inBounds(t, dir, "lm.hidden", "lm.logits", "lm.loss", "lm.grad_norm", "adamw.loss", "adamw.lr", "muon.loss", "greedy.tokens")
	}
}

// Models that transformers made and computed, in all forms that it writes: one
// file and several, float32, float16 and bfloat16, tied and untied.
func TestTransformersCases(t *testing.T) {
	for _, name := range []string{"gpt2", "openai-gpt", "gpt2-float16", "gpt2-bfloat16", "gpt2-relu", "gpt2-silu"} {
		t.Run(name, func(t *testing.T) {
			inBounds(t, os.DirFS("../../model/testdata/"+name), "lm.hidden", "lm.logits", "greedy.tokens")
		})
	}
}

// inBounds runs a case and asks for checks of these names among those that pass.
func inBounds(t *testing.T, dir fs.FS, names ...string) {
	t.Helper()
	passed := map[string]bool{}
	for _, c := range run(t, dir) {
		passed[c.Name] = c.Pass
		if !c.Pass {
			t.Errorf("%s: absolute error %.2e, relative %.2e, bound %s", c.Name, c.Absolute, c.Relative, c.Bound)
		}
	}
	for _, name := range names {
		if !passed[name] {
			t.Errorf("%s wasn't compared", name)
		}
	}
}

func run(t *testing.T, dir fs.FS) []Check {
	t.Helper()
	checks, err := Run(dir)
	if err != nil {
		t.Fatal(err)
	}
	return checks
}

// Quantities whose reference is another are out of bounds, and no others are. Of any two,
// some run spoils one alone: they have other bits in their numbers.
func TestSpoiledCases(t *testing.T) {
	for _, dir := range Embedded() {
		files := fstest.MapFS{}
		for _, name := range []string{"config.json", "model.safetensors", "score.safetensors", "case.safetensors"} {
			text, err := fs.ReadFile(dir, name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: text}
		}
		whole := files["case.safetensors"].Data
		var tensors []string
		for _, c := range run(t, dir) {
			if spoil(whole, c.Name) != nil { // no scalar, in the metadata
				tensors = append(tensors, c.Name)
			}
		}
		if len(tensors) < 20 {
			t.Errorf("only %d quantities can be spoiled", len(tensors))
		}
		for bit := 1; bit <= len(tensors); bit *= 2 {
			text, spoiled := whole, map[string]bool{}
			for i, name := range tensors {
				if spoiled[name] = (i+1)&bit != 0; spoiled[name] {
					text = spoil(text, name)
				}
			}
			files["case.safetensors"] = &fstest.MapFile{Data: text}
			for _, c := range run(t, files) {
				if c.Pass == spoiled[c.Name] {
					t.Errorf("%s passes: %v, with another reference: %v", c.Name, c.Pass, spoiled[c.Name])
				}
			}
		}
	}
}

// spoil returns the safetensors file with 1 added to the last number of a tensor;
// nil if it has no such tensor.
func spoil(file []byte, name string) []byte {
	start := 8 + binary.LittleEndian.Uint64(file)
	var header map[string]struct {
		Dtype   string
		Offsets [2]uint64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(file[8:start], &header); err != nil {
		return nil
	}
	entry, ok := header[name]
	if !ok {
		return nil
	}
	out := append([]byte(nil), file...)
	last := out[:start+entry.Offsets[1]]
	switch entry.Dtype {
	case "F32":
		at := last[len(last)-4:]
		binary.LittleEndian.PutUint32(at, math.Float32bits(math.Float32frombits(binary.LittleEndian.Uint32(at))+1))
	case "F64":
		at := last[len(last)-8:]
		binary.LittleEndian.PutUint64(at, math.Float64bits(math.Float64frombits(binary.LittleEndian.Uint64(at))+1))
	default:
		last[len(last)-8]++
	}
	return out
}

func TestIncompleteCase(t *testing.T) {
	config, err := fs.ReadFile(Embedded()[0], "config.json")
	if err != nil {
		t.Fatal(err)
	}
	weights, err := fs.ReadFile(Embedded()[0], "model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	path := fixture.NewPath(t, "case")
	one := []int{1, 1}
	if err := safetensors.Write(path, []safetensors.Tensor{{Name: "tokens", Shape: one, Data: []int32{0}}, {Name: "targets", Shape: one, Data: []int32{0}}}, nil); err != nil {
		t.Fatal(err)
	}
	empty := expect.File(t, path)
	for want, dir := range map[string]fstest.MapFS{
		"config.json":          {},
		"no model.safetensors": {"config.json": {Data: config}},
		"case.safetensors":     {"config.json": {Data: config}, "model.safetensors": {Data: weights}},
		"to compare with":      {"config.json": {Data: config}, "model.safetensors": {Data: weights}, "case.safetensors": {Data: empty}},
		"model_type":           {"config.json": {Data: []byte(`{"model_type": "bert"}`)}},
	} {
		_, err := Run(dir)
		expect.Error(t, err, want)
	}
}
