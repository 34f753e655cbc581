package commands

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/safetensors"
)

// imported goes to a folder with the run of a model that transformers made.
func imported(t *testing.T, name string) {
	t.Helper()
	from := fixture.Own(t, "model/testdata/"+name)
	t.Chdir(t.TempDir())
	fixture.Write(t, "text.txt", strings.Repeat("The sea was calm, and the gulls followed the ferry.\n", 40))
	contains(t, succeed(t, "import", from, "--run", "theirs"), "imported "+from+" into theirs", "2 layers × 8, 2 heads, context 16", " parameters", "sample --run theirs", "train --from theirs --data FILE")
}

// weights reads a tensor of a checkpoint.
func weights(t *testing.T, path, name string) []float32 {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Info(name)
	values := make([]float32, info.Len())
	if err := f.Float32(name, values); err != nil {
		t.Fatal(err)
	}
	return values
}

// An imported run is one like others: it writes, is measured, is trained on, and
// goes out again.
func TestImportedRun(t *testing.T) {
	for name, table := range map[string]string{"gpt2": "wte.weight", "openai-gpt": "tokens_embed.weight"} {
		t.Run(name, func(t *testing.T) {
			imported(t, name)
			if out := succeed(t, "sample", "--run", "theirs", "--prompt", "the sea", "--max-tokens", "5"); !strings.HasPrefix(out, "the sea") {
				t.Errorf("sampled %q", out)
			}
			contains(t, succeed(t, "eval", "--run", "theirs", "--data", "text.txt"), "theirs, step 0", "bits per byte: ")

			// A rate of 0 leaves the weights as they were taken over.
			out := succeed(t, "train", "--from", "theirs", "--data", "text.txt", "--run", "still", "--set", "train.steps=2",
				"--set", "train.learning_rate=0", "--set", "train.min_learning_rate=0")
			contains(t, out, "configuration:    that of theirs\n", "weights:          those of ", "done: 2 steps")
			if strings.Contains(out, "loss at step 0") {
				t.Errorf("the loss of random weights is foretold:\n%s", out)
			}
			if !slices.Equal(weights(t, "still/last.safetensors", table), weights(t, "theirs/best.safetensors", table)) {
				t.Error("the run doesn't begin with the weights of the other")
			}
			// One that learns, with a shorter context, stopped and resumed.
			succeed(t, "train", "--from", "theirs", "--data", "text.txt", "--run", "moved", "--set", "train.steps=3",
				"--set", "model.context=8", "--set", "model.dropout=0", "--set", "train.learning_rate=1e-2")
			if slices.Equal(weights(t, "moved/last.safetensors", table), weights(t, "theirs/best.safetensors", table)) {
				t.Error("nothing was learned")
			}
			contains(t, succeed(t, "train", "--resume", "--run", "moved", "--set", "train.steps=5"), "resuming moved at step 3")
			contains(t, succeed(t, "config", "moved"), "  context: 8\n", "  dropout: 0\n")
			// And from that one in turn.
			contains(t, succeed(t, "train", "--from", "moved", "--run", "third"), "moved at the start", "done: 5 steps")

			contains(t, succeed(t, "export", "--run", "moved", "--to", "out", "--dtype", "bfloat16"), "exported moved to out", "from_pretrained(\"out\")")
			contains(t, succeed(t, "import", "out"), "imported out into runs/out-1", "context 8,")
		})
	}
}

// A run trained here goes to llama.cpp.
func TestExportGGUF(t *testing.T) {
	inTinyRun(t)
	contains(t, succeed(t, "export", "--to", "out", "--as", "gguf"), "exported runs/tiny-1 to out/model.gguf", "llama-cli -m out/model.gguf")
	if text := expect.File(t, "out/model.gguf"); !bytes.HasPrefix(text, []byte("GGUF")) {
		t.Errorf("%.8q", text)
	}
}

func TestBadInterchange(t *testing.T) {
	imported(t, "gpt2")
	if err := os.Mkdir("nothing", 0o755); err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, "own.yaml", "model: {layers: 1, heads: 1, width: 8, context: 8}\ndata: {val_fraction: 0.2}\ntrain: {steps: 2}\n")
	succeed(t, "export", "--run", "theirs", "--to", "out")
	refuse(t, `
2 | import | import takes one folder or file, found 0 arguments
2 | import a b | found 2 arguments
1 | import none | none: no such folder: expected one with config.json
1 | import nothing | nothing: no tokenizer in it
1 | import out --run theirs | theirs holds a run already
2 | import out --to x | no flag --to
2 | export | export needs a folder to write into: --to FOLDER
2 | export more --to x | export takes flags only, found "more"
1 | export --run theirs --to out | out/config.json is there already: name another folder
2 | export --run theirs --to x --dtype int8 | --dtype is "int8": expected bfloat16, float16 or float32
2 | export --run theirs --to x --as onnx | --as is "onnx": expected huggingface or gguf
1 | export --run nothing --to x | not the folder of a run
1 | export --run theirs --to x --checkpoint last | no checkpoint (last.safetensors)
1 | train --from nothing --data text.txt | --from: 
1 | train --from theirs | no text: give --data FILE
1 | train --from theirs --data text.txt --set model.layers=3 | model and tokenizer are those of theirs: only model.dropout can be changed
1 | train --from theirs --data text.txt --set tokenizer.kind=byte | model and tokenizer are those of theirs
1 | train --from theirs --data text.txt --set model.context=17 | model.context is 17: theirs has 16 positions
1 | train --from theirs --config own.yaml --data none.txt | none.txt: no such file
1 | train --config theirs/config.yaml --data text.txt | weights.from of the configuration: 
1 | train --resume --run theirs | theirs was imported, and there is no training to resume
2 | train --resume --run theirs --from theirs | leave out --from
1 | train --config own.yaml --data text.txt --set tokenizer.kind=imported | tokenizer.kind is imported: such a tokenizer belongs to the weights of a run
1 | eval --run theirs | no text: give --data FILE
`)
	for _, left := range []string{"x", "runs"} {
		expect.NoFile(t, left)
	}
	// With --config, settings are from there, and the model isn't.
	contains(t, succeed(t, "train", "--from", "theirs", "--config", "own.yaml", "--verbose", "--data", "text.txt"), "runs/own-1", "  layers: 2\n", "  val_fraction: 0.2\n", "done: 2 steps")
}
