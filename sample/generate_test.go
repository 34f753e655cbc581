package sample

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/tokenizer"
)

// fixed is a model that always says the same.
type fixed struct {
	logits []float32
	read   [][]int32 // by sequence
	calls  int       // of Append
	copies int
}

func newFixed(sequences int, logits ...float32) *fixed {
	return &fixed{logits: logits, read: make([][]int32, sequences)}
}

func (f *fixed) Sequences() int       { return len(f.read) }
func (f *fixed) Logits(int) []float32 { return f.logits }
func (f *fixed) Config() model.Config { return model.Config{Context: 1000, VocabSize: len(f.logits)} }
func (f *fixed) Length(i int) int     { return len(f.read[i]) }
func (f *fixed) Common(i int, tokens []int32) int {
	n := 0
	for n < min(len(tokens), len(f.read[i])) && f.read[i][n] == tokens[n] {
		n++
	}
	return n
}
func (f *fixed) CopyPrefix(to, from, n int) { f.read[to] = slices.Clone(f.read[from][:n]) }
func (f *fixed) Append(inputs []model.Input) error {
	f.calls++
	for _, in := range inputs {
		f.read[in.Sequence] = append(f.read[in.Sequence], in.Tokens...)
	}
	return nil
}
func (f *fixed) Copy(to, from int) {
	if to != from {
		f.copies++
		f.read[to] = slices.Clone(f.read[from])
	}
}

// generate draws a text for each seed from one prompt; no token ends them.
func generate(t *testing.T, d Decoder, prompt []int32, o Options, seeds ...uint64) [][]int32 {
	t.Helper()
	var requests []Request
	for _, s := range seeds {
		requests = append(requests, Request{Prompt: prompt, Options: o, Seed: s})
	}
	texts, err := Generate(t.Context(), d, nil, requests)
	if err != nil {
		t.Fatal(err)
	}
	got := make([][]int32, len(seeds))
	for i, text := range texts {
		got[i] = text.Tokens
	}
	return got
}

// A logit that isn't a number ends a text, whether a token is drawn by it or a prompt's is judged.
func TestNoNumber(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		judged := 0
		_, err := Generate(t.Context(), newFixed(1, 1, float32(x), 2), nil, []Request{{
			Prompt: []int32{0, 1, 2}, Options: Default(), OnPrompt: func(*Step) { judged++ },
		}})
		expect.Error(t, err, "the model's logit of token 1 is")
		if judged > 0 {
			t.Errorf("%d tokens are judged", judged)
		}
	}
}

// The model reads the prompt once, and every drawn token but the last.
func TestGenerateReads(t *testing.T) {
	d := newFixed(3, 1, 3, 3, 2)
	o := Default()
	o.MaxTokens = 4
	got := generate(t, d, []int32{0, 2}, o, 1, 2, 3)
	if d.calls != 4 || d.copies != 2 {
		t.Errorf("%d calls and %d copies, want one for the prompt and three for tokens, and 2", d.calls, d.copies)
	}
	for i, text := range got {
		if want := append([]int32{0, 2}, text[:3]...); len(text) != 4 || !slices.Equal(d.read[i], want) {
			t.Errorf("text %d: drew %v, the model read %v", i, text, d.read[i])
		}
	}
}

