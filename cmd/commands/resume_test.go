package commands

import (
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/configs"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/internal/terminal"
	"tinygpt/run"
)

// What a run is resumed with is kept: config.yaml says what it trains with.
func TestResumeKeepsSettings(t *testing.T) {
	inTinyRun(t)
	out := succeed(t, "train", "--resume", "--set", "train.steps=9", "--set", "train.checkpoint_interval=1")
	contains(t, out, "step 9/9", "note: the learning rate goes from ")
	text := expect.File(t, "runs/tiny-1/config.yaml")
	contains(t, string(text), "kind: text\n", "  steps: 9\n", "  checkpoint_interval: 1\n", "\nfound:\n", "  text_sha256: ")
	if out := succeed(t, "train", "--resume", "--set", "train.grad_clip=0.5", "--set", "train.steps=10"); strings.Contains(out, "checkpoint_interval: 2") {
		t.Errorf("a setting of the last resume is forgotten:\n%s", out)
	}
	// What fails changes nothing.
	before := expect.File(t, "runs/tiny-1/config.yaml")
	if status, _, _ := gpt("train", "--resume", "--set", "train.steps=3"); status != 1 {
		t.Errorf("exit %d", status)
	}
	if after := expect.File(t, "runs/tiny-1/config.yaml"); string(after) != string(before) {
		t.Errorf("config.yaml was changed by a resume that failed:\n%s", after)
	}
}

// A run that patience ended says so, and isn't resumed as if it had steps left.
func TestStoppedEarly(t *testing.T) {
	inTinyFolder(t)
	// A rate of 0: no evaluation is better than the first.
	out := succeed(t, "train", "--config", "tiny.yaml", "--set", "train.steps=100", "--set", "train.patience=2", "--set", "train.eval_interval=1",
		"--set", "train.learning_rate=0", "--set", "train.min_learning_rate=0")
	contains(t, out, "stopped early, at step 3 of 100: 2 evaluations in a row brought nothing better (train.patience)")
	if strings.Contains(out, "NaN") {
		t.Error(out)
	}
	contains(t, succeed(t, "train", "--resume"), "is finished: it stopped early at step 3: its last 2 evaluations", " --set train.patience=0\n")
	contains(t, succeed(t, "train", "--resume", "--set", "train.patience=0", "--set", "train.steps=5"), "done: 5 steps")
}

// One process trains in a run's folder at a time.
func TestTrainInUse(t *testing.T) {
	inTinyRun(t)
	unlock, err := run.Lock("runs/tiny-1")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, args := range [][]string{{"train", "--resume", "--set", "train.steps=9"}, {"train", "--config", "tiny.yaml", "--run", "runs/tiny-1"}} {
		status, _, stderr := gpt(args...)
		if status != 1 || !strings.Contains(stderr, "is in use by process ") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d: %s", args, status, stderr)
		}
	}
	succeed(t, "eval") // which only reads
}

// Of two checkpoints of which one is damaged, the other one is named.
func TestDamagedCheckpoint(t *testing.T) {
	inTinyRun(t)
	damage := func(name string) (restore func()) {
		path := filepath.Join("runs", "tiny-1", name)
		text := expect.File(t, path)
		fixture.Write(t, path, string(text[:len(text)-9]))
		return func() { fixture.Write(t, path, string(text)) }
	}
	fails := func(want string, args ...string) {
		t.Helper()
		status, _, stderr := gpt(args...)
		if status != 1 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("gpt %s: exit %d: %s, want %s", strings.Join(args, " "), status, stderr, want)
		}
	}
	restore := damage("last.safetensors")
	fails("best.safetensors is undamaged: --checkpoint best uses it, and `gpt train --from runs/tiny-1`", "train", "--resume", "--set", "train.steps=9")
	fails("best.safetensors is undamaged", "eval", "--checkpoint", "last")
	succeed(t, "eval")
	restore()
	damage("best.safetensors")
	fails("last.safetensors is undamaged: --checkpoint last uses it", "eval")
}

// A warm-up that is longer than the training is pointed out.
func TestLongWarmUp(t *testing.T) {
	inTinyFolder(t)
	contains(t, succeed(t, "train", "--config", "tiny.yaml", "--set", "train.warmup_steps=12"), "note: train.warmup_steps is 12 and train.steps 6: the learning rate only gets to 0.0005,")
}

// Commands that are printed can be copied, whatever the folder is called.
func TestPrintedCommands(t *testing.T) {
	inTinyFolder(t)
	contains(t, succeed(t, "train", "--config", "tiny.yaml", "--run", "my runs/it's 1"), `sample --run 'my runs/it'"'"'s 1' --prompt '`)
}

// A preset's share for validation is meant for large texts. Of a small one more is held
// out, and the number said, unless the user has chosen it; the proposed prompt is a line's
// beginning.
func TestSmallText(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "book.txt", strings.Repeat("It was a dark night.\nNobody knew it yet, and the wind was cold.\n", 300)) // 19,200 bytes
	args := []string{"train", "--config", "small.yaml", "--data", "book.txt", "--tokenizer", "byte", "--set", "model.layers=1", "--set", "model.context=32", "--set", "train.stages=[]",
		"--set", "model.width=16", "--set", "model.heads=1", "--set", "train.steps=2", "--set", "train.warmup_steps=1"}
	out := succeed(t, args...)
	contains(t, out, "validation:       1,9", "note: 1 % of this small text would say little: 10 % of it are held out for validation", "with train.steps 2 (not 1776)\n", "with data.files [book.txt] (not [])\n")
	if !strings.Contains(out, "--prompt 'It was a'\n") && !strings.Contains(out, "--prompt 'Nobody knew it'\n") {
		t.Errorf("the prompt is no line's beginning:\n%s", out)
	}
	for line := range strings.Lines(out) {
		if terminal.Columns(line) > 81 && !strings.Contains(line, "note:") && !strings.Contains(line, "write with:") && !strings.Contains(line, "sample") && !strings.Contains(line, "  with ") {
			t.Errorf("longer than 80 columns: %q", line)
		}
	}
	c, _, err := configs.Load("runs/small-1/config.yaml")
	if err != nil || c.Data.ValFraction != 0.1 {
		t.Errorf("%v, %v", c.Data.ValFraction, err)
	}
	contains(t, succeed(t, "train", "--resume", "--set", "train.steps=3"), "done: 3 steps")
	if out = succeed(t, append(args, "--set", "data.val_fraction=0.02")...); strings.Contains(out, "small text") {
		t.Error(out)
	}
	contains(t, succeed(t, append(args, "--verbose")...), "  vocab_size: 257\n", "weights, gradients and optimiser")
}
