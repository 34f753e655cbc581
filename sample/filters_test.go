package sample

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

// filter runs the filters of o on logits and returns who is left, and how likely.
func filter(o Options, logits []float32, read ...int32) (tokens []int32, probs []float32) {
	var c Candidates
	var h history
	h.start(len(logits), read)
	c.start(logits, &h)
	for _, f := range o.active() {
		f.Apply(&c)
	}
	return c.Tokens, c.Probabilities()
}

// golden is what transformers' processors made of logits; see testdata/filters.py.
type golden struct {
	Order []string
	Cases []struct {
		Logits  []float32
		Read    []int32
		Options map[string]float64
		Kept    []int32
		Probs   []float64
	}
}

// Logits of damaged weights that filters would make infinite leave candidates all the same.
func TestHugeLogits(t *testing.T) {
	for _, logits := range [][]float32{{1e33, 2e33, -3e33, 0}, {-1e38, -2e38, -3e38, -3e38}, {3e38, -3e38, 1, 2}, {1e30, 1e30, 1e30, 1e31}} {
		for _, o := range []Options{{TopP: 0.9}, {TopP: 1, MinP: 0.5}, {TopP: 0.5, MinP: 1, TopK: 3}, {TopP: 1}} {
			o.Temperature, o.RepetitionPenalty = coldest, 1e-3
			tokens, probs := filter(o, logits, 0, 1, 2, 3)
			if len(tokens) == 0 || slices.ContainsFunc(probs, func(p float32) bool { return !(p >= 0 && p <= 1) }) {
				t.Errorf("%v with %+v: %v of %v", logits, o, tokens, probs)
			}
		}
	}
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	text := expect.File(t, "testdata/filters.json")
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Cases) < 100 {
		t.Fatalf("%d cases only", len(g.Cases))
	}
	return g
}

func TestFiltersEqualTransformers(t *testing.T) {
	for n, k := range readGolden(t).Cases {
		o := Default()
		for _, s := range o.Filters() {
			if v, ok := k.Options[s.Key]; ok {
				if err := s.Set(fmt.Sprint(v)); err != nil {
					t.Fatal(err)
				}
			}
		}
		tokens, probs := filter(o, k.Logits, k.Read...)
		what := fmt.Sprintf("case %d, %v of %v", n, k.Options, k.Logits)
		// Which of several equal logits top-p keeps at its border is open there.
		if !hasTies(k.Logits) && !slices.Equal(tokens, k.Kept) {
			t.Errorf("%s: kept %v, want %v", what, tokens, k.Kept)
			continue
		}
		slices.Sort(probs)
		slices.Sort(k.Probs)
		if len(probs) != len(k.Probs) {
			t.Errorf("%s: kept %v, want %v", what, tokens, k.Kept)
			continue
		}
		for i, p := range k.Probs {
			if math.Abs(float64(probs[i])-p) > 1e-6 {
				t.Errorf("%s: probabilities %v, want %v", what, probs, k.Probs)
				break
			}
		}
	}
}

func hasTies(xs []float32) bool {
	s := slices.Sorted(slices.Values(xs))
	return len(slices.Compact(s)) < len(xs)
}