// More texts than sequences, with prompts, options and ends of their own: each is
// what it is alone.
func TestGenerateMoreThanSequences(t *testing.T) {
	const end = 0
	logits := []float32{0.5, 1, 2, 3}
	var requests []Request
	for i, prompt := range [][]int32{{1}, {2, 2}, {1}, {3}, {1}, {1}, {1}} {
		o := Default()
		o.MaxTokens = 30 + i
		o.Temperature = Temperature(1 + i%3)
		r := Request{Prompt: prompt, Options: o, Seed: uint64(7 + i%5), LogProbs: true}
		if i%3 > 0 {
			r.End = []int32{end}
		}
		requests = append(requests, r)
	}
	together, err := Generate(t.Context(), newFixed(3, logits...), nil, requests)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range requests {
		alone, err := Generate(t.Context(), newFixed(1, logits...), nil, requests[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		got := together[i]
		got.Cached = alone[0].Cached
		if !reflect.DeepEqual(alone[0], got) {
			t.Errorf("text %d is %+v, alone %+v", i, got, alone[0])
		}
		n := len(got.Tokens)
		switch at := slices.Index(got.Tokens, end); {
		case r.End == nil && (got.Finish != Length || n != 30+i):
			t.Errorf("text %d without an end has %d tokens, %s", i, n, got.Finish)
		case r.End != nil && got.Finish == End && at != n-1, r.End != nil && got.Finish == Length && at >= 0:
			t.Errorf("text %d: %v, %s", i, got.Tokens, got.Finish)
		}
		for k, token := range got.Tokens {
			want := float64(logits[token]) - math.Log(math.Exp(0.5)+math.Exp(1)+math.Exp(2)+math.Exp(3))
			if math.Abs(float64(got.LogProbs[k])-want) > 1e-6 {
				t.Errorf("text %d: log-probability of token %d is %v, want %v", i, token, got.LogProbs[k], want)
			}
		}
	}
}

func TestGenerateStops(t *testing.T) {
	var got []int32
	two := func(s *Step) bool { got = append(got, s.Token); return len(got) < 2 }
	request := func(end ...int32) []Request {
		return []Request{{Prompt: []int32{0}, Options: Default(), End: end, OnToken: two}}
	}
	texts, err := Generate(t.Context(), newFixed(1, -9, 9), nil, request(1))
	if err != nil || !slices.Equal(got, []int32{1}) || texts[0].Finish != End {
		t.Errorf("drew %v (%v, %v), want the end of text alone", got, texts, err)
	}
	got = nil
	texts, err = Generate(t.Context(), newFixed(1, -9, 9), nil, request(0))
	if err != nil || len(got) != 2 || texts[0].Finish != Stopped {
		t.Errorf("drew %v (%v, %v), want two tokens, until OnToken said no", got, texts, err)
	}
	nan := float32(math.NaN())
	_, err = Generate(t.Context(), newFixed(1, 0, nan), nil, request())
	expect.Error(t, err, "logit of token 1 is NaN")
	tok := tokenizer.NewByte()
	for want, change := range map[string]func(r *Request){
		"request 1: the prompt has no token":              func(r *Request) { r.Prompt = nil },
		"request 1: the prompt holds token 2: expected 0": func(r *Request) { r.Prompt = []int32{1, 2} },
		"request 1: the prompt holds token -1":            func(r *Request) { r.Prompt = []int32{-1} },
		"request 1: the logit bias is for token 2":        func(r *Request) { r.LogitBias = map[int32]float32{2: 1} },
		"request 1: top-p is 0":                           func(r *Request) { r.Options.TopP = 0 },
		"request 1: stop texts need a tokenizer":          func(r *Request) { r.Options.Stop = []string{"x"} },
	} {
		requests := append(request(), request()...)
		change(&requests[1])
		if _, err := Generate(t.Context(), newFixed(1, 0, 0), nil, requests); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	// A model with more tokens than the tokenizer.
	logits := make([]float32, tok.VocabSize()+1)
	logits[tok.VocabSize()] = 99
	_, err = Generate(t.Context(), newFixed(1, logits...), tok, request())
	expect.Error(t, err, "not in the vocabulary")
}

// The frequencies of many draws against the definition, by Pearson's χ². The bound
// is the 99.99 % quantile for the degrees of freedom.
func TestDistribution(t *testing.T) {
	logits := []float32{0, 1, -1, 2, 2, 0.5}
	e := math.Exp
	for name, k := range map[string]struct {
		change string
		want   []float64 // unnormalised
		bound  float64
	}{
		"all":                   {"", []float64{1, e(1), e(-1), e(2), e(2), e(0.5)}, 25.7},
		"hot":                   {"temperature=2", []float64{1, e(0.5), e(-0.5), e(1), e(1), e(0.25)}, 25.7},
		"top 3":                 {"top_k=3", []float64{0, e(1), 0, e(2), e(2), 0}, 18.4},
		"top 1, a tie":          {"top_k=1", []float64{0, 0, 0, 1, 1, 0}, 15.1},
		"top 9, of all":         {"top_k=9", []float64{1, e(1), e(-1), e(2), e(2), e(0.5)}, 25.7},
		"nucleus":               {"top_p=0.85", []float64{0, e(1), 0, e(2), e(2), 0}, 18.4},
		"min-p":                 {"min_p=0.2", []float64{0, e(1), 0, e(2), e(2), e(0.5)}, 21.1},
		"hot, top 5, p":         {"temperature=2 top_k=5 top_p=0.8", []float64{0, e(0.5), 0, e(1), e(1), e(0.25)}, 21.1},
		"penalty on the prompt": {"repetition_penalty=2 temperature=0.5 min_p=1", []float64{0, 0, 0, 0, 1, 0}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := with(t, Default(), k.change)
			// One token a text, so that penalties see the prompt alone.
			const texts, each = 200, 100
			o.MaxTokens = each
			counts, total := make([]float64, len(logits)), 0.0
			penalised := strings.Contains(k.change, "penalty")
			for seed := range uint64(texts) {
				for i, token := range generate(t, newFixed(1, logits...), []int32{3}, o, seed)[0] {
					if i == 0 || !penalised {
						counts[token]++
						total++
					}
				}
			}
			sum, chi2 := 0.0, 0.0
			for _, w := range k.want {
				sum += w
			}
			for i, w := range k.want {
				expected := w / sum * total
				if expected == 0 {
					if counts[i] != 0 {
						t.Errorf("token %d was drawn %v times, want never", i, counts[i])
					}
					continue
				}
				chi2 += (counts[i] - expected) * (counts[i] - expected) / expected
			}
			if chi2 > k.bound {
				t.Errorf("χ² is %.1f, more than %.1f: drew %v", chi2, k.bound, counts)
			}
		})
	}
}

// What was drawn is penalised like the prompt.
func TestPenaltyOfDrawnTokens(t *testing.T) {
	o := with(t, Default(), "repetition_penalty=2 temperature=0")
	o.MaxTokens = 5
	if got := generate(t, newFixed(1, 3, 2.9, 2.8, -1), []int32{3}, o, 1)[0]; !slices.Equal(got, []int32{0, 1, 2, 0, 0}) {
		t.Errorf("drew %v, want each of the likely ones once, then the likeliest", got)
	}
}

// Each candidate has its share of [0, 1), and those without any are never drawn.
func TestDraw(t *testing.T) {
	for at, want := range map[float64]int{0: 1, 0.2499: 1, 0.25: 3, 0.999: 3, math.Nextafter(1, 0): 3} {
		if got := draw([]float32{0, 0.25, 0, 0.75, 0}, at); got != want {
			t.Errorf("at %v candidate %d is drawn, want %d", at, got, want)
		}
	}
	if got := draw([]float32{0.1, 0.1, 0}, math.Nextafter(1, 0)); got != 1 {
		t.Errorf("of a sum less than 1 candidate %d is drawn, want the last", got)
	}
}

func TestSeed(t *testing.T) {
	o := Default()
	o.MaxTokens = 50
	got := generate(t, newFixed(3, make([]float32, 10)...), []int32{7}, o, 1, 1, 2)
	if !slices.Equal(got[0], got[1]) {
		t.Errorf("one seed gave %v and %v", got[0], got[1])
	}
	if slices.Equal(got[0], got[2]) {
		t.Errorf("two seeds gave the same %v", got[0])
	}
}

// uncached reads every sequence anew at each step.
type uncached struct {
	m     *model.Model
	read  [][]int32
	fresh []*model.Decoder
}

func newUncached(m *model.Model, sequences int) *uncached {
	return &uncached{m, make([][]int32, sequences), make([]*model.Decoder, sequences)}
}

func (u *uncached) Sequences() int             { return len(u.read) }
func (u *uncached) Config() model.Config       { return u.m.Config }
func (u *uncached) Length(sequence int) int    { return len(u.read[sequence]) }
func (u *uncached) Common(int, []int32) int    { return 0 }
func (u *uncached) CopyPrefix(to, from, n int) { u.read[to] = nil }
func (u *uncached) Copy(to, from int) {
	u.read[to], u.fresh[to] = slices.Clone(u.read[from]), u.fresh[from]
}
func (u *uncached) Logits(sequence int) []float32 { return u.fresh[sequence].Logits(0) }
func (u *uncached) Append(inputs []model.Input) (err error) {
	for _, in := range inputs {
		u.read[in.Sequence] = append(u.read[in.Sequence], in.Tokens...)
		u.fresh[in.Sequence] = u.m.NewDecoder(1)
		err = errors.Join(err, u.fresh[in.Sequence].Append([]model.Input{{Tokens: u.read[in.Sequence]}}))
	}
	return err
}

// graph is a decode through the training graph, on the last Context tokens.
type graph struct {
	uncached
	logits [][]float32
}

func newGraph(m *model.Model, sequences int) *graph {
	return &graph{*newUncached(m, sequences), make([][]float32, sequences)}
}

func (g *graph) Copy(to, from int) {
	g.read[to], g.logits[to] = slices.Clone(g.read[from]), g.logits[from]
}
func (g *graph) Logits(sequence int) []float32 { return g.logits[sequence] }
func (g *graph) Append(inputs []model.Input) error {
	for _, in := range inputs {
		read := append(g.read[in.Sequence], in.Tokens...)
		g.read[in.Sequence] = read
		window := read[max(0, len(read)-g.m.Config.Context):]
		net := g.m.NewGraph(1, len(window), true)
		out := net.Logits()
		if err := net.Compile(nil); err != nil {
			return err
		}
		copy(net.Tokens, window)
		if err := net.Run(); err != nil {
			return err
		}
		all := out.Value().Data().([]float32)
		g.logits[in.Sequence] = slices.Clone(all[len(all)-g.m.Config.VocabSize:])
	}
	return nil
}

// Greedy and seeded texts are the same with and without the cache and through the
// training graph, one by one and together, far longer than the context.
func TestDecodersAgree(t *testing.T) {
	for _, arch := range []model.Arch{model.GPT1, model.GPT2} {
		m := modeltest.New(t, model.Config{Arch: arch, Layers: 2, Heads: 2, Width: 16, Context: 12, VocabSize: 23, InitStd: 0.4}, 3)
		for _, change := range []string{"temperature=0", "temperature=1", "temperature=0.9 top_k=9 top_p=0.9 min_p=0.02 repetition_penalty=1.2"} {
			for _, prompt := range [][]int32{{5}, {1, 2, 3, 4, 5, 6, 7}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5}} {
				o := with(t, Default(), change)
				o.MaxTokens = 30
				seeds := []uint64{1, 2, 3}
				want := generate(t, newGraph(m, len(seeds)), prompt, o, seeds...)
				for name, got := range map[string][][]int32{
					"without cache": generate(t, newUncached(m, len(seeds)), prompt, o, seeds...),
					"with cache":    generate(t, m.NewDecoder(len(seeds)), prompt, o, seeds...),
					"in turns":      generate(t, m.NewDecoder(2), prompt, o, seeds...),
					"one by one":    generate(t, m.NewDecoder(1), prompt, o, seeds...),
				} {
					for i := range want {
						if !slices.Equal(got[i], want[i]) {
							t.Errorf("%s, %s, prompt of %d, text %d %s:\n%v, through the graph\n%v", arch, change, len(prompt), i, name, got[i], want[i])
						}
					}
				}
				if change != "temperature=0" && slices.Equal(want[0], want[1]) {
					t.Error("seeds make no difference: the test says nothing")
				}
			}
		}
	}
}

// Choosing a token allocates nothing once the working memory is there.
func TestChoosingAllocatesNothing(t *testing.T) {
	logits := make([]float32, 2000)
	for i := range logits {
		logits[i] = float32(i%97) / 10
	}
	for _, change := range []string{"", "temperature=0.8 top_k=40 top_p=0.9 min_p=0.01 repetition_penalty=1.1", "top_p=0.95"} {
		o := with(t, Default(), change)
		allocations := func(tokens int) float64 {
			o.MaxTokens = tokens
			d := &silent{fixed: newFixed(2, logits...)}
			requests := []Request{{Prompt: []int32{1}, Options: o, Seed: 1}, {Prompt: []int32{1}, Options: o, Seed: 2}}
			return testing.AllocsPerRun(5, func() {
				if _, err := Generate(t.Context(), d, nil, requests); err != nil {
					t.Fatal(err)
				}
			})
		}
		if few, many := allocations(10), allocations(210); many > few {
			t.Errorf("%s: %v allocations for 10 tokens, %v for 210", change, few, many)
		}
	}
}

// silent is a model that doesn't note what it reads.
type silent struct{ *fixed }

func (s *silent) Append([]model.Input) error { return nil }

// BenchmarkChoose times a choice from GPT-2's vocabulary.
func BenchmarkChoose(b *testing.B) {
	for name, o := range map[string]Options{
		"greedy":   {RepetitionPenalty: 1, Temperature: 0, TopP: 1},
		"all":      {RepetitionPenalty: 1, Temperature: 0.8, TopP: 1},
		"top-k":    {RepetitionPenalty: 1, Temperature: 0.8, TopK: 50, TopP: 1},
		"top-p":    {RepetitionPenalty: 1, Temperature: 0.8, TopP: 0.95},
		"penalty":  {RepetitionPenalty: 1.1, Temperature: 0.8, TopK: 50, TopP: 1},
		"together": {RepetitionPenalty: 1.1, Temperature: 0.8, TopK: 50, TopP: 0.95, MinP: 0.01},
	} {
		b.Run(name, func(b *testing.B) {
			logits := make([]float32, 50257)
			for i := range logits {
				logits[i] = float32(math.Sin(float64(i*i))) * 8
			}
			o.MaxTokens = b.N
			if _, err := Generate(b.Context(), &silent{newFixed(1, logits...)}, nil, []Request{{Prompt: []int32{1}, Options: o, Seed: 1}}); err != nil {
				b.Fatal(err)
			}
		})
	}
}
