package finetune

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/model"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// characters is a tokenizer of single letters, and its special tokens.
func characters(t *testing.T) (tokenizer.Tokenizer, Special) {
	t.Helper()
	tok, err := tokenizer.NewChar(slices.Values([]string{"abcdefghijklmnopqrstuvwxyz ><=.,!"}))
	if err != nil {
		t.Fatal(err)
	}
	tok, special, err := Extend(tok)
	if err != nil {
		t.Fatal(err)
	}
	return tok, special
}

// session prepares the fine-tuning of a tiny model with random weights.
func session(t *testing.T, c Config, x Examples, epochs int) *Session {
	t.Helper()
	tok, special := characters(t)
	c.Epochs, c.MinSteps, c.Evaluations, c.WarmupFraction, c.Dropout = epochs, 0, 4, 0.05, 0
	c.Train = "rule"
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	setup := &Setup{Config: c}
	if err := setup.learnLabels(&x); err != nil {
		t.Fatal(err)
	}
	shape := model.Config{Arch: model.GPT2, Layers: 2, Heads: 4, Width: 32, Context: 32, VocabSize: tok.VocabSize()}
	m, err := NewModel(shape, nil, setup, special, 1)
	if err != nil {
		t.Fatal(err)
	}
	e := &Encoder{Tokenizer: tok, Special: special, Setup: *setup, Context: shape.Context}
	var items Sets
	for _, set := range []struct {
		examples []labelled.Example
		items    *[]*Item
	}{{x.Train, &items.Train}, {x.Dev, &items.Dev}, {x.Test, &items.Test}} {
		if *set.items, err = e.Items(set.examples, true); err != nil {
			t.Fatal(err)
		}
	}
	s := NewSession(m, setup, train.Config{
		BatchSize: 32, GradientAccumulationSteps: 1, LearningRate: 3e-3, Decay: train.Linear,
		Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.01, GradClip: 1, Seed: 2,
	}, special, items)
	s.Dir = t.TempDir()
	return s
}

// sets draws examples of a rule, no two alike.
func sets(n int, draw func(r *rand.Rand) labelled.Example) (x Examples) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	for len(x.Test) < 200 {
		e := draw(r)
		key := fmt.Sprint(e.Texts, e.Choices, e.Tokens)
		if seen[key] {
			continue
		}
		seen[key] = true
		e.File, e.Line = "rule", len(seen)
		switch {
		case len(x.Train) < n:
			x.Train = append(x.Train, e)
		case len(x.Dev) < 100:
			x.Dev = append(x.Dev, e)
		default:
			x.Test = append(x.Test, e)
		}
	}
	return x
}

// letters draws n different letters from the first `of` letters.
func letters(r *rand.Rand, n, of int) []string {
	var out []string
	for _, i := range r.Perm(of)[:n] {
		out = append(out, string(rune('a'+i)))
	}
	return out
}

// Every task learns a rule that only the order of words tells: the same words with
// another label are as frequent, so no bag of words is better than chance.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		epochs int
		least  float64 // of the metric on the test set
		draw   func(r *rand.Rand) labelled.Example
	}{
		{"classification by the order of two entities", Config{Task: "classification", Lambda: 0.5}, 12, 0.95, func(r *rand.Rand) labelled.Example {
			l := letters(r, 4, 12)
			text := append(slices.Clone(l), "x", "y")
			r.Shuffle(6, func(i, j int) { text[i], text[j] = text[j], text[i] })
			label := "y first"
			if slices.Index(text, "x") < slices.Index(text, "y") {
				label = "x first"
			}
			return labelled.Example{Texts: []string{strings.Join(text, "")}, Label: label}
		}},
		{"classification by negation", Config{Task: "classification"}, 12, 0.95, func(r *rand.Rand) labelled.Example {
			// "not" comes before one of two judgements: ! before g leaves the bad one.
			l := letters(r, 3, 6)
			first := append([]string{"g", "b"}, l...)
			r.Shuffle(len(first), func(i, j int) { first[i], first[j] = first[j], first[i] })
			negated, label := "g", "bad"
			if r.IntN(2) == 0 {
				negated, label = "b", "good"
			}
			return labelled.Example{Texts: []string{strings.Replace(strings.Join(first, ""), negated, "!"+negated, 1)}, Label: label}
		}},
		{"grades by position", Config{Task: "classification", Head: Regression}, 12, 0.95, func(r *rand.Rand) labelled.Example {
			text := append(letters(r, 6, 12), "x")
			at := r.IntN(7)
			text[at], text[6] = text[6], text[at]
			return labelled.Example{Texts: []string{strings.Join(text, "")}, Label: fmt.Sprint(at)}
		}},
		{"entailment", Config{Task: "entailment", Lambda: 0.5, Examples: 2500}, 16, 0.9, func(r *rand.Rand) labelled.Example {
			// Who comes before whom, said again of two of three, or turned round.
			l := letters(r, 3, 12)
			pair := [][2]string{{l[0], l[1]}, {l[1], l[2]}, {l[0], l[2]}}[r.IntN(3)]
			hypothesis, label := pair[0]+pair[1], "entailment"
			if r.IntN(2) == 0 {
				hypothesis, label = pair[1]+pair[0], "contradiction"
			}
			return labelled.Example{Texts: []string{strings.Join(l, ""), hypothesis}, Label: label}
		}},
		{"similarity", Config{Task: "similarity"}, 15, 0.95, func(r *rand.Rand) labelled.Example {
			l := letters(r, 3, 12)
			a, b, label := strings.Join(l, ""), strings.Join(l, ""), "same"
			if r.IntN(2) == 0 {
				b, label = l[1]+l[0]+l[2], "other"
			}
			return labelled.Example{Texts: []string{a, b}, Label: label}
		}},
		{"choice out of two to four", Config{Task: "choice", Lambda: 0.5}, 14, 0.95, func(r *rand.Rand) labelled.Example {
			// All choices have the letters of the context, one has them in its order.
			l := letters(r, 3, 12)
			e := labelled.Example{Texts: []string{strings.Join(l, "")}, Choices: []string{
				l[0] + l[1] + l[2], l[1] + l[0] + l[2], l[2] + l[1] + l[0], l[0] + l[2] + l[1]}[:2+r.IntN(3)]}
			right := r.IntN(len(e.Choices))
			e.Choices[0], e.Choices[right] = e.Choices[right], e.Choices[0]
			e.Label = fmt.Sprint(right)
			return e
		}},
		{"tagging by what comes after", Config{Task: "tagging"}, 20, 0.95, func(r *rand.Rand) labelled.Example {
			// x is a person if y comes later, else a place; two tokens make it an entity.
			words := append(letters(r, 4, 8), "y")
			r.Shuffle(5, func(i, j int) { words[i], words[j] = words[j], words[i] })
			at := r.IntN(6)
			kind := "loc"
			if at <= slices.Index(words, "y") {
				kind = "per"
			}
			words = slices.Insert(words, at, "x", "x")
			tags := slices.Repeat([]string{"O"}, len(words))
			tags[at], tags[at+1] = "B-"+kind, "I-"+kind
			return labelled.Example{Tokens: words, Tags: tags}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Default()
			d.Task, d.Lambda, d.Head, d.Metric = c.config.Task, c.config.Lambda, c.config.Head, c.config.Metric
			s := session(t, d, sets(max(1000, c.config.Examples), c.draw), c.epochs)
			result, err := s.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d steps: %s", result.State.Step, result.Test)
			if result.Test.Score() < c.least {
				t.Errorf("%s, expected %v", result.Test, c.least)
			}
		})
	}
}
