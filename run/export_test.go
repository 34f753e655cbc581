package run

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/configs"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/safetensors"
)

// finetuned makes a fine-tuned run of a task in a few steps, from random weights.
func finetuned(t *testing.T, rows string, set ...string) *Finetuning {
	t.Helper()
	dir := t.TempDir()
	table := filepath.Join(dir, "train.jsonl")
	fixture.Write(t, table, strings.Repeat(rows, 20))
	c, err := configs.Preset("finetune.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Finetune.Train, c.Finetune.Scratch, c.Finetune.MinSteps, c.Tokenizer.Kind = table, true, 4, "char"
	c.Model.Layers, c.Model.Heads, c.Model.Width, c.Model.Context, c.Train.LearningRate = 1, 1, 16, 48, 0.01
	for _, s := range set {
		if err := c.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	return finetunedBy(t, c, filepath.Join(dir, "mine"), nil)
}

// A fine-tuned run becomes a classifier where transformers has one that computes the same;
// otherwise what is left out is said.
func TestExportFinetuned(t *testing.T) {
	t.Chdir(t.TempDir())
	single := `{"text":"Mia was happy","label":"good"}` + "\n" + `{"text":"Max was sad","label":"bad"}` + "\n"
	pair := `{"premise":"Mia was","hypothesis":"happy","label":"yes"}` + "\n" + `{"premise":"Max was","hypothesis":"sad","label":"no"}` + "\n"
	for i, k := range []struct {
		rows, task string
		labels     []string
		input      string
	}{
		{single, "classification", []string{"bad", "good"}, "<|start|>TEXT<|extract|>"},
		{pair, "entailment", []string{"no", "yes"}, "<|start|>FIRST TEXT<|delimiter|>SECOND TEXT<|extract|>"},
		{pair, "similarity", nil, ""},
		{`{"context":"Mia was","choices":["happy","sad"],"label":"happy"}` + "\n", "choice", []string{"score"}, "<|start|>TEXT<|delimiter|>CHOICE<|extract|>, for each choice"},
		{`{"tokens":["Mia","was"],"tags":["B-per","O"]}` + "\n", "tagging", nil, ""},
	} {
		f := finetuned(t, k.rows, "finetune.task="+k.task)
		to := fmt.Sprint("out", i)
		done, err := f.Export("", to, HuggingFace, "", nil)
		if err != nil {
			t.Fatal(k.task, err)
		}
		if done.Classifier != (k.labels != nil) || done.Input != k.input || (done.LeftOut == "") != done.Classifier {
			t.Errorf("%s: %+v", k.task, done)
		}
		text := expect.File(t, to, "config.json")
		var config struct {
			Architectures []string
			ID2Label      map[string]string `json:"id2label"`
		}
		if err := json.Unmarshal(text, &config); err != nil {
			t.Fatal(err)
		}
		want := "GPT2LMHeadModel"
		if k.labels != nil {
			want = "GPT2ForSequenceClassification"
		}
		if !slices.Equal(config.Architectures, []string{want}) || len(config.ID2Label) != len(k.labels) || len(k.labels) > 0 && config.ID2Label["0"] != k.labels[0] {
			t.Errorf("%s: %s", k.task, text)
		}
		weights, err := safetensors.Open(filepath.Join(to, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if info, ok := weights.Info("score.weight"); ok != done.Classifier || ok && !slices.Equal(info.Shape, []int{len(k.labels), 16}) {
			t.Errorf("%s: score.weight %v, %v", k.task, info.Shape, ok)
		}
		weights.Close()
	}
}

// An exported head of a regression gives grades, which are those that are predicted here.
func TestUnstandardise(t *testing.T) {
	t.Chdir(t.TempDir())
	f := finetuned(t, `{"text":"Mia was happy","label":"4"}`+"\n"+`{"text":"Max was sad","label":"-1.5"}`+"\n", "finetune.head=regression")
	m, err := OpenFinetuned(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	examples := []labelled.Example{{Texts: []string{"Max was happy"}}, {Texts: []string{"sad"}}}
	answers, err := m.Answers(t.Context(), examples)
	if err != nil {
		t.Fatal(err)
	}
	m.unstandardise()
	items, err := encoderOf(m.Setup, m.Tokenizer, m.Special, m.Config.Model.Context).Items(examples, false)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := finetune.NewPredictor(m.Model, m.Setup, nil).Scores(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if math.Abs(float64(scores[i][0])-*a.Grade) > 1e-5 {
			t.Errorf("grade %v, exported %v", *a.Grade, scores[i][0])
		}
	}
}
