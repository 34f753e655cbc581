package run

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/model/gguf"
	"tinygpt/model/modeltest"
	"tinygpt/model/safetensors"
	"tinygpt/tokenizer"
)

// theirs is a folder that transformers wrote.
func theirs(t *testing.T, name string) string {
	t.Helper()
	return fixture.Own(t, "model/testdata/"+name)
}

// equal compares weights.
func equal(t *testing.T, what string, got, want *model.Model) {
	t.Helper()
	if len(got.Parameters) != len(want.Parameters) {
		t.Fatalf("%s: %d parameters, want %d", what, len(got.Parameters), len(want.Parameters))
	}
	for i, p := range want.Parameters {
		if q := got.Parameters[i]; q.Name != p.Name || !slices.Equal(q.Value.Float32s(), p.Value.Float32s()) {
			t.Errorf("%s: %s differs", what, p.Name)
		}
	}
}

// What is imported, exported and imported again is the same model, with the same
// tokens.
func TestImportExport(t *testing.T) {
	for _, name := range []string{"gpt2", "openai-gpt", "gpt2-float16", "gpt2-bfloat16", "gpt2-relu", "gpt2-silu"} {
		t.Run(name, func(t *testing.T) {
			from := theirs(t, name)
			t.Chdir(t.TempDir())
			want, _, err := model.ReadHuggingFace(os.DirFS(from), nil)
			if err != nil {
				t.Fatal(err)
			}
			tok, err := tokenizer.ReadHuggingFace(from)
			if err != nil {
				t.Fatal(err)
			}
			const text = "Anna's letter: 3 \"windmills\", 50%."
			ids, err := tok.Encode(text)
			if err != nil {
				t.Fatal(err)
			}
			for i, from := range []string{from, "again"} {
				r, leftOut, err := Import(from, "", nil)
				if err != nil {
					t.Fatal(err)
				}
				if leftOut != nil || r.Kind != Imported {
					t.Errorf("%s: left out %v, kind %s", name, leftOut, r.Kind)
				}
				if r, err = Open(r.Dir); err != nil {
					t.Fatal(err)
				}
				m, state, err := r.Model("")
				if err != nil || state.Step != 0 {
					t.Fatalf("%v, step %d", err, state.Step)
				}
				equal(t, name+" from "+from, m, want)
				if got, err := r.Tokenizer.Encode(text); err != nil || !slices.Equal(got, ids) {
					t.Errorf("%s from %s: token ids %v, want %v: %v", name, from, got, ids, err)
				}
				if i == 0 {
					if _, err := r.Export("", "again", HuggingFace, "", nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			expect.Folder(t, ".", "again", Root)
			if left, _ := filepath.Glob("again/*.tmp*"); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A table with more rows than the tokenizer has tokens is kept, and its further ids
// stand for nothing.
func TestImportPadded(t *testing.T) {
	from := theirs(t, "gpt2-float16")
	t.Chdir(t.TempDir())
	r, _, err := Import(from, "padded", nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Config.Model.VocabSize != 285 || r.Tokenizer.VocabSize() != 285 {
		t.Errorf("%d and %d tokens", r.Config.Model.VocabSize, r.Tokenizer.VocabSize())
	}
	if text, err := r.Tokenizer.Decode([]int32{280, 40, 284}); err != nil || len(text) != 1 {
		t.Errorf("decoded as %q: %v", text, err)
	}
}

// What can't be imported is refused in one line and leaves nothing behind.
func TestImportRefused(t *testing.T) {
	from := theirs(t, "gpt2")
	t.Chdir(t.TempDir())
	spoiled := func(dir string, spoil func(name string, text []byte) []byte) {
		for _, name := range []string{"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} {
			text := expect.File(t, from, name)
			if text = spoil(name, text); text != nil {
				fixture.Write(t, filepath.Join(dir, name), text)
			}
		}
	}
	without := func(file string) func(string, []byte) []byte {
		return func(name string, text []byte) []byte {
			if name == file {
				return nil
			}
			return text
		}
	}
	spoiled("no-config", without("config.json"))
	spoiled("no-weights", without("model.safetensors"))
	spoiled("no-tokenizer", without("tokenizer.json"))
	spoiled("cut", func(name string, text []byte) []byte {
		if name == "model.safetensors" {
			return text[:len(text)-1]
		}
		return text
	})
	// The model of one and the tokenizer of the other.
	spoiled("few", func(name string, text []byte) []byte {
		if name == "model.safetensors" || name == "config.json" {
			return nil
		}
		return text
	})
	small := modeltest.New(t, model.Config{Arch: model.GPT2, Layers: 1, Heads: 1, Width: 4, Context: 4, VocabSize: 279}, 1)
	if err := small.WriteHuggingFace("few", "", -1, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"text.json", "model.bin"} {
		fixture.Write(t, name, "a text")
	}
	for dir, want := range map[string]string{
		"none":         "none: no such folder: expected one with config.json",
		"no-config":    "no-config: no config.json in it",
		"no-weights":   "no-weights: no model.safetensors, no model.safetensors.index.json and no pytorch_model.bin in it",
		"no-tokenizer": "no-tokenizer: no tokenizer in it",
		"cut":          "cut: model.safetensors: truncated",
		"few":          "few: the tokenizer has 280 tokens, the model 279",
		"model.bin":    "model.bin is a file: expected the folder that it is in",
		"text.json":    "text.json: not a configuration in JSON",
	} {
		_, _, err := Import(dir, "", nil)
		expect.OneLine(t, err, want)
	}
	stop := errors.New("stopped")
	if _, _, err := Import(from, "", func(_, _ int64) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	expect.NoFile(t, Root)
}

func TestExportRefused(t *testing.T) {
	gpt1, gpt2 := theirs(t, "openai-gpt"), theirs(t, "gpt2")
	t.Chdir(t.TempDir())
	old, _, err := Import(gpt1, "old", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := Import(gpt2, "new", nil)
	if err != nil {
		t.Fatal(err)
	}
	large, _, err := r.Model("")
	if err != nil {
		t.Fatal(err)
	}
	large.Parameters[3].Value.Float32s()[0] = 1e6
	loud, err := Create("loud", "", Text, r.Config, r.Tokenizer, large)
	if err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, "full/config.json", "{}")
	for want, c := range map[string]struct {
		run    *Run
		to     string
		format Format
		narrow safetensors.Dtype
	}{
		"full/config.json is there already":          {r, "full", HuggingFace, ""},
		`format is "onnx"`:                           {r, "empty", "onnx", ""},
		"tokenizer gpt1 doesn't encode bytes":        {old, "empty", GGUF, ""},
		"value 1e+06 is out of the range of float16": {loud, "empty", HuggingFace, safetensors.F16},
	} {
		_, err := c.run.Export("", c.to, c.format, c.narrow, nil)
		expect.OneLine(t, err, want)
	}
	stop := errors.New("stopped")
	for _, format := range []Format{HuggingFace, GGUF} {
		if _, err := r.Export("", "empty", format, "", func(done, total int64) error {
			if done > total/2 {
				return stop
			}
			return nil
		}); !errors.Is(err, stop) {
			t.Errorf("%s: %v", format, err)
		}
	}
	expect.NoFile(t, "empty")
	expect.Folder(t, "full", "config.json")
	// A folder may have files of others, and both formats.
	fixture.Remove(t, "full/config.json")
	fixture.Write(t, "full/README.md", "")
	for _, format := range []Format{HuggingFace, GGUF} {
		if _, err := r.Export("best", "full", format, safetensors.BF16, nil); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"README.md", "config.json", "model.safetensors", "model.gguf", "tokenizer.json"} {
		expect.File(t, "full", name)
	}
}

// The metadata that llama.cpp reads a vocabulary from.
func TestGGUFVocabulary(t *testing.T) {
	tok, err := tokenizer.ReadHuggingFace(theirs(t, "gpt2"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ggufVocabulary(tok)
	if err != nil || !slices.Contains(plain, gguf.Pair{Key: "tokenizer.ggml.add_bos_token", Value: false}) {
		t.Errorf("the tokenizer adds nothing to a text: %v", err)
	}
	if tok, err = tokenizer.WithBegin(tok, 0); err != nil {
		t.Fatal(err)
	}
	pairs, err := ggufVocabulary(tok)
	if err != nil {
		t.Fatal(err)
	}
	value := map[string]any{}
	for _, p := range pairs {
		value[p.Key] = p.Value
	}
	names, types := value["tokenizer.ggml.tokens"].([]string), value["tokenizer.ggml.token_type"].([]int32)
	if len(names) != 280 || len(types) != 280 || names[0] != "<|endoftext|>" || types[0] != 3 || names[1] != "!" || types[1] != 1 {
		t.Errorf("tokens %q… of types %v…", names[:2], types[:2])
	}
	if merges := value["tokenizer.ggml.merges"].([]string); len(merges) != 23 || strings.Count(merges[0], " ") != 1 {
		t.Errorf("merges %q", merges)
	}
	if value["tokenizer.ggml.model"] != "gpt2" || value["tokenizer.ggml.pre"] != "gpt-2" || value["tokenizer.ggml.eos_token_id"] != uint32(0) ||
		value["tokenizer.ggml.bos_token_id"] != uint32(0) || value["tokenizer.ggml.add_bos_token"] != true {
		t.Errorf("%v", value)
	}
	digits, err := tokenizer.NewSymbols("012")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ggufVocabulary(digits); err == nil {
		t.Error("a vocabulary of characters was taken")
	}
}

// minGPT's sorter becomes a run of digits.
func TestImportMinGPT(t *testing.T) {
	path := fixture.Path(t, "data/tiny_model/gpt-nano-sort-model.json")
	t.Chdir(t.TempDir())
	r, _, err := Import(path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = Open(r.Dir); err != nil {
		t.Fatal(err)
	}
	if r.Dir != filepath.FromSlash("runs/gpt-nano-sort-model-1") {
		t.Errorf("the run is %s", r.Dir)
	}
	m, _, err := r.Model("")
	if err != nil {
		t.Fatal(err)
	}
	if m.Config.Layers != 3 || m.Config.VocabSize != 3 || !m.Config.UntiedHead {
		t.Errorf("%+v", m.Config)
	}
	if ids, err := r.Tokenizer.Encode("0212"); err != nil || !slices.Equal(ids, []int32{0, 2, 1, 2}) {
		t.Errorf("%v %v", ids, err)
	}
}
