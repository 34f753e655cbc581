package sample

import (
	"math"
	"slices"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/model"
	"tinygpt/tokenizer"
)

// script is a model that says a text: token i of it follows i tokens after the
// prompt, almost surely.
type script struct {
	vocab  int
	tokens []int32
	at     []int // by sequence; -1 before the prompt
	logits []float32
}

func (s *script) Sequences() int       { return len(s.at) }
func (s *script) Copy(to, from int)    { s.at[to] = s.at[from] }
func (s *script) Config() model.Config { return model.Config{Context: 100, VocabSize: s.vocab} }
func (s *script) Length(int) int       { return 0 }

func (s *script) Common(int, []int32) int    { return 0 }
func (s *script) CopyPrefix(to, from, n int) { s.at[to] = -1 }

func (s *script) Append(inputs []model.Input) error {
	for _, in := range inputs {
		s.at[in.Sequence]++
	}
	return nil
}
func (s *script) Logits(sequence int) []float32 {
	if s.logits == nil {
		s.logits = make([]float32, s.vocab)
	}
	clear(s.logits)
	s.logits[s.tokens[max(0, s.at[sequence])]] = 50
	return s.logits
}

func say(t *testing.T, tok tokenizer.Tokenizer, sequences int, text string) *script {
	t.Helper()
	ids, err := tok.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return &script{vocab: tok.VocabSize(), tokens: append(ids, tok.EndOfText()), at: make([]int, sequences)}
}

// Texts come in whole characters, end before a stop wherever tokens cut it, and say
// why they ended.
func TestTexts(t *testing.T) {
	tok := tokenizer.NewByte()
	for _, k := range []struct {
		says   string
		stop   []string
		max    int
		want   string
		tokens int
		finish Finish
	}{
		{"Eine Ähre.", nil, 100, "Eine Ähre.", 12, End},
		{"Eine Ähre.", []string{"hr"}, 100, "Eine Ä", 9, Stopped},
		{"Eine Ähre.", []string{"Ähx"}, 7, "Eine Ä", 7, Length},
		{"Eine Ähre.", nil, 6, "Eine \ufffd", 6, Length},
		{"Eine Ähre.", []string{"."}, 11, "Eine Ähre", 11, Stopped},
		{"Eine Ähre.", []string{"..", "re.x"}, 100, "Eine Ähre.", 12, End},
	} {
		o := Default()
		o.MaxTokens, o.Stop = k.max, k.stop
		requests, err := Continue(tok, "Es war", o, 5, 2)
		if err != nil {
			t.Fatal(err)
		}
		steps := make([]string, 2)
		for i := range requests {
			requests[i].OnToken = func(s *Step) bool {
				steps[i] += s.Text
				return true
			}
		}
		texts, err := Generate(t.Context(), say(t, tok, 2, k.says), tok, requests)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range texts {
			if got.Text != k.want || len(got.Tokens) != k.tokens || got.Seed != 5+uint64(i) || got.Finish != k.finish || steps[i] != k.want {
				t.Errorf("stop %q, at most %d: text %d is %+v, its steps say %q, want %q, %d tokens, %s", k.stop, k.max, i, got, steps[i], k.want, k.tokens, k.finish)
			}
		}
	}
}

// OnToken ends its own text and no other.
func TestOnTokenEnds(t *testing.T) {
	tok := tokenizer.NewByte()
	requests, err := Continue(tok, "", Default(), 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	requests[0].OnToken = func(s *Step) bool { return s.Text != "c" }
	texts, err := Generate(t.Context(), say(t, tok, 2, "abcdef"), tok, requests)
	if err != nil || texts[0].Text != "abc" || texts[0].Finish != Stopped || texts[1].Text != "abcdef" || texts[1].Finish != End {
		t.Errorf("%+v, %v", texts, err)
	}
}

func TestTextsPrompt(t *testing.T) {
	tok, err := tokenizer.NewChar(slices.Values([]string{"abc"}))
	if err != nil {
		t.Fatal(err)
	}
	d := newFixed(1, 0, 0, 0, 9)
	requests, err := Continue(tok, "ab", Default(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	requests[0].Options.MaxTokens = 1
	if _, err := Generate(t.Context(), d, tok, requests); err != nil {
		t.Fatal(err)
	}
	if want := []int32{tok.EndOfText(), 0, 1}; !slices.Equal(d.read[0], want) {
		t.Errorf("the model read %v, want %v", d.read[0], want)
	}
	_, err = Continue(tok, "ab\nZ", Default(), 1, 1)
	expect.Error(t, err, "prompt: line 1, column 3", `'\n'`)
}

// What a step tells of the choice.
func TestStep(t *testing.T) {
	// Probabilities 1/2, 1/4, 1/8, 1/8: 1.75 bits.
	logits := []float32{float32(math.Log(1. / 8)), float32(math.Log(1. / 2)), float32(math.Log(1. / 4)), float32(math.Log(1. / 8))}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	o := with(t, Default(), "temperature=0.5 top_k=2")
	o.MaxTokens = 50
	drawn := map[int32]bool{}
	onToken := func(s *Step) bool {
		drawn[s.Token] = true
		near("log-probability", s.LogProb(), float64(logits[s.Token]))
		before, after := s.Entropy()
		near("entropy", before, 1.75)
		near("entropy after", after, -0.8*math.Log2(0.8)-0.2*math.Log2(0.2))
		if s.Kept() != 2 {
			t.Errorf("%d kept, want 2", s.Kept())
		}
		want := []Candidate{{1, 1, 0.5, 0.8}, {2, 2, 0.25, 0.2}, {0, 3, 0.125, 0}, {3, 4, 0.125, 0}}
		for n := range 6 {
			top := s.Top(n)
			rows := want[:min(n, 4)]
			if !slices.ContainsFunc(rows, func(c Candidate) bool { return c.Token == s.Token }) {
				rows = append(slices.Clone(rows), want[s.Token-1])
			}
			if len(top) != len(rows) {
				t.Fatalf("top %d: %v, want %v", n, top, rows)
			}
			for i, c := range top {
				near("before", c.Before, rows[i].Before)
				near("after", c.After, rows[i].After)
				if c.Token != rows[i].Token || c.Rank != rows[i].Rank {
					t.Errorf("top %d: %v, want %v", n, top, rows)
				}
			}
		}
		return true
	}
	_, err := Generate(t.Context(), newFixed(1, logits...), nil, []Request{{Prompt: []int32{0}, Options: o, Seed: 1, OnToken: onToken}})
	if err != nil || len(drawn) != 2 {
		t.Errorf("drew %v, %v", drawn, err)
	}
}
