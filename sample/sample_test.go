package sample

import (
	"math"
	"slices"
	"testing"
)

// fixed is a model that always says the same.
type fixed struct {
	logits []float32
	read   []int32
}

func (f *fixed) Append(tokens ...int32) ([]float32, error) {
	f.read = append(f.read, tokens...)
	return f.logits, nil
}

func draw(t *testing.T, logits []float32, o Options, seed uint64) []int32 {
	t.Helper()
	var got []int32
	d := &fixed{logits: logits}
	if err := Generate(d, []int32{7}, o, seed, -1, func(token int32) bool { got = append(got, token); return true }); err != nil {
		t.Fatal(err)
	}
	if want := append([]int32{7}, got[:len(got)-1]...); !slices.Equal(d.read, want) {
		t.Fatalf("the model read %v, want the prompt and all drawn tokens but the last, %v", d.read, want)
	}
	return got
}

func TestGreedyTakesTheFirstOfTheLargest(t *testing.T) {
	if got := draw(t, []float32{1, 3, 3, 2}, Options{MaxTokens: 3}, 1); !slices.Equal(got, []int32{1, 1, 1}) {
		t.Errorf("drew %v, want 1 always", got)
	}
}

// The frequencies of many draws against the definition, by Pearson's χ². The
// bound is the 99.99 % quantile for the degrees of freedom.
func TestDistribution(t *testing.T) {
	logits := []float32{0, 1, -1, 2, 2, 0.5}
	for name, c := range map[string]struct {
		o     Options
		want  []float64 // unnormalised
		bound float64
	}{
		"all":           {Options{Temperature: 1}, []float64{1, math.E, 1 / math.E, math.E * math.E, math.E * math.E, math.Sqrt(math.E)}, 25.7},
		"hot":           {Options{Temperature: 2}, []float64{1, math.Exp(0.5), math.Exp(-0.5), math.E, math.E, math.Exp(0.25)}, 25.7},
		"top 3":         {Options{Temperature: 1, TopK: 3}, []float64{0, math.E, 0, math.E * math.E, math.E * math.E, 0}, 18.4},
		"top 1, a tie":  {Options{Temperature: 1, TopK: 1}, []float64{0, 0, 0, 1, 0, 0}, 0.1},
		"top 9, of all": {Options{Temperature: 1, TopK: 9}, []float64{1, math.E, 1 / math.E, math.E * math.E, math.E * math.E, math.Sqrt(math.E)}, 25.7},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.MaxTokens = 20000
			counts := make([]float64, len(logits))
			for _, token := range draw(t, logits, c.o, 42) {
				counts[token]++
			}
			var sum, chi2 float64
			for _, w := range c.want {
				sum += w
			}
			for i, w := range c.want {
				expected := w / sum * float64(c.o.MaxTokens)
				if expected == 0 {
					if counts[i] != 0 {
						t.Errorf("token %d was drawn %v times, want never", i, counts[i])
					}
					continue
				}
				chi2 += (counts[i] - expected) * (counts[i] - expected) / expected
			}
			if chi2 > c.bound {
				t.Errorf("χ² is %.1f, more than %.1f: drew %v", chi2, c.bound, counts)
			}
		})
	}
}

func TestSeed(t *testing.T) {
	o := Options{Temperature: 1, MaxTokens: 50}
	logits := make([]float32, 10)
	a, b, c := draw(t, logits, o, 1), draw(t, logits, o, 1), draw(t, logits, o, 2)
	if !slices.Equal(a, b) {
		t.Errorf("one seed gave %v and %v", a, b)
	}
	if slices.Equal(a, c) {
		t.Errorf("two seeds gave the same %v", a)
	}
}

func TestStop(t *testing.T) {
	var got []int32
	emit := func(token int32) bool { got = append(got, token); return len(got) < 2 }
	if err := Generate(&fixed{logits: []float32{0, 1}}, []int32{0}, Options{MaxTokens: 9}, 1, 1, emit); err != nil || got != nil {
		t.Errorf("emitted %v (%v), want nothing: the first token is the stop token", got, err)
	}
	if err := Generate(&fixed{logits: []float32{0, 1}}, []int32{0}, Options{MaxTokens: 9}, 1, 0, emit); err != nil || len(got) != 2 {
		t.Errorf("emitted %v (%v), want two tokens, until emit said no", got, err)
	}
}

func TestValidate(t *testing.T) {
	for _, o := range []Options{
		{Temperature: -1, MaxTokens: 1}, {Temperature: math.NaN(), MaxTokens: 1}, {Temperature: math.Inf(1), MaxTokens: 1},
		{TopK: -1, MaxTokens: 1}, {MaxTokens: 0},
	} {
		if o.Validate() == nil {
			t.Errorf("%+v passes", o)
		}
	}
	if err := (Options{Temperature: 0, TopK: 0, MaxTokens: 1}).Validate(); err != nil {
		t.Error(err)
	}
}
