package commands

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/internal/terminal"
	"tinygpt/study/scaling"
)

// gpt runs a command line.
func gpt(args ...string) (status int, stdout, stderr string) {
	defer debug.SetGCPercent(100) // which a training lowers for the rest of its process
	var out, errs bytes.Buffer
	status = execute(context.Background(), append([]string{"gpt"}, args...), &out, &errs)
	return status, out.String(), errs.String()
}

// succeed runs a command line that must work and returns what it printed.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	status, stdout, stderr := gpt(args...)
	if status != 0 {
		t.Fatalf("gpt %s: exit %d\n%s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

// refused runs a command line that must end with that status, and returns what it says.
func refused(t *testing.T, want int, args ...string) string {
	t.Helper()
	status, _, stderr := gpt(args...)
	if status != want {
		t.Errorf("gpt %s: exit %d, want %d\n%s", strings.Join(args, " "), status, want, stderr)
	}
	return stderr
}

// refuse checks that commands fail: each line of the table has the status, the words after gpt,
// and what the one line on standard error says (' stands for a backquote too).
func refuse(t *testing.T, table string) {
	t.Helper()
	for row := range strings.Lines(strings.TrimSpace(table)) {
		want, rest, _ := strings.Cut(strings.TrimSpace(row), " | ")
		line, message, ok := strings.Cut(rest, " | ")
		if !ok {
			t.Fatalf("%q: expected a status, a command and a message", row)
		}
		status, _, stderr := gpt(words(t, line)...)
		if strconv.Itoa(status) != want || !strings.Contains(strings.ReplaceAll(stderr, "`", "'"), message) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("gpt %s: exit %d, want %s with one line of %q:\n%s", line, status, want, message, stderr)
		}
	}
}

// tiny is a configuration that trains in a moment.
const tiny = `
data: {stories_bytes: 20000, windows: documents}
tokenizer: {kind: bpe, vocab_size: 300}
model: {layers: 2, heads: 2, width: 16, context: 24}
train: {steps: 6, batch_size: 2, warmup_steps: 2, eval_interval: 3, sample_interval: 0, checkpoint_interval: 2}
sample: {temperature: 0.8, max_tokens: 8}
`

// inTinyFolder makes an empty folder, with tiny.yaml, the present one.
func inTinyFolder(t *testing.T) {
	t.Helper()
	inFolderOf(t, tiny)
}

// inFolderOf goes to a folder with a configuration as tiny.yaml.
func inFolderOf(t *testing.T, config string) {
	t.Helper()
	t.Chdir(fixture.Files(t, map[string]string{"tiny.yaml": config}))
}

// tinyAsked is tiny with a context that few-shot prompts fit into.
var tinyAsked = strings.Replace(tiny, "context: 24", "context: 256", 1)

// inTinyRun goes to a folder with tiny.yaml and the run of it, runs/tiny-1.
func inTinyRun(t *testing.T) {
	t.Helper()
	inTinyFolder(t)
	succeed(t, "train", "--config", "tiny.yaml")
}

func init() {
	once := sync.OnceValues(func() (scaling.Speed, error) { return scaling.MeasureWide(context.Background()) })
	measureWide = func(context.Context) (scaling.Speed, error) { return once() }
}

// contains reports each text that out lacks.
func contains(t *testing.T, out string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("%q is missing in\n%s", text, out)
		}
	}
}

// The two commands of the README, on a small scale.
func TestTrainAndSample(t *testing.T) {
	inTinyFolder(t)
	out := succeed(t, "train", "--config", "tiny.yaml")
	contains(t, out, "configuration:    file tiny.yaml\nrun folder:       runs", "parameters: ", "steps:            6, each of 48 tokens\n", "memory: ",
		"loss at step 0:   about", "(ln 300 is 5.704)", "loss to approach: ", "step 6/6", "step 3: validation loss", "done: 6 steps", "floor: ", "--prompt")
	for _, name := range []string{"config.yaml", "tokenizer.json", "tokenizer_config.json", "metrics.jsonl", "loss.svg", "samples.txt",
		"best.safetensors", "last.safetensors", "training.tokens", "validation.tokens"} {
		expect.File(t, "runs", "tiny-1", name)
	}

	first := succeed(t, "sample", "--prompt", "Once there", "--seed", "3")
	if !strings.HasPrefix(first, "Once there") || len(first) < len("Once there")+2 {
		t.Errorf("sampled %q", first)
	}
	if again := succeed(t, "sample", "--run", "runs/tiny-1", "--prompt", "Once there", "--seed", "3"); again != first {
		t.Errorf("the same seed gives %q and %q", first, again)
	}
	if other := succeed(t, "sample", "--prompt", "Once there", "--seed", "4"); other == first {
		t.Errorf("two seeds give %q", first)
	}
	// A prompt of more tokens than the context: the window slides.
	long := strings.Repeat("They went to the market. ", 20)
	if got := succeed(t, "sample", "--prompt", long, "--temperature", "0"); !strings.HasPrefix(got, long) {
		t.Errorf("sampled %q", got)
	}

	contains(t, succeed(t, "eval"), "runs/tiny-1, step 6", "bits per byte: ", "floor: ")
	fixture.Write(t, "text.txt", strings.Repeat("Mia went home. ", 20))
	contains(t, succeed(t, "eval", "--data", "text.txt"), "300 bytes")

	// The next run gets a folder of its own and is the latest from then on.
	succeed(t, "train", "--config", "tiny.yaml", "--set", "train.steps=1")
	contains(t, succeed(t, "eval"), "runs/tiny-2, step 1")
}

