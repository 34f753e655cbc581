package run

import (
	"os"
	"path/filepath"
	"testing"

	"tinygpt/configs"
	"tinygpt/internal/expect"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// A run that begins with another's weights has all their layers: it doesn't grow.
func TestContinueStages(t *testing.T) {
	c := config(t)
	c.Train.Stages = []train.Stage{{Until: 0.3, Layers: 1, Context: 16}}
	parent := &Run{Dir: t.TempDir(), Config: c}
	next := parent.Continue(c)
	if s := next.Train.Stages; len(s) != 1 || s[0].Layers != 0 || s[0].Context != 16 {
		t.Errorf("stages %+v", s)
	}
	if c.Train.Stages[0].Layers != 1 {
		t.Error("the parent's configuration was changed")
	}
	if err := parent.CheckContinued(next); err != nil {
		t.Error(err)
	}
	next.Train.Stages[0].Layers = 1
	expect.Error(t, parent.CheckContinued(next), "train.stages has layers")
}

// TestChangedStart: a run that was stopped before its first checkpoint doesn't begin again with
// other weights, and not with another tokenizer, which the run that it starts from has by now.
func TestChangedStart(t *testing.T) {
	t.Chdir(t.TempDir())
	c := config(t)
	c.Tokenizer.Kind, c.Tokenizer.VocabSize = "bpe", 280
	c.Model.Layers, c.Model.Heads, c.Model.Width, c.Model.Context = 1, 1, 8, 32
	c.Train.Steps, c.Train.BatchSize = 2, 2
	trained(t, c, "base", nil)
	base, err := Open("base")
	if err != nil {
		t.Fatal(err)
	}
	more, err := Start(base.Continue(c), Options{Dir: "more"})
	if err != nil {
		t.Fatal(err)
	}
	more.Close()
	writeRows(t, "rows.tsv")
	f := configs.DefaultFinetune()
	f.Finetune.Task, f.Finetune.Train, f.Finetune.From = "classification", "rows.tsv", "base"
	f.Finetune.Epochs, f.Finetune.MinSteps, f.Finetune.Evaluations = 1, 4, 2
	begin := func(dir string) {
		t.Helper()
		x, err := Finetune(f, FinetuneOptions{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		x.Close()
	}
	begin("tuned")
	f.Finetune.Scratch = true
	begin("scratch")

	x, err := ResumeFinetuning("tuned")
	if err != nil {
		t.Fatal(err)
	}
	x.Close()
	if err := os.RemoveAll("base"); err != nil {
		t.Fatal(err)
	}
	c.Data.StoriesSeed = 7 // other merges, as many of them
	trained(t, c, "base", nil)
	_, err = Resume("more")
	expect.Error(t, err, "more was stopped before its first checkpoint, and the weights that it began with have changed")
	_, err = ResumeFinetuning("tuned")
	expect.Error(t, err, "tuned was stopped before its first checkpoint, and the weights that it began with have changed")
	x, err = ResumeFinetuning("scratch")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tokenizer.Fingerprint(x.StartingPoint.Tokenizer) != x.Found.TokenizerSHA256 {
		t.Error("the run was trained with another tokenizer than its folder has")
	}
	// One that has a checkpoint doesn't need the other run.
	if err := os.RemoveAll("base"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join("scratch", "results.json")); err != nil {
		t.Fatal(err)
	}
	if x, err = ResumeFinetuning("scratch"); err != nil {
		t.Fatal(err)
	}
	x.Close()
}