// The filters act in the order in which transformers puts its processors; OpenAI's
// penalties, which transformers lacks, come with the other one.
func TestFilterOrder(t *testing.T) {
	var got []string
	o := Default()
	for _, s := range o.Filters() {
		switch s.Filter.(type) {
		case PresencePenalty, FrequencyPenalty:
			continue
		}
		got = append(got, reflect.TypeOf(s.Filter).Name())
	}
	var want []string
	for _, name := range readGolden(t).Order {
		name, _, _ = strings.Cut(name, "Logits")
		want = append(want, name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("filters are %v, want %v", got, want)
	}
}

// Hand-made logits, against the definitions.
func TestFilters(t *testing.T) {
	ln := func(ps ...float64) []float32 {
		var logits []float32
		for _, p := range ps {
			logits = append(logits, float32(math.Log(p))+3)
		}
		return logits
	}
	for name, k := range map[string]struct {
		change string
		logits []float32
		read   []int32
		tokens []int32
		probs  []float64
	}{
		"nothing":                 {"", ln(0.5, 0.2, 0.3), nil, []int32{0, 1, 2}, []float64{0.5, 0.2, 0.3}},
		"cold":                    {"temperature=0.5", ln(0.5, 0.25, 0.25), nil, []int32{0, 1, 2}, []float64{4. / 6, 1. / 6, 1. / 6}},
		"hot":                     {"temperature=2", ln(0.64, 0.04, 0.32/2, 0.16), nil, []int32{0, 1, 2, 3}, []float64{8. / 18, 2. / 18, 4. / 18, 4. / 18}},
		"greedy":                  {"temperature=0", ln(0.3, 0.4, 0.3), nil, []int32{1}, []float64{1}},
		"greedy, a tie":           {"temperature=0", ln(0.2, 0.4, 0.4), nil, []int32{1}, []float64{1}},
		"coldest":                 {"temperature=1e-6", ln(0.3, 0.4, 0.3), nil, []int32{0, 1, 2}, []float64{0, 1, 0}},
		"top 2":                   {"top_k=2", ln(0.2, 0.5, 0.3), nil, []int32{1, 2}, []float64{5. / 8, 3. / 8}},
		"top 2, a tie":            {"top_k=2", ln(0.2, 0.4, 0.2, 0.2), nil, []int32{0, 1, 2, 3}, []float64{0.2, 0.4, 0.2, 0.2}},
		"top 3 of 2":              {"top_k=3", ln(0.2, 0.8), nil, []int32{0, 1}, []float64{0.2, 0.8}},
		"nucleus":                 {"top_p=0.7", ln(0.05, 0.5, 0.15, 0.3), nil, []int32{1, 3}, []float64{5. / 8, 3. / 8}},
		"nucleus, reached":        {"top_p=0.499", ln(0.05, 0.5, 0.15, 0.3), nil, []int32{1}, []float64{1}},
		"nucleus, one at least":   {"top_p=0.01", ln(0.05, 0.5, 0.15, 0.3), nil, []int32{1}, []float64{1}},
		"nucleus, a tie":          {"top_p=0.4", ln(0.25, 0.25, 0.25, 0.25), nil, []int32{0, 1}, []float64{0.5, 0.5}},
		"nucleus, least of flat":  {"top_p=1e-12", make([]float32, 3), nil, []int32{0}, []float64{1}},
		"nucleus after top 2":     {"top_k=2 top_p=0.6", ln(0.05, 0.5, 0.15, 0.3), nil, []int32{1}, []float64{1}},
		"nucleus after warmth":    {"temperature=1e6 top_p=0.9", ln(0.01, 0.97, 0.01, 0.01), nil, []int32{0, 1, 2, 3}, []float64{0.25, 0.25, 0.25, 0.25}},
		"min-p":                   {"min_p=0.5", ln(0.1, 0.5, 0.15, 0.26), nil, []int32{1, 3}, []float64{50. / 76, 26. / 76}},
		"min-p 1":                 {"min_p=1", ln(0.4, 0.2, 0.4), nil, []int32{0, 2}, []float64{0.5, 0.5}},
		"min-p after cold":        {"temperature=0.5 min_p=0.3", ln(0.5, 0.25, 0.25), nil, []int32{0}, []float64{1}},
		"penalty":                 {"repetition_penalty=2", []float32{2, -1, 2, -1}, []int32{0, 1, 0}, []int32{0, 1, 2, 3}, softmax(1, -2, 2, -1)},
		"penalty before greed":    {"repetition_penalty=2 temperature=0", []float32{2, -1, 1.5, -1}, []int32{0}, []int32{2}, []float64{1}},
		"penalty before top 1":    {"repetition_penalty=3 top_k=1", []float32{2, -1, 1.5, -1}, []int32{0}, []int32{2}, []float64{1}},
		"encouraging repetition":  {"repetition_penalty=0.5", []float32{1, -1, 0}, []int32{0, 1, 2}, []int32{0, 1, 2}, softmax(2, -0.5, 0)},
		"all, of one":             {"repetition_penalty=3 temperature=0.1 top_k=1 top_p=0.1 min_p=0.9", []float32{-4}, []int32{0}, []int32{0}, []float64{1}},
		"penalty, by its default": {"repetition_penalty=1", []float32{1, 2}, []int32{0, 1}, []int32{0, 1}, softmax(1, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			o := with(t, Default(), k.change)
			tokens, probs := filter(o, k.logits, k.read...)
			if !slices.Equal(tokens, k.tokens) {
				t.Fatalf("kept %v, want %v", tokens, k.tokens)
			}
			for i, p := range k.probs {
				if math.Abs(float64(probs[i])-p) > 1e-6 {
					t.Fatalf("probabilities %v, want %v", probs, k.probs)
				}
			}
		})
	}
}

// with changes settings, given as "key=value key=value".
func with(t *testing.T, o Options, changes string) Options {
	t.Helper()
	for _, change := range strings.Fields(changes) {
		key, value, _ := strings.Cut(change, "=")
		i := slices.IndexFunc(o.Filters(), func(s Setting) bool { return s.Key == key })
		if i < 0 {
			t.Fatalf("no filter %q", key)
		}
		if err := o.Filters()[i].Set(value); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func softmax(logits ...float64) []float64 {
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(x)
	}
	out := make([]float64, len(logits))
	for i, x := range logits {
		out[i] = math.Exp(x) / sum
	}
	return out
}

// Of many candidates, filters that don't sort keep what sorting would.
func TestManyCandidates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		logits := make([]float32, 3000)
		for i := range logits {
			logits[i] = float32(math.Round(r.NormFloat64()*30) / 10) // with ties
		}
		sorted := slices.Sorted(slices.Values(logits))
		slices.Reverse(sorted)
		for _, k := range []int{1, 2, 7, 50, 1500, 2999, 3000, 3001} {
			tokens, _ := filter(with(t, Default(), fmt.Sprint("top_k=", k)), logits)
			least := sorted[min(k, len(sorted))-1]
			var want []int32
			for i, x := range logits {
				if x >= least {
					want = append(want, int32(i))
				}
			}
			if !slices.Equal(tokens, want) {
				t.Fatalf("top %d keeps %d, want %d", k, len(tokens), len(want))
			}
		}
		var probs []float64
		for _, x := range logits {
			probs = append(probs, float64(x))
		}
		probs = softmax(probs...)
		slices.Sort(probs)
		slices.Reverse(probs)
		for _, p := range []float64{0.1, 0.5, 0.9, 0.999} {
			tokens, _ := filter(with(t, Default(), fmt.Sprint("top_p=", p)), logits)
			want, sum := 0, 0.0
			for sum < p {
				sum += probs[want]
				want++
			}
			if d := len(tokens) - want; d < -1 || d > 1 { // rounding at the border
				t.Errorf("top-p %v keeps %d, want %d", p, len(tokens), want)
			}
			if !slices.IsSorted(tokens) {
				t.Errorf("top-p %v disorders the candidates", p)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	expect.Errors(t, map[string]string{
		"temperature=-1":            "temperature is -1: expected 0 (greedy)",
		"temperature=1e-7":          "temperature is 1e-07: expected 0",
		"temperature=NaN":           "temperature is NaN",
		"temperature=+Inf":          "temperature is +Inf",
		"top_k=-1":                  "top-k is -1: expected 0 (all tokens) or more",
		"top_p=0":                   "top-p is 0: expected more than 0",
		"top_p=1.01":                "top-p is 1.01",
		"top_p=NaN":                 "top-p is NaN",
		"min_p=-0.1":                "min-p is -0.1",
		"min_p=1.1":                 "min-p is 1.1",
		"repetition_penalty=0":      "repetition-penalty is 0",
		"repetition_penalty=1e-300": "repetition-penalty is 1e-300: expected 0.001 to 1000",
		"presence_penalty=NaN":      "presence-penalty is NaN",
		"frequency_penalty=-1e300":  "frequency-penalty is -1e+300",
		"repetition_penalty=Inf":    "repetition-penalty is +Inf",
		"temperature=0 top_k=5 top_p=1 min_p=1 repetition_penalty=0.1": "",
	}, func(change string) (any, error) { return nil, with(t, Default(), change).Validate() })
	o := Default()
	o.MaxTokens, o.Stop = 0, []string{"x", ""}
	expect.Error(t, o.Validate(), "max-tokens is 0", "a stop text is empty")
	for _, s := range o.Filters() {
		expect.Error(t, s.Set("warm"), "expected a ")
		if s.Filter.Usage() == "" {
			t.Errorf("%s has no usage", s.Key)
		}
	}
	for _, s := range o.Filters() {
		if err := s.Set("1.5"); (err == nil) == (s.Key == "top_k") {
			t.Errorf("%s takes 1.5: %v", s.Key, err)
		}
	}
}

// Candidates exactly on a filter's border are kept, and no more, although float32
// probabilities and their sums are rounded.
func TestFilterBorders(t *testing.T) {
	logs := func(probs ...float64) []float32 {
		var logits []float32
		for _, p := range probs {
			logits = append(logits, float32(math.Log(p)))
		}
		return logits
	}
	for _, k := range []struct {
		change string
		logits []float32
		want   []int32
	}{
		{"top_p=0.8", logs(.3, .1, .1, .5), []int32{0, 3}},
		{"top_p=0.5", logs(.3, .1, .1, .5), []int32{3}},
		{"top_p=0.9", logs(.4, .1, .2, .1, .2), []int32{0, 1, 2, 4}},
		{"top_p=0.7", logs(.1, .1, .1, .1, .1, .1, .1, .1, .1, .1), []int32{0, 1, 2, 3, 4, 5, 6}},
		{"min_p=0.5", logs(.5, .25, .25), []int32{0, 1, 2}},
		{"min_p=0.2", logs(.5, .1, .3, .0999, .0001), []int32{0, 1, 2}},
		{"min_p=1", logs(.1, .4, .4, .1), []int32{1, 2}},
	} {
		for _, shift := range []float32{0, 7.3, -41} {
			shifted := slices.Clone(k.logits)
			for i := range shifted {
				shifted[i] += shift
			}
			if got, _ := filter(with(t, Default(), k.change), shifted); !slices.Equal(got, k.want) {
				t.Errorf("%s of %v: kept %v, want %v", k.change, shifted, got, k.want)
			}
		}
	}
}

// The penalties by their definition, on what was drawn but not on the prompt.
func TestPenalties(t *testing.T) {
	var h history
	h.start(4, []int32{0})
	for _, token := range []int32{1, 2, 2, 2} {
		h.add(token)
	}
	for change, want := range map[string][]float32{
		"presence_penalty=0.5":                       {1, 0.5, 0.5, 1},
		"frequency_penalty=0.5":                      {1, 0.5, -0.5, 1},
		"frequency_penalty=-1 presence_penalty=0.25": {1, 1.75, 3.75, 1},
	} {
		o := with(t, Default(), change)
		var c Candidates
		c.start([]float32{1, 1, 1, 1}, &h)
		for _, f := range o.active() {
			f.Apply(&c)
		}
		if !slices.Equal(c.Scores, want) {
			t.Errorf("%s: %v, want %v", change, c.Scores, want)
		}
	}
}
