package run

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/configs"
	"tinygpt/finetune"
	"tinygpt/internal/capacity"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

const moods = `{"text":"all is well","label":"glad"}
{"text":"nothing is well","label":"sad"}
`

// finetunedBy is trained for a fine-tuning.
func finetunedBy(t *testing.T, c configs.Config, dir string, team *Team) *Finetuning {
	t.Helper()
	f, err := Finetune(c, FinetuneOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	f.Team = team
	if _, err := f.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// writeRows writes a table of texts with two labels.
func writeRows(t *testing.T, path string) {
	t.Helper()
	var rows strings.Builder
	rows.WriteString("text\tlabel\n")
	for i := range 40 {
		fmt.Fprintf(&rows, "A text with the number %d in it.\t%s\n", i*i, []string{"odd", "even"}[i%2])
	}
	fixture.Write(t, path, rows.String())
}

// Settings of a configuration that a fine-tuning has from the run that it starts from are
// noted; those of that run aren't.
func TestLeftOut(t *testing.T) {
	start := finetuned(t, moods)
	for wanted, set := range map[string][]string{
		"": {"model.dropout=0.3"}, "section model is left out": {"model.layers=3"}, "section tokenizer is left out": {"tokenizer.kind=byte"}, "section data is left out": {"data.quizzes=0.5"},
	} {
		c, err := configs.Preset("finetune.yaml")
		if err != nil {
			t.Fatal(err)
		}
		c.Finetune = start.Config.Finetune
		c.Finetune.From, c.Finetune.Scratch = start.Dir, false
		for _, s := range set {
			if err := c.Set(s); err != nil {
				t.Fatal(err)
			}
		}
		f, err := Finetune(c, FinetuneOptions{Dir: filepath.Join(t.TempDir(), "mine")})
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if notes := strings.Join(f.Notes, "; "); !strings.Contains(notes, wanted) || wanted == "" && notes != "" || len(f.Notes) > 1 {
			t.Errorf("%v: noted %q, want %q", set, notes, wanted)
		}
	}
	c := start.Config
	c.Finetune.From, c.Finetune.Scratch = start.Dir, false
	f, err := Finetune(c, FinetuneOptions{Dir: filepath.Join(t.TempDir(), "mine")})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Notes) > 0 {
		t.Errorf("with the run's own settings: noted %q", f.Notes)
	}
}

// A fine-tuning that is resumed with other settings is what one with these settings from
// the start is, and its folder says so.
func TestResumeFinetuningWithSettings(t *testing.T) {
	whole := finetuned(t, moods, "finetune.epochs=8", "finetune.evaluations=4", "train.decay=linear")
	part := finetuned(t, moods, "finetune.epochs=4", "finetune.evaluations=2", "train.decay=linear")
	before := part.Session.Train.Steps
	f, err := ResumeFinetuning(part.Dir, "finetune.epochs=8", "finetune.evaluations=4", "train.patience=0")
	if err != nil {
		t.Fatal(err)
	}
	if f.First != before || f.Session.Train.Steps != whole.Session.Train.Steps || len(f.Notes) != 1 || !strings.Contains(f.Notes[0], "learning rate") {
		t.Errorf("goes on at step %d of %d, noting %q", f.First, f.Session.Train.Steps, f.Notes)
	}
	if _, err := f.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := Open(part.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Config; c.Finetune.Epochs != 8 || c.Finetune.Evaluations != 4 || c.Train.Patience != 0 || c.Train.Steps != whole.Session.Train.Steps {
		t.Errorf("its folder has epochs %d, evaluations %d, patience %d, steps %d", c.Finetune.Epochs, c.Finetune.Evaluations, c.Train.Patience, c.Train.Steps)
	}
	again, err := ResumeFinetuning(part.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.First != whole.Session.Train.Steps || len(again.Notes) != 1 || !strings.Contains(again.Notes[0], "all 16 steps are made") {
		t.Errorf("at the end: step %d, %q", again.First, again.Notes)
	}
}

// What would change the task of a fine-tuning, or would be overwritten, is refused.
func TestResumeFinetuningRefuses(t *testing.T) {
	f := finetuned(t, moods)
	for setting, want := range map[string]string{
		"finetune.task=similarity": "can only change",
		"model.layers=2":           "can only change",
		"train.steps=9":            "follows from finetune.epochs",
		"train.eval_interval=9":    "follows from finetune.evaluations",
		"finetune.epochs=1":        "more than the 4 of these settings",
		"finetune.lambda=0":        "",
	} {
		g, err := ResumeFinetuning(f.Dir, setting)
		switch {
		case err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", setting, err, want)
		case err == nil:
			g.Close()
		}
	}
	part := finetuned(t, moods, "finetune.examples=12")
	_, err := ResumeFinetuning(part.Dir, "finetune.epochs=30", "train.seed=2")
	expect.Error(t, err, "with another one it would go on with other examples")
}

// A fine-tuning that is far too large for the computer's memory is refused with the
// settings that mend it; more than all examples are no larger batch.
func TestFinetuneMemory(t *testing.T) {
	f := finetuned(t, moods, "train.batch_size=1000000000", "train.gradient_accumulation_steps=1000000")
	if c := f.Session.Train; c.BatchSize != 36 || c.GradientAccumulationSteps != 1 {
		t.Errorf("batches of %d, %d to an update", c.BatchSize, c.GradientAccumulationSteps)
	}
	restore := capacity.Pretend(1 << 16)
	_, err := Finetune(f.Config, FinetuneOptions{Dir: t.TempDir()})
	restore()
	if err == nil || !strings.Contains(err.Error(), "lower train.batch_size or finetune.max_length") {
		t.Error(err)
	}
	c := f.Config
	c.Finetune.Epochs = 1_000_000
	x := &finetune.Examples{}
	for range 3000 {
		x.Train = append(x.Train, f.examples.Train[0])
	}
	x.Dev = f.examples.Dev
	_, err = Finetune(c, FinetuneOptions{Dir: t.TempDir(), Examples: x, Setup: f.Session.Setup})
	if err == nil || !strings.Contains(err.Error(), "finetune.epochs is 1000000, and there are 3000 examples") {
		t.Error(err)
	}
}

// A config.yaml that was cut off before its last section is refused: what is missing isn't
// replaced by defaults.
func TestTruncatedFinetuning(t *testing.T) {
	f := finetuned(t, moods)
	path := filepath.Join(f.Dir, configFile)
	whole := string(expect.File(t, path))
	found := strings.Index(whole, "tokenizer_sha256")
	for n := range whole {
		if n > 0 && whole[n-1] != '\n' {
			continue
		}
		fixture.Write(t, path, whole[:n])
		if _, err := OpenFinetuned(f.Dir); err == nil && n < found {
			t.Errorf("cut off after %d of %d bytes, it is opened", n, len(whole))
		}
	}
	fixture.Write(t, path, whole)
	if _, err := OpenFinetuned(f.Dir); err != nil {
		t.Errorf("whole: %v", err)
	}
}
