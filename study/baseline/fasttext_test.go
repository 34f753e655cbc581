package baseline

import (
	"math"
	"slices"
	"testing"

	"tinygpt/finetune"
	"tinygpt/finetune/linear"
	"tinygpt/finetune/ngram"
	"tinygpt/internal/fixture"
)

// A step's gradient is that of the loss: a step of a small rate lowers each score's error
// as finite differences say.
func TestFastTextGradient(t *testing.T) {
	for _, head := range []string{finetune.ByClass, finetune.Regression} {
		s := &finetune.Setup{Config: finetune.Config{Task: "classification", Head: head}, Found: finetune.Found{Classes: []string{"0", "1", "2"}, Deviation: 1}}
		train := examples(reviews, []string{"2", "1", "0", "0", "1", "2"})
		f := ngram.Learn(s.Kind(), train)
		p, err := s.Problem(f, train)
		if err != nil {
			t.Fatal(err)
		}
		a := newFastText(f, p.Outputs, 1)
		for i := range a.scores {
			a.scores[i] = math.Sin(float64(i))
		}
		loss := func() float64 {
			scores := make([]float64, a.outputs)
			a.scoreRow(scores, p.Rows[0])
			if p.Grades {
				return (scores[0] - p.Targets[0].Grade) * (scores[0] - p.Targets[0].Grade) / 2
			}
			linear.Softmax(scores)
			return -math.Log(scores[p.Targets[0].Class])
		}
		for name, weights := range map[string][]float64{"vectors": a.vectors, "scores": a.scores, "bias": a.bias} {
			i := 0
			if name == "vectors" {
				i = p.Rows[0][1].Feature * fastTextWidth
			}
			before := [3][]float64{slices.Clone(a.vectors), slices.Clone(a.scores), slices.Clone(a.bias)}
			want, at := fixture.Slope(&weights[i], 1e-6, loss), weights[i]
			a.step(p, 0, 1)
			if got := at - weights[i]; math.Abs(got-want) > 1e-6 {
				t.Errorf("%s, %s: a gradient of %v, by differences %v", head, name, got, want)
			}
			copy(a.vectors, before[0])
			copy(a.scores, before[1])
			copy(a.bias, before[2])
		}
	}
}

// A seed gives the same model again.
func TestFastTextSeed(t *testing.T) {
	s := &finetune.Setup{Config: finetune.Config{Task: "classification"}, Found: finetune.Found{Classes: []string{"a", "b"}}}
	train := examples(reviews, []string{"a", "b", "a", "b", "b", "a"})
	var models [3]*FastText
	for i, seed := range []uint64{1, 1, 2} {
		var err error
		if models[i], err = TrainFastText(s, train, train, seed); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(models[0].vectors, models[1].vectors) || slices.Equal(models[0].vectors, models[2].vectors) {
		t.Error("the vectors don't depend on the seed, or not on it alone")
	}
}
