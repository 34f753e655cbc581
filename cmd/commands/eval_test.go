package commands

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
)

// evalJSON runs eval and returns its report.
func evalJSON(t *testing.T, args ...string) (r evalReport) {
	t.Helper()
	out := succeed(t, append([]string{"eval", "--format", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEval(t *testing.T) {
	inTinyRun(t)
	split := evalJSON(t)
	if split.Run != "runs/tiny-1" || split.Step != 6 || split.Floor == 0 || math.Abs(split.Perplexity-math.Exp(split.Loss)) > 1e-9 {
		t.Errorf("%+v", split)
	}
	contains(t, succeed(t, "eval"), "windows:        documents, up to 24 tokens", "bits per byte: ", "floor: ")
	contains(t, succeed(t, "eval", "--stride", "12"), "windows:        24 tokens, stride 12")

	text := strings.Repeat("Mia went home. ", 20)
	fixture.Write(t, "text.txt", text)
	fixture.Stdin(t, text)
	file, stdin := evalJSON(t, "--data", "text.txt"), evalJSON(t, "--data", "-")
	if file != stdin || file.Bytes != len(text) || file.Floor != 0 {
		t.Errorf("file %+v, standard input %+v", file, stdin)
	}
	// Whatever overlaps, each token counts once; without overlap the first of each
	// window isn't predicted, nor are its bytes counted.
	half, none := evalJSON(t, "--data", "text.txt", "--stride", "12"), evalJSON(t, "--data", "text.txt", "--stride", "24")
	if half.Tokens != file.Tokens || half.Bytes != len(text) || half.Loss == file.Loss {
		t.Errorf("stride 12: %+v, by documents %+v", half, file)
	}
	if windows := (file.Tokens + 24) / 24; none.Tokens != file.Tokens-(windows-1) || none.Bytes >= len(text) || none.Bytes < len(text)-10*windows {
		t.Errorf("stride 24: %+v, by documents %+v", none, file)
	}
}

// Smaller weights are measured next to the trained ones, and write other texts.
func TestWeights(t *testing.T) {
	inTinyRun(t)
	plain := evalJSON(t)
	for _, p := range []string{"bfloat16", "int8"} {
		small := evalJSON(t, "--weights", p)
		if small.Before == nil || *small.Before != plain.measured || string(small.Weights) != p {
			t.Fatalf("%s: %+v, before %+v, want %+v", p, small, small.Before, plain.measured)
		}
		if change := math.Abs(small.Perplexity/plain.Perplexity - 1); change == 0 || change > 0.01 {
			t.Errorf("%s: perplexity %v, in float32 %v", p, small.Perplexity, plain.Perplexity)
		}
		contains(t, succeed(t, "eval", "--weights", p), "weights:        "+p+"; in brackets: float32", "a change of ")
		if out := succeed(t, "sample", "--weights", p, "Once there"); !strings.HasPrefix(out, "Once there") {
			t.Errorf("%s writes %q", p, out)
		}
	}
}

// The validation split is the run's own, whatever has become of its texts since; where
// they are needed, they are checked. Texts that came through a pipe can't be read again.
func TestEvalOfRunWithoutItsText(t *testing.T) {
	inTinyFolder(t)
	text := strings.Repeat("One and two and three. ", 100)
	fixture.Write(t, "text.txt", text)
	succeed(t, "train", "--config", "tiny.yaml", "--data", "text.txt", "--run", "mine")
	want := evalJSON(t, "--run", "mine")
	tokens := expect.File(t, "mine/validation.tokens")
	for what, change := range map[string]func(){
		"another text": func() { fixture.Write(t, "text.txt", strings.Repeat("Something else. ", 100)) },
		"no text":      func() { fixture.Remove(t, "text.txt") },
	} {
		change()
		if got := evalJSON(t, "--run", "mine"); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
		if again := expect.File(t, "mine/validation.tokens"); !bytes.Equal(again, tokens) {
			t.Errorf("%s: the run's tokens are replaced", what)
		}
	}
	fixture.Write(t, "text.txt", strings.Repeat("Something else. ", 100))
	fixture.Remove(t, "mine/validation.tokens")
	status, _, stderr := gpt("eval", "--run", "mine")
	if status != 1 || !strings.Contains(stderr, "the texts are not those that the run began with") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d: %s", status, stderr)
	}

	fixture.Stdin(t, text)
	out := succeed(t, "train", "--config", "tiny.yaml", "--data", "-", "--run", "piped")
	contains(t, out, `data.files ["-"]`)
	fixture.Stdin(t, "Somebody pipes something in. ")
	if got := evalJSON(t, "--run", "piped"); got.Loss != want.Loss || got.Bytes != want.Bytes {
		t.Errorf("from standard input: %+v, want %+v", got, want)
	}
	contains(t, succeed(t, "train", "--resume", "--run", "piped", "--set", "train.steps=8"), "step 8/8")
	fixture.Remove(t, "piped/validation.tokens")
	contains(t, refused(t, 1, "eval", "--run", "piped"), "came through a pipe and can't be read again")
}

// A text with nothing to predict has no perplexity.
func TestEvalOfNothing(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "text.txt", strings.Repeat("abc def ", 100))
	succeed(t, "train", "--config", "tiny.yaml", "--data", "text.txt", "--set", "tokenizer.kind=char", "--set", "model.context=1")
	for _, args := range [][]string{{"--stride", "1"}, {"--stride", "1", "--format", "json"}} {
		status, stdout, stderr := gpt(append([]string{"eval"}, args...)...)
		if status != 1 || stdout != "" || !strings.Contains(stderr, "nothing to predict") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("eval %v: exit %d\n%s%s", args, status, stdout, stderr)
		}
	}
}

// A checkpoint from a stage with a shorter context is evaluated on that context, and the
// report says so.
func TestEvalInStage(t *testing.T) {
	inTinyFolder(t)
	out := succeed(t, "train", "--config", "tiny.yaml", "--set", "train.stages=[{until: 0.99, layers: 1, context: 12}]")
	contains(t, out, "stage 1:", "bits per byte, context 12 so far")
	contains(t, succeed(t, "eval"), "windows:        documents, up to 12 tokens, as trained so far")
	contains(t, succeed(t, "eval", "--stride", "12"), "windows:        24 tokens, stride 12\n")
}

// A text by a checkpoint from a stage keeps to that context, which standard error says.
func TestSampleInStage(t *testing.T) {
	inTinyFolder(t)
	succeed(t, "train", "--config", "tiny.yaml", "--set", "train.stages=[{until: 0.99, layers: 1, context: 12}]")
	status, _, stderr := gpt("sample", "--max-tokens", "30", "Once")
	if status != 0 || strings.Count(stderr, "was trained on contexts of 12 tokens so far: the model's context is cut to them, from 24\n") != 1 ||
		!strings.Contains(stderr, "longer than the model's context of 12 tokens") {
		t.Errorf("exit %d, %s", status, stderr)
	}
	var said bytes.Buffer
	m, err := servedModel(&said, "runs/tiny-1", "", model.Float32)
	if err != nil || m.Config.Context != 12 || !strings.Contains(said.String(), "contexts of 12 tokens so far") {
		t.Errorf("%v, %+v, %s", err, m, said.String())
	}
	succeed(t, "train", "--config", "tiny.yaml", "--run", "runs/whole", "--set", "train.stages=[{until: 0.5, layers: 1, context: 12}]")
	if _, _, stderr := gpt("sample", "--run", "runs/whole", "--checkpoint", "last", "--max-tokens", "5", "Once"); strings.Contains(stderr, "so far") {
		t.Errorf("the end of the training: %s", stderr)
	}
}
