package phrases

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tinygpt/embedding/corpus"
	"tinygpt/internal/expect"
)

func splitter(t testing.TB, name string) corpus.Splitter {
	t.Helper()
	split, err := corpus.NewSplitter(name)
	if err != nil {
		t.Fatal(err)
	}
	return split
}

func textOf(t testing.TB, split, lines string) *Text {
	t.Helper()
	text := NewText()
	for line := range strings.Lines(lines) {
		text.Add([]byte(line), splitter(t, split))
	}
	return text
}

func linesOf(t *Text) (lines []string) {
	t.EachLine(func(words []string) error {
		lines = append(lines, strings.Join(words, " "))
		return nil
	})
	return lines
}

// Phrases, scores and the joined text are those of gensim 4.4.0: see
// study/verify/python/phrases_golden.py.
func TestJoin(t *testing.T) {
	raw := expect.File(t, "testdata/text.txt")
	answers := expect.File(t, "testdata/golden.json")
	var golden map[Score]struct {
		Threshold float64
		Phrases   map[string]float64
		Joined    [][]string
	}
	if err := json.Unmarshal(answers, &golden); err != nil {
		t.Fatal(err)
	}
	for score, want := range golden {
		text := textOf(t, "spaces", string(raw))
		found, err := text.Join(Options{Score: score, Threshold: want.Threshold, MinCount: 3, Joiner: "_"})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != len(want.Phrases) || len(found) < 4 {
			t.Errorf("%s: %d phrases, gensim has %d", score, len(found), len(want.Phrases))
		}
		for _, p := range found {
			if w, ok := want.Phrases[p.Text]; !ok || math.Abs(w-p.Score) > 1e-6*math.Abs(w) {
				t.Errorf("%s: %+v, gensim's score is %v", score, p, w)
			}
		}
		if !slices.IsSortedFunc(found, func(a, b Phrase) int { return int(math.Copysign(1, b.Score-a.Score)) }) {
			t.Errorf("%s: not in order: %v", score, found)
		}
		for i, line := range linesOf(text) {
			if w := strings.Join(want.Joined[i], " "); line != w {
				t.Errorf("%s, line %d: %q, gensim has %q", score, i+1, line, w)
			}
		}
	}
}

// A second pass makes phrases of phrases, and characters become words.
func TestPasses(t *testing.T) {
	text := textOf(t, "words", strings.Repeat("The New York Times is in new york.\nA cat is there\nwhere is it\n", 9)+"new times\n")
	o := Options{Score: NPMI, Threshold: 0.9, MinCount: 2, Joiner: "_"}
	for range 2 {
		if _, err := text.Join(o); err != nil {
			t.Fatal(err)
		}
	}
	if got := linesOf(text)[0]; !strings.Contains(got, "new_york") {
		t.Errorf("%q", got)
	}
	zh := NewText()
	for line := range strings.Lines(strings.Repeat("我爱北京\n北京，很大！\n你爱我\n天很大\n", 5)) {
		zh.AddCharacters([]byte(line), splitter(t, "words"))
	}
	if _, err := zh.Join(Options{Score: NPMI, Threshold: 0.8, MinCount: 2, Joiner: "_"}); err != nil {
		t.Fatal(err)
	}
	if got := linesOf(zh)[:2]; !slices.Equal(got, []string{"我 爱 北京", "北京 很大"}) {
		t.Errorf("%q", got)
	}
	var dictionary bytes.Buffer
	if err := zh.WriteDictionary(&dictionary, 6); err != nil {
		t.Fatal(err)
	}
	if got := dictionary.String(); got != "北京 10\n很大 10\n我 10\n爱 10\n" {
		t.Errorf("%q", got)
	}
}

func TestValidate(t *testing.T) {
	for want, o := range map[string]Options{
		`score "best"`:    {Score: "best", Threshold: 1, MinCount: 1},
		"threshold 2 for": {Score: NPMI, Threshold: 2, MinCount: 1},
		"threshold 0 for": {Score: Mikolov, MinCount: 1},
		"minimum count 0": {Score: Mikolov, Threshold: 1},
	} {
		_, err := NewText().Join(o)
		expect.Error(t, err, want)
	}
}

// cuts are all ways to cut a run into words of the dictionary or single characters.
func cuts(d *Dictionary, run []rune) [][]string {
	if len(run) == 0 {
		return [][]string{nil}
	}
	var all [][]string
	for n := 1; n <= len(run); n++ {
		cost, ok := d.costs[string(run[:n])]
		if n > 1 && (!ok || math.IsInf(cost, 1)) {
			continue
		}
		for _, rest := range cuts(d, run[n:]) {
			all = append(all, append([]string{string(run[:n])}, rest...))
		}
	}
	return all
}

// The cut is the cheapest of all.
func TestDictionary(t *testing.T) {
	d, err := ParseDictionary(strings.NewReader("\ufeff北京 50 ns\n大学 40\n北京大学 19\n大学生 20\n生活 30\n学生 30\n京 3\n\n中华人民 5\n"), "words.txt")
	if err != nil {
		t.Fatal(err)
	}
	cost := func(words []string) (sum float64) {
		for _, w := range words {
			c, ok := d.costs[w]
			if !ok || math.IsInf(c, 1) {
				c = d.unknown
			}
			sum += c
		}
		return sum
	}
	r := rand.New(rand.NewPCG(1, 1))
	characters := []rune("北京大学生活中华人民的")
	for range 300 {
		var run []rune
		for range 1 + r.IntN(9) {
			run = append(run, characters[r.IntN(len(characters))])
		}
		least := math.Inf(1)
		for _, c := range cuts(d, run) {
			least = min(least, cost(c))
		}
		var got []string
		d.cut(string(run), func(w string) { got = append(got, w) })
		if strings.Join(got, "") != string(run) || cost(got) > least+1e-9 {
			t.Fatalf("%s is cut into %q, cost %v, least %v", string(run), got, cost(got), least)
		}
	}
	text := NewText()
	text.Add([]byte("在北京大学，Hello 北京! 3 大学生们"), d.Splitter())
	if got := linesOf(text)[0]; got != "在 北京大学 hello 北京 3 大学生 们" {
		t.Errorf("%q", got)
	}
	expect.Errors(t, map[string]string{
		"":                                 "no words with a frequency",
		"北京\n":                             "d, line 1: found \"北京\": expected a word, its frequency",
		"北京 5\n大学 much\n":                  "d, line 2",
		"北京 -1\n":                          "d, line 1",
		"北京 0\n":                           "no words with a frequency",
		"a 1 n too many\n":                 "d, line 1",
		"a 1e308\nb 1e308\n":               "sum of the frequencies is too large",
		strings.Repeat("a", 1001) + " 1\n": "d, line 1: a word of 1001 bytes",
	}, func(text string) (*Dictionary, error) { return ParseDictionary(strings.NewReader(text), "d") })
}

func FuzzDictionary(f *testing.F) {
	f.Add("北京 50 ns\n大学 40\n", "北京大学 x")
	f.Fuzz(func(t *testing.T, dictionary, line string) {
		d, err := ParseDictionary(strings.NewReader(dictionary), "d")
		if err != nil {
			return
		}
		var han, cut strings.Builder
		for _, r := range line {
			if corpus.Ideograph(r) {
				han.WriteRune(r)
			}
		}
		d.Splitter()([]byte(line), func(w []byte) {
			for _, r := range string(w) {
				if corpus.Ideograph(r) {
					cut.WriteRune(r)
				}
			}
		})
		if han.String() != cut.String() {
			t.Fatalf("%q is cut into %q", line, cut.String())
		}
	})
}
