package sample

import (
	"math"
	"slices"
	"strings"
	"testing"

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

func (s *script) Sequences() int     { return len(s.at) }
func (s *script) Reset(sequence int) { s.at[sequence] = -1 }
func (s *script) Copy(to, from int)  { s.at[to] = s.at[from] }
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
	s.logits[s.tokens[s.at[sequence]]] = 50
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
		heard := make([]string, 2)
		texts, err := Texts(t.Context(), say(t, tok, 2, k.says), tok, "Es war", o, 5, 2, func(s *Step, text string) bool {
			heard[s.Text] += text
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range texts {
			if want := (Text{k.want, k.tokens, 5 + uint64(i), k.finish}); got != want || heard[i] != k.want {
				t.Errorf("stop %q, at most %d: text %d is %+v, heard %q, want %+v", k.stop, k.max, i, got, heard[i], want)
			}
		}
	}
}

// A listener that has heard enough ends its text and no other.
func TestTextsHeard(t *testing.T) {
	tok := tokenizer.NewByte()
	texts, err := Texts(t.Context(), say(t, tok, 2, "abcdef"), tok, "", Default(), 1, 2, func(s *Step, text string) bool {
		return s.Text == 1 || text != "c"
	})
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
	if _, err := Texts(t.Context(), d, tok, "ab", Default(), 1, 1, func(*Step, string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if want := []int32{tok.EndOfText(), 0, 1}; !slices.Equal(d.read[0], want) {
		t.Errorf("the model read %v, want %v", d.read[0], want)
	}
	_, err = Texts(t.Context(), d, tok, "ab\nZ", Default(), 1, 1, nil)
	if err == nil || !strings.Contains(err.Error(), "prompt: line 1, column 3") || !strings.Contains(err.Error(), `'\n'`) {
		t.Errorf("%v", err)
	}
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
	_, err := Generate(t.Context(), newFixed(1, logits...), []Request{{[]int32{0}, 1}}, o, -1, func(s *Step) bool {
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
	})
	if err != nil || len(drawn) != 2 {
		t.Errorf("drew %v, %v", drawn, err)
	}
}