// interrupter is a terminal whose user stops the run when a text appears.
type interrupter struct {
	bytes.Buffer
	at   string
	stop func()
}

func (w *interrupter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.at) {
		w.stop()
	}
	return w.Buffer.Write(p)
}

func TestInterruptAndResume(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "text.txt", strings.Repeat("One and two and three. ", 100))
	train := []string{"gpt", "train", "--config", "tiny.yaml", "--data", "text.txt", "--set", "train.seed=7", "--run", "mine"}
	ctx, cancel := context.WithCancel(context.Background())
	out := &interrupter{at: "step 3: validation loss", stop: cancel}
	if status := execute(ctx, train, out, io.Discard); status != 130 {
		t.Fatalf("exit %d\n%s", status, out.String())
	}
	contains(t, out.String(), "stopped after step 3; saved in mine", " train --resume --run mine")

	resumed := succeed(t, "train", "--resume", "--run", "mine")
	contains(t, resumed, "resuming mine at step 3 of 6\n", "step 6/6")
	if strings.Contains(resumed, "parameters:") {
		t.Errorf("a resume says what is known:\n%s", resumed)
	}

	finished := succeed(t, "train", "--resume", "--run", "mine")
	contains(t, finished, "mine is finished: it has made all its 6 steps\n", "train on with: ", " train --resume --run mine --set train.steps=12\n")
	if strings.Contains(finished, "step 6/6") {
		t.Errorf("a finished run is trained:\n%s", finished)
	}
	contains(t, succeed(t, "train", "--resume", "--run", "mine", "--set", "train.steps=8"), "step 8/8", "note: the learning rate goes from ")

	fixture.Write(t, "text.txt", "Another text.")
	status, _, stderr := gpt("train", "--resume", "--run", "mine", "--set", "train.steps=9")
	if status != 1 {
		t.Errorf("exit %d", status)
	}
	contains(t, stderr, "the texts are not those that the run began with")
}

