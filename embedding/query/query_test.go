package query

import (
	"bytes"
	"encoding/json"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tinygpt/embedding"
	"tinygpt/embedding/format"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/kernel"
)

// golden is what gensim 4.4.0, numpy and SciPy answer about testdata/space.txt: see
// study/verify/python/vectors_golden.py.
type golden struct {
	Neighbours map[string][]Answer
	Gensim     [][]Answer `json:"gensim_3cosadd"`
	Questions  [][3]string
	Answers    map[Method][][]Answer
	Sections   []struct {
		name           string
		correct, total int
	}
	Spearman float64
}

// UnmarshalJSON reads a pair of word and score.
func (a *Answer) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&a.Word, &a.Score})
}

func readGolden(t *testing.T) (*Space, golden) {
	t.Helper()
	v, _, err := format.Read("testdata/space.txt", 0)
	if err != nil {
		t.Fatal(err)
	}
	text := expect.File(t, "testdata/golden.json")
	var raw struct {
		golden
		Sections [][]any
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	for _, s := range raw.Sections {
		raw.golden.Sections = append(raw.golden.Sections, struct {
			name           string
			correct, total int
		}{s[0].(string), int(s[1].(float64)), int(s[2].(float64))})
	}
	return New(v), raw.golden
}

func near(t *testing.T, what string, got, want []Answer) {
	t.Helper()
	ok := len(got) == len(want)
	for i := range got {
		ok = ok && got[i].Word == want[i].Word && math.Abs(got[i].Score-want[i].Score) < 2e-6
	}
	if !ok {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestNeighbours(t *testing.T) {
	s, want := readGolden(t)
	for w, answers := range want.Neighbours {
		got, err := s.Neighbours(w, 5)
		if err != nil {
			t.Fatal(err)
		}
		near(t, w, got, answers)
	}
	all, err := s.Neighbours("s0", 1000)
	if err != nil || len(all) != len(s.Words)-1 || !slices.IsSortedFunc(all, func(a, b Answer) int { return int(math.Copysign(1, b.Score-a.Score)) }) {
		t.Errorf("%d neighbours: %v", len(all), err)
	}
	_, err = s.Neighbours("S0", 5)
	expect.Error(t, err, `did you mean "s0"`)
	_, err = s.Neighbours("nowhere", 5)
	expect.Error(t, err, `no word "nowhere" among the 150`)
	if got, err := s.Neighbours("s0", 0); err != nil || len(got) != 0 {
		t.Errorf("no neighbours asked for: %v, %v", got, err)
	}
}

// Among equals the first in the vocabulary comes first, however many there are.
func TestTies(t *testing.T) {
	v := &embedding.Vectors{Dim: 2, Words: []string{"a", "b", "c", "zero", "d", "e"}, Matrix: []float32{1, 0, 0, 2, 0, 4, 0, 0, 3, 0, 0, 6}}
	s := New(v)
	got, err := s.Neighbours("d", 4)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "d", got, []Answer{{"a", 1}, {"b", 0}, {"c", 0}, {"zero", 0}})
}

func TestAnalogy(t *testing.T) {
	s, want := readGolden(t)
	for _, m := range Methods {
		for i, q := range want.Questions {
			got, err := s.Analogy(m, q[0], q[1], q[2], 5)
			if err != nil {
				t.Fatal(err)
			}
			near(t, string(m)+" "+strings.Join(q[:], " "), got, want.Answers[m][i])
			if m == Add {
				near(t, "gensim's", got, want.Gensim[i])
			}
		}
	}
	if _, err := s.Analogy(Add, "s1", "p1", "nowhere", 5); err == nil {
		t.Error("an unknown word is answered")
	}
	if m, err := ParseMethod("3CosMul"); m != Mul || err != nil {
		t.Error(m, err)
	}
	_, err := ParseMethod("4CosAdd")
	expect.Error(t, err, "expected 3cosadd, 3cosmul or direction")
}

// The score is gensim's, and that of single questions, for any number of threads.
func TestScore(t *testing.T) {
	s, want := readGolden(t)
	sections, err := ParseQuestions(bytes.NewReader(expect.File(t, "testdata/questions.txt")), "questions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, threads := range []int{1, 2, 3} {
		runtime.GOMAXPROCS(threads)
		kernel.SetThreads(threads)
		scores := s.Score(sections, Methods, IgnoreCase)
		for i, w := range want.Sections {
			got := scores[i]
			if got.Name != w.name || got.Correct[0] != w.correct || got.Questions != w.total || got.Unknown != 1 {
				t.Errorf("%+v, gensim has %d of %d", got, w.correct, w.total)
			}
			single := make([]int, len(Methods))
			for _, q := range sections[i].Questions {
				for j, m := range Methods {
					if a, err := s.Analogy(m, q[0], q[1], strings.ToLower(q[2]), 1); err == nil && a[0].Word == q[3] {
						single[j]++
					}
				}
			}
			if !slices.Equal(single, got.Correct) {
				t.Errorf("%s: %v, one by one %v", got.Name, got.Correct, single)
			}
		}
		all := Sum("all", scores, nil)
		if all.Questions != 580 || all.Unknown != 2 || all.Correct[0] != want.Sections[0].correct+want.Sections[1].correct {
			t.Errorf("%+v", all)
		}
	}
	kernel.SetThreads(runtime.NumCPU())
	if exact := s.Score(sections, Methods, ExactCase)[0]; exact.Unknown != 291 { // S2 isn't s2
		t.Errorf("%d unknown in exact case", exact.Unknown)
	}
}

func TestCorrelate(t *testing.T) {
	s, want := readGolden(t)
	pairs, err := ParsePairs(bytes.NewReader(expect.File(t, "testdata/pairs.tsv")), "pairs.tsv")
	if err != nil {
		t.Fatal(err)
	}
	got := s.Correlate(pairs, ExactCase)
	if got.Pairs != 50 || got.Unknown != 1 || math.Abs(got.Spearman-want.Spearman) > 1e-9 {
		t.Errorf("%+v, SciPy's correlation is %v", got, want.Spearman)
	}
	// By hand: atanh(0.35917) ± 1.96·√((1 + 0.0645)/47).
	if math.Abs(got.Low-0.0806) > 1e-3 || math.Abs(got.High-0.5848) > 1e-3 {
		t.Errorf("interval %v to %v", got.Low, got.High)
	}
	if none := s.Correlate(pairs[50:], ExactCase); none.Pairs != 0 || none.Low != -1 || none.High != 1 {
		t.Errorf("of no pairs: %+v", none)
	}
}

func TestParse(t *testing.T) {
	expect.Errors(t, map[string]string{
		"":                   "no questions in it",
		": s\na b c\n":       "q, line 2 has 3 words: expected four",
		": s\n\na b c d e\n": "q, line 3 has 5 words",
	}, func(text string) ([]Section, error) { return ParseQuestions(strings.NewReader(text), "q") })
	sections, err := ParseQuestions(strings.NewReader("a b c d\n: x y\n\n e  f\tg h \n"), "q")
	if err != nil || len(sections) != 2 || sections[0].Name != "q" || sections[1].Name != "x y" || sections[1].Questions[0] != [4]string{"e", "f", "g", "h"} {
		t.Errorf("%v, %v", sections, err)
	}
	expect.Errors(t, map[string]string{
		"":                      "no pairs",
		"word1,word2,grade\n":   "no pairs",
		"a b 1\nc d\n":          "p, line 2: found \"c d\": expected two words and a grade",
		"a b 1\nc d NaN\n":      "p, line 2",
		"a\tb\t1\nc\td\tmuch\n": "p, line 2",
	}, func(text string) ([]Pair, error) { return ParsePairs(strings.NewReader(text), "p") })
	pairs, err := ParsePairs(strings.NewReader("\ufeffa b\tc\t1.5\tx\n# note\nd, e ,2\r\nh;i; 4\nf g 3"), "p")
	if err != nil || !slices.Equal(pairs, []Pair{{"a b", "c", 1.5}, {"d", "e", 2}, {"h", "i", 4}, {"f", "g", 3}}) {
		t.Errorf("%v, %v", pairs, err)
	}
}

// The public sets are read whole.
func TestPublicSets(t *testing.T) {
	sections, err := ParseQuestions(strings.NewReader(string(fixture.Read(t, "data/wordvec/questions-words.txt"))), "questions-words.txt")
	n := 0
	for _, s := range sections {
		n += len(s.Questions)
	}
	if err != nil || len(sections) != 14 || n != 19544 {
		t.Errorf("%d sections, %d questions, %v: want 14, 19544", len(sections), n, err)
	}
	pairs, err := ParsePairs(strings.NewReader(string(fixture.Read(t, "data/wordvec/wordsim353.csv"))), "wordsim353.csv")
	if err != nil || len(pairs) != 353 {
		t.Errorf("%d pairs, %v: want 353", len(pairs), err)
	}
}

func FuzzParseQuestions(f *testing.F) {
	f.Add(": s\na b c d\n")
	f.Fuzz(func(t *testing.T, text string) {
		sections, err := ParseQuestions(strings.NewReader(text), "q")
		if err == nil && len(sections) == 0 {
			t.Error("no sections and no error")
		}
	})
}

func FuzzParsePairs(f *testing.F) {
	f.Add("a,b,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := ParsePairs(strings.NewReader(text), "p")
		if err == nil && len(pairs) == 0 {
			t.Error("no pairs and no error")
		}
	})
}
