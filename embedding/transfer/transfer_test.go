package transfer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tinygpt/data"
	"tinygpt/data/story"
	"tinygpt/embedding"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/kernel"
)

func TestRead(t *testing.T) {
	path := fixture.NewPath(t, "a.conll")
	text := "Anna I-PER\nBell I-PER\nBen B-PER\nin O\nNew I-LOC\nYork I-LOC\n\nHi O\n"
	fixture.Write(t, path, text)
	got, err := Read(path, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "[{[Anna Bell Ben in New York] [B-PER I-PER B-PER O B-LOC I-LOC]} {[Hi] [O]}]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
	fixture.Write(t, path, "Anna PER\nin O\n")
	_, err = Read(path, data.Options{})
	expect.Error(t, err, `tag "PER" of word "Anna": expected O, B-TYPE or I-TYPE`)
	_, err = Split(got)
	expect.Error(t, err, "2 sentences are too few")
}

// The split of WikiGold, and that its tags are read as conlleval counts entities.
func TestWikiGold(t *testing.T) {
	all, err := Read(fixture.Path(t, "data/ner/wikigold.txt"), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sets, err := Split(all)
	if err != nil || len(sets.Train) != 1187 || len(sets.Dev) != 169 || len(sets.Test) != 340 {
		t.Errorf("%d, %d, %d sentences, %v", len(sets.Train), len(sets.Dev), len(sets.Test), err)
	}
}

func TestFeatures(t *testing.T) {
	for word, want := range map[string]int32{
		"house": lower, "Anna": capitalized, "NATO": upper, "I": singleUpper, "McDonald": mixed, "1984": number,
		"B2B": withNumber, ",": punctuation, "naïve": lower, "Émile": capitalized, "U.S.": upper, "王": lower, "": punctuation,
	} {
		if got := shapeOf(word); got != want {
			t.Errorf("shape of %q is %d, want %d", word, got, want)
		}
	}
	if suffixOf("Königin") != "gin" || suffixOf("ÄB") != "äb" {
		t.Error("suffixes")
	}
}

// world makes sentences whose names can be told by their vectors, not by their letters:
// person words have a large first number, place words a large second one. Half of the
// test's names are not in the training sentences.
func world(n int, seed uint64) (*embedding.Vectors, Sets) {
	r := rand.New(rand.NewPCG(seed, 1))
	v := &embedding.Vectors{Dim: 6}
	add := func(at int) {
		v.Words = append(v.Words, fmt.Sprintf("w%03d", len(v.Words))) // the letters say nothing
		for j := range v.Dim {
			x := 0.15 * r.NormFloat64()
			if j == at {
				x += 1.5
			}
			v.Matrix = append(v.Matrix, float32(x))
		}
	}
	for range 40 {
		add(0)
		add(1)
		add(2)
	}
	sentences := func(n, names int) (out []Sentence) {
		for range n {
			var s Sentence
			for range 4 + r.IntN(6) {
				kind := r.IntN(4)
				limit := 40
				if kind < 2 {
					limit = names
				}
				s.Words = append(s.Words, v.Words[3*r.IntN(limit)+min(kind, 2)])
				s.Tags = append(s.Tags, []string{"B-PER", "B-LOC", "O", "O"}[kind])
			}
			out = append(out, s)
		}
		return out
	}
	return v, Sets{sentences(n, 20), sentences(40, 30), sentences(60, 40)}
}

func small() Config {
	c := Default()
	c.Window, c.Hidden, c.Epochs, c.BatchTokens, c.LearningRate, c.Features, c.CRF = 1, 16, 6, 64, 5e-3, nil, false
	return c
}

// Vectors carry over to names that the labelled sentences don't have; random ones can't.
func TestTransfer(t *testing.T) {
	v, sets := world(120, 1)
	f1 := map[Start]float64{}
	for _, start := range Starts {
		trial, err := Try(context.Background(), Variant{"", small()}, start, v, sets, 1000, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		f1[start] = trial.Test.All.F1()
		if trial.Sentences != 120 || len(trial.Test.Types) != 2 || trial.Test.Types["PER"].True+trial.Test.Types["LOC"].True != trial.Test.All.True {
			t.Errorf("%+v", trial)
		}
	}
	if f1[Frozen] < 0.7 || f1[Tuned] < 0.8 || f1[Random] > f1[Frozen]-0.3 {
		t.Errorf("F1 %v", f1)
	}
}

// A conditional random field learns what follows what, which single words can't tell.
func TestCRFTags(t *testing.T) {
	v, sets := world(100, 2)
	for _, set := range []*[]Sentence{&sets.Train, &sets.Dev, &sets.Test} {
		for i := range *set { // entities of two words that are alike
			s := &(*set)[i]
			var words, tags []string
			for j, w := range s.Words {
				words, tags = append(words, w), append(tags, s.Tags[j])
				if kind, ok := strings.CutPrefix(s.Tags[j], "B-"); ok {
					words, tags = append(words, w), append(tags, "I-"+kind)
				}
			}
			s.Words, s.Tags = words, tags
		}
	}
	c := small()
	c.Window = 0
	var f1 [2]float64
	for i := range f1 {
		c.CRF = i == 1
		trial, err := Try(context.Background(), Variant{"", c}, Frozen, v, sets, 100, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		f1[i] = trial.Test.All.F1()
	}
	if f1[1] < f1[0]+0.2 {
		t.Errorf("F1 %v without, %v with the field", f1[0], f1[1])
	}
}

// The same seed gives the same tags on any number of threads; frozen vectors stay.
func TestDeterministic(t *testing.T) {
	defer kernel.SetThreads(kernel.Threads())
	v, sets := world(40, 3)
	c := small()
	c.Features, c.Epochs, c.CRF = []string{Suffix, Shape}, 2, true
	var first [][]float32
	for _, threads := range []int{1, 3} {
		kernel.SetThreads(threads)
		tagger, err := NewTagger(c, Frozen, v, sets, 1)
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(tagger.parameters[words].Value.Float32s())
		epochs := 0
		if err := tagger.Train(context.Background(), sets, 1, func(_ int, loss, _ float64) {
			epochs++
			if math.IsNaN(loss) || loss <= 0 {
				t.Errorf("loss %v", loss)
			}
		}); err != nil || epochs != 2 {
			t.Fatal(err, epochs)
		}
		if !slices.Equal(before, tagger.parameters[words].Value.Float32s()) {
			t.Error("frozen vectors have changed")
		}
		var all [][]float32
		for _, p := range tagger.parameters {
			all = append(all, p.Value.Float32s())
		}
		if first == nil {
			first = all
		}
		for i := range all {
			if !slices.Equal(first[i], all[i]) {
				t.Errorf("%s has other bits with %d threads", names[i], threads)
			}
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	tagger, err := NewTagger(c, Tuned, v, sets, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := tagger.Train(ended, sets, 1, nil); err != context.Canceled {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"window is -1":        func(c *Config) { c.Window = -1 },
		"hidden is 0":         func(c *Config) { c.Hidden = 0 },
		"dropout is 1":        func(c *Config) { c.Dropout = 1 },
		"learning_rate is 0":  func(c *Config) { c.LearningRate = 0 },
		"weight_decay is -1":  func(c *Config) { c.WeightDecay = -1 },
		"epochs is 0":         func(c *Config) { c.Epochs = 0 },
		"batch_tokens is 0":   func(c *Config) { c.BatchTokens = 0 },
		"features is [color]": func(c *Config) { c.Features = []string{"color"} },
		"each at most once":   func(c *Config) { c.Features = []string{Shape, Shape} },
	} {
		c := Default()
		change(&c)
		expect.Error(t, c.Validate(), want)
	}
	names := ""
	for _, v := range Ablations(Default()) {
		if err := v.Config.Validate(); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		names += v.Name + "; "
	}
	if names != "without shape; without suffix; the word alone; without CRF; " {
		t.Error(names)
	}
}

func TestCurve(t *testing.T) {
	if got := Amounts(1187); !slices.Equal(got, []int{37, 74, 148, 296, 593, 1187}) {
		t.Error(got)
	}
	if got := Amounts(7); !slices.Equal(got, []int{7}) {
		t.Error(got)
	}
	var trials []Trial
	for _, start := range Starts {
		for i, n := range []int{50, 100} {
			for seed := range uint64(2) {
				trial := Trial{Start: start, Sentences: n, Seed: seed}
				trial.Test.All.True, trial.Test.All.Predicted, trial.Test.All.Correct = 10, 10, 3+i+int(seed)
				trials = append(trials, trial)
			}
		}
	}
	mean, deviation := Mean(Select(trials, Frozen, "", 50), func(t Trial) float64 { return t.Test.All.F1() })
	if math.Abs(mean-0.35) > 1e-9 || math.Abs(deviation-0.0707) > 1e-4 {
		t.Errorf("%v ± %v", mean, deviation)
	}
	path := fixture.NewPath(t, "curve.svg")
	if err := DrawCurve(path, trials); err != nil {
		t.Fatal(err)
	}
	picture := expect.File(t, path)
	for _, want := range []string{"random vectors", "tuned vectors", "labelled sentences"} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	if n := strings.Count(string(picture), ">100</text>"); n != 1 {
		t.Errorf("100 sentences have %d ticks, want 1", n)
	}
	if err := DrawCurve(path, nil); err == nil {
		t.Error("no trials are drawn")
	}
}

func TestStories(t *testing.T) {
	s, err := Stories(story.English)
	if err != nil || len(s.Train) != 400 || len(s.Dev) != 200 || len(s.Test) != 500 {
		t.Fatalf("%d, %d, %d sentences, %v", len(s.Train), len(s.Dev), len(s.Test), err)
	}
	found := kinds(s.Train[0].Tags, s.Train[1].Tags, s.Train[2].Tags, s.Train[3].Tags)
	if len(found) == 0 {
		t.Errorf("no names in the first sentences: %v", s.Train[:4])
	}
	if s, err = Stories(story.Chinese); err != nil || len(s.Train) != 400 {
		t.Fatal(len(s.Train), err)
	}
	for i, tag := range s.Train[0].Tags {
		if known := slices.Contains(story.Chinese.Words("person", "word"), s.Train[0].Words[i]); known != (tag == "B-PER") && tag != "B-PER" {
			t.Errorf("%q is tagged %s", s.Train[0].Words[i], tag)
		}
	}
}