// Bad input gets one clear line and the exit status 1, or 2 for wrong usage, and
// leaves no run behind.
func TestBadInput(t *testing.T) {
	inTinyRun(t)
	fixture.Write(t, "empty.txt", "")
	fixture.Write(t, "short.txt", "Too short for a window of tokens.")
	fixture.Write(t, "latin1.txt", "one\ntwo\ncaf\xe9 noir\n")
	fixture.Write(t, "letters.txt", strings.Repeat("abc def. ", 100))
	fixture.Write(t, "unknown.yaml", "train:\n  learing_rate: 1e-3\n")
	fixture.Write(t, "type.yaml", "model:\n  layers: many\n")
	for _, dir := range []string{"nothing", "unfinished", "truncated", "altered", "mixed", "swapped", "latin"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyTo := func(dir string, change func(name string, text []byte) []byte) {
		for _, name := range []string{"config.yaml", "tokenizer.json", "best.safetensors", "last.safetensors"} {
			text := expect.File(t, "runs", "tiny-1", name)
			if text = change(name, text); text != nil {
				fixture.Write(t, filepath.Join(dir, name), string(text))
			}
		}
	}
	weights := func(change func(text []byte) []byte) func(string, []byte) []byte {
		return func(name string, text []byte) []byte {
			if strings.HasSuffix(name, ".safetensors") {
				return change(text)
			}
			return text
		}
	}
	copyTo("unfinished", weights(func([]byte) []byte { return nil }))
	copyTo("truncated", weights(func(text []byte) []byte { return text[:len(text)-100] }))
	copyTo("altered", weights(func(text []byte) []byte { text[len(text)-100] ^= 1; return text }))
	copyTo("mixed", func(name string, text []byte) []byte {
		if name == "config.yaml" {
			return bytes.ReplaceAll(text, []byte("vocab_size: 300"), []byte("vocab_size: 310"))
		}
		return text
	})
	copyTo("swapped", func(name string, text []byte) []byte {
		if name == "tokenizer.json" {
			return bytes.Replace(bytes.Replace(bytes.Replace(text, []byte(`"!": 0`), []byte(`"!": X`), 1), []byte(`"#": 2`), []byte(`"#": 0`), 1), []byte("X"), []byte("2"), 1)
		}
		return text
	})
	succeed(t, "train", "--config", "tiny.yaml", "--set", "tokenizer.kind=char", "--data", "letters.txt", "--run", "letters")

	refuse(t, `
2 | trian | no command "trian": did you mean gpt train?
2 | train --confg tiny.yaml | confg
2 | train tiny.yaml | train takes flags only, found "tiny.yaml"
1 | train --config none.yaml | none.yaml: no such file, and no preset of that name
1 | train --config unknown.yaml | unknown.yaml:2:3: unknown key "learing_rate": did you mean train.learning_rate?
1 | train --config type.yaml | type.yaml:2:11: found "many", expected a whole number
1 | train --config tiny.yaml --set model.heads=3 | model.heads is 3, which doesn't divide model.width 16
1 | train --config tiny.yaml --set data.stories_bytes=1000000000000000 | data.stories_bytes of 1000000000000000 needs about
1 | plan --config tiny.yaml --set data.stories_bytes=1000000000000000 | data.stories_bytes of 1000000000000000 needs about
1 | vectors train --set data.stories_bytes=1000000000000000 | data.stories_bytes of 1000000000000000 needs about
1 | vectors train --epochs 9223372036854775807 | vectors.epochs is 9223372036854775807: expected 1 to 1000000
1 | plan --config tiny.yaml --set train.steps=9223372036854775807 | train.steps is 9223372036854775807: expected 1000000000 or less
1 | train --config tiny.yaml --set train.gradient_accumulation_steps=9223372036854775807 | expected 1000000 or less
1 | train --config tiny.yaml --on-spike stop | train.on_spike is "stop": expected skip
1 | train --config tiny.yaml --set model.layer=3 | did you mean model.layers?
1 | train --config tiny.yaml --set layers | expected section.key=value
1 | train --config tiny.yaml --data none.txt | none.txt: no such file
1 | train --config tiny.yaml --data empty.txt | empty.txt: the file is empty
1 | train --config tiny.yaml --data short.txt | a context of 24 needs at least 25
1 | train --config tiny.yaml --data latin1.txt | latin1.txt:3: byte 0xe9 at offset 11 is not UTF-8
1 | train --config gpt2-124m.yaml | no text: give --data FILE
1 | train --config tiny.yaml --run runs/tiny-1 | runs/tiny-1 holds a run already: continue it with --resume
2 | train --resume --config tiny.yaml | leave out --config
2 | train --resume --set model.layers=3 | can only change train settings
1 | train --resume --run nothing | not the folder of a run
1 | train --resume --run truncated --set train.steps=9 | truncated/last.safetensors
1 | train --resume --run altered --set train.steps=9 | altered/last.safetensors
1 | sample --run nothing | not the folder of a run
1 | sample --run unfinished | no checkpoint (best.safetensors or last.safetensors)
1 | sample --run truncated | truncated/best.safetensors
1 | sample --run altered | altered/best.safetensors
1 | sample --run mixed | its tokenizer has 300 tokens, the model of config.yaml 310
1 | sample --run swapped | is not the one that the model was trained with
2 | sample --checkpoint middle | --checkpoint is "middle": expected best or last
1 | sample --run letters --prompt abcZ | 'Z'
2 | sample --temperature -1 | temperature is -1
2 | sample --top-k -1 | top-k is -1
2 | sample --max-tokens 0 | max-tokens is 0
2 | sample --num-samples 0 | --num-samples is 0
2 | sample --temperature warm | --temperature warm: expected a number
2 | sample --top-k 1.5 | --top-k 1.5: expected a whole number
2 | sample --top-p 0 | top-p is 0: expected more than 0
2 | sample --min-p 1.5 | min-p is 1.5
2 | sample --repetition-penalty 0 | repetition-penalty is 0
2 | sample --stop= --prompt a | a stop text is empty
2 | sample --format xml | --format is "xml": expected text or json
2 | sample one two | found 2 arguments: put it in quotes
2 | sample --prompt one two | given more than once: found an argument and --prompt
1 | sample --prompt-file none.txt | none.txt
2 | eval --stride 0 | --stride is 0: expected 1 to 24, the model's context
2 | eval --stride 25 | --stride is 25: expected 1 to 24
2 | eval --weights int4 | --weights is "int4": expected float32, bfloat16 or int8; did you mean int8?
2 | sample --weights int4 | --weights is "int4"
2 | eval --format xml | --format is "xml"
1 | eval --run letters --data latin1.txt | latin1.txt:3:
1 | eval --run letters --data short.txt | 'T'
1 | verify none | none
1 | verify nothing | nothing
`)
	if entries, _ := os.ReadDir("runs"); len(entries) != 1 {
		t.Errorf("runs left behind: %v", entries)
	}
}

func TestVerify(t *testing.T) {
	short, long := succeed(t, "verify"), succeed(t, "verify", "--all")
	contains(t, short, "lm.grad ", "38 of 38", "within bounds")
	contains(t, long, "lm.grad.h.0.attn.c_attn.weight ", "adamw.final.wte.weight ")
	if lines := strings.Count(short, "\n"); lines > 40 || strings.Count(long, "\n") < 200 {
		t.Errorf("%d lines:\n%s", lines, short)
	}
	for line := range strings.Lines(short + long) {
		if terminal.Columns(line) > 80 {
			t.Errorf("longer than 80 columns: %q", line)
		}
	}
	contains(t, succeed(t, "verify", "--format", "json"), `{"case":"GPT-1`, `"name":"lm.loss","absolute":`)
}
