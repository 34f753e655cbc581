package fewshot

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/tokenizer"
)

// formulaModel has the weights that testdata/scores.py gives its model.
func formulaModel(t *testing.T) *model.Weights {
	t.Helper()
	m := modeltest.New(t, model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 16, Context: 128, VocabSize: 257}, 1)
	for _, p := range m.Parameters {
		fixture.Formula(p.Value.Float32s(), p.Name, p.Value.Dims() == 1 && strings.HasSuffix(p.Name, "weight"))
	}
	w := modeltest.Weights(t, m)
	return w
}

// Log-likelihoods of choices, against transformers'. Here all trials and numbers of
// shots are read together; there each text is read from its beginning.
func TestScores(t *testing.T) {
	text := expect.File(t, "testdata/scores.json")
	var golden struct {
		Trials []struct {
			Shots    [][2]string
			Question string
			Choices  []string
			Scores   []map[string]float64
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	layout, err := ParseLayout("Q: {question}\nA: {answer}.")
	if err != nil {
		t.Fatal(err)
	}
	var trials []Trial
	for range 5 { // more than are answered at once
		for _, g := range golden.Trials {
			trial := Trial{Query: Example{Question: g.Question, Choices: g.Choices}}
			for _, s := range g.Shots {
				trial.Shots = append(trial.Shots, Example{Question: s[0], Choices: s[1:]})
			}
			trials = append(trials, trial)
		}
	}
	shots := []int{0, 1, 3}
	for _, n := range Normalisations {
		answers, err := NewScorer(formulaModel(t), tokenizer.NewByte(), layout, n).Answer(t.Context(), trials, shots, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range trials {
			g := golden.Trials[i%len(golden.Trials)]
			for k := range shots {
				best := 0
				for c := range g.Choices {
					want := g.Scores[k*len(g.Choices)+c][string(n)]
					if got := answers[k][i].Scores[c]; !(math.Abs(got-want) < 1e-4) {
						t.Errorf("%s, trial %d, %d shots, %q: %v, transformers says %v", n, i, shots[k], g.Choices[c], got, want)
					}
					if want > g.Scores[k*len(g.Choices)+best][string(n)] {
						best = c
					}
				}
				if answers[k][i].Choice != best {
					t.Errorf("%s, trial %d, %d shots: choice %d, expected %d", n, i, shots[k], answers[k][i].Choice, best)
				}
			}
		}
	}
}

func TestTooLong(t *testing.T) {
	layout, _ := ParseLayout(DefaultLayout)
	trial := Trial{Query: Example{Question: strings.Repeat("long ", 30), Choices: []string{"a", "b"}}}
	_, err := NewScorer(formulaModel(t), tokenizer.NewByte(), layout, PerToken).Answer(t.Context(), []Trial{trial}, []int{0}, nil)
	expect.Error(t, err, "context is 128")
}
