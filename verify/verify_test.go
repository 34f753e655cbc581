package verify

import (
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"math"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEmbeddedCases(t *testing.T) {
	for _, dir := range Embedded() {
		for _, c := range run(t, dir) {
			if !c.Pass {
				t.Errorf("%s: absolute error %.2e, relative %.2e, bound %s", c.Name, c.Absolute, c.Relative, c.Bound)
			}
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

// A quantity whose reference is another is out of bounds, and no other is.
func TestSpoiledCases(t *testing.T) {
	for _, dir := range Embedded() {
		whole := map[string][]byte{}
		for _, name := range []string{"config.json", "model.safetensors", "score.safetensors", "case.safetensors"} {
			text, err := fs.ReadFile(dir, name)
			if err != nil {
				t.Fatal(err)
			}
			whole[name] = text
		}
		tensors := 0
		for _, check := range run(t, dir) {
			text := spoil(whole["case.safetensors"], check.Name)
			if text == nil {
				continue // a scalar, in the metadata
			}
			tensors++
			spoiled := fstest.MapFS{"case.safetensors": {Data: text}}
			for _, name := range []string{"config.json", "model.safetensors", "score.safetensors"} {
				spoiled[name] = &fstest.MapFile{Data: whole[name]}
			}
			for _, c := range run(t, spoiled) {
				if c.Pass == (c.Name == check.Name) {
					t.Errorf("with another %s, %s passes: %v", check.Name, c.Name, c.Pass)
				}
			}
		}
		if tensors < 20 {
			t.Errorf("only %d quantities were spoiled", tensors)
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
	for want, dir := range map[string]fstest.MapFS{
		"config.json":      {},
		"case.safetensors": {"config.json": {Data: config}},
		"model_type":       {"config.json": {Data: []byte(`{"model_type": "bert"}`)}},
	} {
		if _, err := Run(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to name %s", err, want)
		}
	}
}
