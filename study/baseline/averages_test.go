package baseline

import (
	"math"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/embedding"
	"tinygpt/finetune"
)

// A text is the mean of its words' unit vectors, and words that no example has are
// understood by their vectors.
func TestAverages(t *testing.T) {
	v := &embedding.Vectors{Dim: 2, Words: []string{"good", "fine", "bad", "poor", "film"}, Matrix: []float32{2, 0, 3, 0.3, -1, 0, -5, 1, 0, 7}}
	a := newAverages(labelled.Single, v)
	rows := a.Rows(labelled.Example{Texts: []string{"Good film, good!"}})
	if want := [2]float64{2 * math.Sqrt2 / 3, math.Sqrt2 / 3}; len(rows) != 1 || len(rows[0]) != 2 || math.Abs(rows[0][0].Value-want[0]) > 1e-9 || math.Abs(rows[0][1].Value-want[1]) > 1e-9 {
		t.Errorf("%v, want %v", rows, want)
	}
	if rows := a.Rows(labelled.Example{Texts: []string{"unknown"}}); len(rows) != 1 || len(rows[0]) != 0 {
		t.Errorf("%v", rows)
	}
	for kind, want := range map[labelled.Kind]int{labelled.Single: 2, labelled.Pair: 4, labelled.Tagged: 6, labelled.Choice: 2} {
		a := newAverages(kind, v)
		for _, r := range a.Rows(labelled.Example{Texts: []string{"good", "bad"}, Tokens: []string{"good", "film", "bad"}, Choices: []string{"good", "bad"}}) {
			for _, x := range r {
				if x.Feature >= want {
					t.Errorf("kind %v: feature %d of %d", kind, x.Feature, want)
				}
			}
		}
		if got := a.Size(); got != want {
			t.Errorf("kind %v has %d features, want %d", kind, got, want)
		}
	}
	s := &finetune.Setup{Config: finetune.Config{Task: "classification"}, Found: finetune.Found{Classes: []string{"neg", "pos"}}}
	train := examples([]string{"a good film", "good", "a bad film", "bad"}, []string{"pos", "pos", "neg", "neg"})
	m, err := TrainAverages(t.Context(), s, v, train, train)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Measure(examples([]string{"a fine film", "a poor film"}, []string{"pos", "neg"}), m)
	if err != nil || e.Score() != 1 {
		t.Errorf("%s, %v", e, err)
	}
}
