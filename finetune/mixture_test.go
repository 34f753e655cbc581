package finetune

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/finetune/ngram"
	"tinygpt/internal/expect"
)

// mixed are tasks whose labels words tell.
var mixed = map[string]struct {
	config Config
	draw   func(r *rand.Rand) labelled.Example
}{
	"classes": {Config{Task: "classification"}, func(r *rand.Rand) labelled.Example {
		l := letters(r, 4, 20)
		return labelled.Example{Texts: []string{strings.Join(l, " ")}, Label: fmt.Sprint(slices.Contains(l, "a") || slices.Contains(l, "b") || slices.Contains(l, "c"))}
	}},
	"grades": {Config{Task: "similarity", Head: Regression}, func(r *rand.Rand) labelled.Example {
		l := letters(r, 6, 20)
		return labelled.Example{Texts: []string{strings.Join(l[:3], " "), strings.Join(l[3:], " ")}, Label: fmt.Sprint(strings.Count(strings.Join(l[:3], ""), "a")*3 + strings.Count(strings.Join(l[3:], ""), "b")*2)}
	}},
	"entailment": {Config{Task: "entailment"}, func(r *rand.Rand) labelled.Example {
		l := letters(r, 6, 20)
		return labelled.Example{Texts: []string{strings.Join(l[:3], " "), strings.Join(l[3:], " ")}, Label: fmt.Sprint(slices.Contains(l[3:], "a") || slices.Contains(l[3:], "b"))}
	}},
	"choice": {Config{Task: "choice"}, func(r *rand.Rand) labelled.Example {
		l := letters(r, 5, 12)
		e := labelled.Example{Texts: []string{l[0]}, Choices: []string{l[1] + " z", l[2], l[3]}[:2+r.IntN(2)], Label: "0"}
		return e
	}},
	"tagging": {Config{Task: "tagging"}, func(r *rand.Rand) labelled.Example {
		e := labelled.Example{Tokens: letters(r, 4, 10)}
		for _, w := range e.Tokens {
			e.Tags = append(e.Tags, map[bool]string{true: "B-x", false: "O"}[w < "d"])
		}
		return e
	}},
}

// What words tell and the network hasn't learned, the mixture has from the n-grams: on the
// development set it is as good as the better of the two. What is read from the run's folder
// predicts what was measured.
func TestMixture(t *testing.T) {
	for name, c := range mixed {
		t.Run(name, func(t *testing.T) {
			d := Default()
			d.Task, d.Head, d.NGrams = c.config.Task, c.config.Head, true
			s := session(t, d, sets(300, c.draw), 1)
			r, err := s.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if both := max(r.Network.Dev.Score(), r.NGrams.Dev.Score()); r.Dev.Score() < both-1e-6 {
				t.Errorf("%s\nthe network alone %s\nn-grams alone %s", r.Dev, r.Network.Dev, r.NGrams.Dev)
			}
			if r.Test.Score() < 0.9 {
				t.Errorf("%s with the share %v; n-grams alone %s", r.Test, r.Mixture.Share, r.NGrams.Test)
			}
			if err := s.Write(r); err != nil {
				t.Fatal(err)
			}
			p := NewPredictor(s.Model, s.Setup, nil)
			if p.Mixture, err = ReadMixture(s.Dir, s.Setup); err != nil {
				t.Fatal(err)
			}
			read, err := p.Evaluate(t.Context(), s.TestItems)
			if err != nil || !reflect.DeepEqual(read.Metrics, r.Test.Metrics) {
				t.Errorf("measured %s, read again %s, %v", r.Test, read, err)
			}
			// The n-grams have the same bits again.
			first := expect.File(t, s.Dir, NGramsFile)
			again, err := s.Setup.FitNGrams(t.Context(), examplesOf(s.TrainItems), examplesOf(s.DevItems), nil)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "again")
			if err := ngram.Write(path, again, r.Mixture.Share, s.Setup.origin()); err != nil || string(expect.File(t, path)) != string(first) {
				t.Errorf("fitted again, the n-grams differ: %v", err)
			}
		})
	}
}

// With a share of 0 the predictions are the network's, with 1 those of the n-grams.
func TestShares(t *testing.T) {
	d := Default()
	d.Task = "tagging"
	s := session(t, d, sets(50, mixed["tagging"].draw), 1)
	model, err := s.Setup.FitNGrams(t.Context(), examplesOf(s.TrainItems), examplesOf(s.DevItems), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := NewPredictor(s.Model, s.Setup, nil)
	network, err := p.Predict(t.Context(), s.DevItems)
	if err != nil {
		t.Fatal(err)
	}
	p.Mixture = &Mixture{NGrams: model}
	if none, err := p.Predict(t.Context(), s.DevItems); err != nil || !reflect.DeepEqual(none, network) {
		t.Errorf("with a share of 0 the predictions differ: %v", err)
	}
	p.Mixture.Share = 1
	all, err := p.Evaluate(t.Context(), s.DevItems)
	if err != nil {
		t.Fatal(err)
	}
	if words, err := s.Setup.Measure(examplesOf(s.DevItems), model); err != nil || !reflect.DeepEqual(all.Metrics, words.Metrics) {
		t.Errorf("with a share of 1: %s, n-grams alone %s, %v", all, words, err)
	}
}
