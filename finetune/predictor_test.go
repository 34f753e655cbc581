package finetune

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/model"
)

// predictor is a predictor with random weights, large enough to differ.
func predictor(t *testing.T, c Setup) (*Predictor, *Encoder) {
	t.Helper()
	tok, special := characters(t)
	m, err := NewModel(model.Config{Arch: model.GPT1, Layers: 2, Heads: 2, Width: 16, Context: 48, VocabSize: tok.VocabSize(), InitStd: 0.4}, nil, &c, special, 1)
	if err != nil {
		t.Fatal(err)
	}
	w := m.Parameter(model.ScoreHead + ".weight").Value.Float32s()
	for i := range w {
		w[i] *= 40
	}
	p := NewPredictor(m, &c, []int{8})
	return p, &Encoder{Tokenizer: tok, Special: special, Setup: c, Context: 48}
}

func scores(t *testing.T, p *Predictor, e *Encoder, examples ...labelled.Example) [][]float32 {
	t.Helper()
	items, err := e.Items(examples, false)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Scores(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d scores, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-4*(1+math.Abs(float64(want[i]))) {
			t.Fatalf("%s: score %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// An example's scores don't depend on what else is in the batch, nor on the bucket.
func TestScoresStandAlone(t *testing.T) {
	for _, c := range []Setup{
		{Config: Config{Task: "classification"}, Found: Found{Classes: []string{"a", "b", "c"}}},
		{Config: Config{Task: "entailment"}, Found: Found{Classes: []string{"a", "b"}}},
		{Config: Config{Task: "similarity", Head: Regression}, Found: Found{Deviation: 1}},
		{Config: Config{Task: "choice"}, Found: Found{ChoiceLabels: "0"}},
		{Config: Config{Task: "tagging"}, Found: Found{Classes: []string{"O", "B-x", "I-x"}}},
	} {
		c.Truncate = Middle
		p, e := predictor(t, c)
		var all []labelled.Example
		for i := range 60 {
			text := strings.Repeat("abcdefg", 1+i%5)[i%7:]
			x := labelled.Example{Texts: []string{text, "xyz"[:1+i%3]}}
			for j := range 2 + i%4 {
				x.Choices = append(x.Choices, "pqrst"[j:])
			}
			if c.Task == "tagging" {
				x = labelled.Example{Tokens: strings.Split(text[:min(len(text), 9)], "")}
			}
			all = append(all, x)
		}
		together := scores(t, p, e, all...)
		for i, x := range all {
			near(t, fmt.Sprint(c.Task, " ", i), scores(t, p, e, x)[0], together[i])
		}
	}
}

// Weights that are no numbers give no prediction: as if each class were as likely.
func TestNoNumber(t *testing.T) {
	c := Setup{Config: Config{Task: "classification"}, Found: Found{Classes: []string{"a", "b", "c"}}}
	c.Truncate = Middle
	p, e := predictor(t, c)
	items, err := e.Items([]labelled.Example{{Texts: []string{"abc"}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	w := p.model.Parameter(model.ScoreHead + ".weight").Value.Float32s()
	for _, x := range []float64{math.NaN(), math.Inf(1)} {
		w[0], w[1] = float32(x), float32(x)
		if _, err := p.Predict(t.Context(), items); err == nil || !strings.Contains(err.Error(), "example 1: the model's score is") {
			t.Errorf("%v: %v", x, err)
		}
	}
}

// Similarity doesn't know which text comes first; entailment does.
func TestSymmetry(t *testing.T) {
	a, b := labelled.Example{Texts: []string{"abc", "vwxyz"}}, labelled.Example{Texts: []string{"vwxyz", "abc"}}
	p, e := predictor(t, Setup{Config: Config{Task: "similarity", Truncate: Middle}, Found: Found{Classes: []string{"a", "b"}}})
	s := scores(t, p, e, a, b)
	near(t, "similarity the other way round", s[1], s[0])
	p, e = predictor(t, Setup{Config: Config{Task: "entailment", Truncate: Middle}, Found: Found{Classes: []string{"a", "b"}}})
	if s := scores(t, p, e, a, b); math.Abs(float64(s[0][0]-s[1][0])) < 1e-3 {
		t.Error("entailment gives the same both ways")
	}
}

// An example may have more choices than a batch has sequences; their order changes
// nothing.
func TestManyChoices(t *testing.T) {
	p, e := predictor(t, Setup{Config: Config{Task: "choice", Truncate: Middle}, Found: Found{ChoiceLabels: "0"}})
	var x labelled.Example
	x.Texts = []string{"which"}
	for i := range 300 {
		x.Choices = append(x.Choices, strings.Repeat(string(rune('a'+i%26)), 1+i/26))
	}
	forward := scores(t, p, e, x)[0]
	var y labelled.Example
	y.Texts = x.Texts
	for i := range x.Choices {
		y.Choices = append(y.Choices, x.Choices[len(x.Choices)-1-i])
	}
	backward := scores(t, p, e, y)[0]
	for i := range forward {
		near(t, "a choice in another place", backward[len(forward)-1-i:][:1], forward[i:][:1])
	}
	items, err := e.Items([]labelled.Example{x}, false)
	if err != nil {
		t.Fatal(err)
	}
	prediction, err := p.Predict(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, q := range prediction[0].Probabilities {
		sum += q
	}
	if math.Abs(sum-1) > 1e-9 || len(prediction[0].Probabilities) != 300 {
		t.Errorf("%d probabilities with the sum %v", len(prediction[0].Probabilities), sum)
	}
}

// Answers say the same to people and to programs.
func TestAnswers(t *testing.T) {
	x := labelled.Example{Texts: []string{"two\nlines"}, Choices: []string{"left", "right"}, Tokens: []string{"In", "New", "York", "Bo"}}
	for _, k := range []struct {
		config     Setup
		prediction Prediction
		text, json string
	}{
		{Setup{Config: Config{Task: "classification"}, Found: Found{Classes: []string{"no", "yes"}}}, Prediction{Class: 1, Probabilities: []float64{0.25, 0.75}},
			"yes 75.0 %, no 25.0 %\ttwo lines", `{"texts":["two\nlines"],"label":"yes","probability":0.75,"probabilities":[{"label":"yes","probability":0.75},{"label":"no","probability":0.25}]}`},
		{Setup{Config: Config{Task: "choice"}}, Prediction{Class: 0, Probabilities: []float64{0.5, 0.5}},
			"left 50.0 %, right 50.0 %\ttwo lines", `{"texts":["two\nlines"],"label":"left","choice":0,"probability":0.5,"probabilities":[{"label":"left","probability":0.5},{"label":"right","probability":0.5}]}`},
		{Setup{Config: Config{Task: "similarity", Head: Regression}}, Prediction{Grade: 0}, "0.000\ttwo lines", `{"texts":["two\nlines"],"grade":0}`},
		{Setup{Config: Config{Task: "tagging"}, Found: Found{Classes: []string{"O", "B-loc", "I-loc", "B-per"}}}, Prediction{Tags: []int{0, 1, 2, 3}},
			"In New/B-loc York/I-loc Bo/B-per", `{"texts":["two\nlines"],"tokens":["In","New","York","Bo"],"tags":["O","B-loc","I-loc","B-per"],"entities":[{"type":"loc","text":"New York"},{"type":"per","text":"Bo"}]}`},
	} {
		a := k.config.Answer(&Item{Example: x}, k.prediction)
		text, err := json.Marshal(a)
		if err != nil || a.String() != k.text || string(text) != k.json {
			t.Errorf("%s\n%s\n%s\n%v", k.config.Task, a, text, err)
		}
	}
}

// A session leaves its results where programs and people find them.
func TestWrite(t *testing.T) {
	c := Default()
	c.Task = "classification"
	s := session(t, c, sets(50, first), 1)
	r, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(r); err != nil {
		t.Fatal(err)
	}
	var got Results
	text, err := os.ReadFile(filepath.Join(s.Dir, ResultsFile))
	if err != nil || json.Unmarshal(text, &got) != nil {
		t.Fatal(err)
	}
	if got.Test == nil || got.Test.Metrics["accuracy"] != r.Test.Score() || got.Dev.Examples != 100 || got.TrainExamples != 50 || got.BestStep != r.State.BestStep {
		t.Errorf("%s", text)
	}
	worst, err := os.ReadFile(filepath.Join(s.Dir, WorstFile))
	if err != nil || strings.Count(string(worst), "rule:") != worstExamples {
		t.Errorf("worst examples:\n%s", worst)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, ConfusionFile)); err != nil {
		t.Error(err)
	}
	for i := 1; i < len(r.Test.Worst); i++ {
		if r.Test.Worst[i].Loss > r.Test.Worst[i-1].Loss {
			t.Error("the worst examples aren't in order")
		}
	}
}
