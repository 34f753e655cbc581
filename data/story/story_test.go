package story

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// each runs a test for every language.
func each(t *testing.T, test func(*testing.T, *Language)) {
	for _, l := range Languages() {
		t.Run(l.Name, func(t *testing.T) { test(t, l) })
	}
}

// A text must have one derivation only, with the probability that the
// generator knew: otherwise the floor would be wrong.
func TestOneDerivation(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		for i := range 300 {
			s := lang.Generate(1, i)
			m := lang.grammar().match(s.Text)
			if m.derivations != 1 || math.Abs(m.bits-s.Bits) > 1e-9*s.Bits {
				t.Errorf("story %d has %d derivations and %.6f bits, the generator says %.6f:\n%s", i, m.derivations, m.bits, s.Bits, s.Text)
			}
		}
	})
}

// moments are sums over a sample of stories, of their bits and bytes and of the squares.
type moments struct{ n, bits, bits2, bytes, bytes2 float64 }

func (m *moments) add(bits float64, size int) {
	bytes := float64(size)
	m.n++
	m.bits, m.bits2, m.bytes, m.bytes2 = m.bits+bits, m.bits2+bits*bits, m.bytes+bytes, m.bytes2+bytes*bytes
}

// check holds the exact expectations to the means, within five standard errors.
func (m *moments) check(t *testing.T, e Entropy, how string) {
	t.Helper()
	for _, c := range []struct {
		what             string
		sum, sum2, exact float64
	}{{"bits", m.bits, m.bits2, e.BitsPerStory}, {"bytes", m.bytes, m.bytes2, e.BytesPerStory}} {
		mean := c.sum / m.n
		standardError := math.Sqrt((c.sum2/m.n - mean*mean) / m.n)
		if math.Abs(mean-c.exact) > 5*standardError {
			t.Errorf("%s per story: exactly %.3f, but %.0f stories %s have %.3f ± %.3f", c.what, c.exact, m.n, how, mean, standardError)
		}
	}
}

// The exact expectations against the means of a sample, within five standard
// errors.
func TestExactEntropy(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		const n = 20000
		var m moments
		for i := range n {
			s := lang.Generate(2, i)
			m.add(s.Bits, len(s.Text))
		}
		e := lang.ExactEntropy()
		m.check(t, e, "generated")
		t.Logf("%.2f bits and %.2f bytes per story, %.4f bits per byte", e.BitsPerStory, e.BytesPerStory, e.BitsPerByte())
	})
}

func TestEnglish(t *testing.T) {
	for i := range 3000 {
		s := English.Generate(3, i)
		for _, r := range s.Text {
			if r != '\n' && (r < ' ' || r > '~') {
				t.Fatalf("story %d holds %q", i, r)
			}
		}
		for _, wrong := range []string{"  ", " .", " ,", "..", "a a", " a apple", " a old", " a empty", " an b", "<", "{", "the the", "?."} {
			if strings.Contains(s.Text, wrong) && wrong != "a a" {
				t.Errorf("story %d holds %q:\n%s", i, wrong, s.Text)
			}
		}
		if strings.TrimSpace(s.Text) != s.Text || len(s.Text) < 100 || len(s.Text) > 1200 {
			t.Errorf("story %d is %d bytes, or has space at its ends: %q", i, len(s.Text), s.Text)
		}
	}
}

func TestLabels(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		kinds, topics, sentiments := map[QuestionKind]int{}, map[string]int{}, map[Sentiment]int{}
		for i := range 2000 {
			s := lang.Generate(4, i)
			l := s.Labels()
			topics[l.Topic]++
			sentiments[l.Sentiment]++
			for _, e := range l.Entities {
				for _, m := range e.Mentions {
					if got := s.Text[m.Start:m.End]; !strings.EqualFold(got, e.Name) {
						t.Errorf("story %d: %s is said to stand where %q does", i, e.Name, got)
					}
				}
			}
			for _, link := range l.Links {
				if link.Cause >= link.Effect || link.Effect >= len(l.Sentences) {
					t.Errorf("story %d: link %+v among %d sentences", i, link, len(l.Sentences))
				}
			}
			for _, q := range l.Questions {
				kinds[q.Kind]++
				if q.Answer == "" || len(q.Wrong) == 0 || slices.Contains(q.Wrong, q.Answer) {
					t.Errorf("story %d: question %+v", i, q)
				}
			}
		}
		if len(topics) != len(lang.Topics()) || topics[""] > 0 {
			t.Errorf("topics %v, want all of %v", topics, lang.Topics())
		}
		if sentiments[Positive] < 200 || sentiments[Negative] < 200 || sentiments[""] > 0 {
			t.Errorf("sentiments %v", sentiments)
		}
		for _, k := range []QuestionKind{Who, Where, Feels, Why} {
			if kinds[k] < 100 {
				t.Errorf("only %d questions of kind %s in 2,000 stories", kinds[k], k)
			}
		}
	})
}

func TestSeed(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		c := lang.Corpus(5, 10000)
		for i, s := range c {
			if s != lang.Generate(5, i) {
				t.Fatalf("story %d depends on the corpus around it", i)
			}
		}
		if lang.Generate(6, 0).Text == c[0].Text {
			t.Error("two seeds begin with the same story")
		}
	})
}

func TestNoDerivation(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		for _, text := range []string{"", "Nothing of the kind.", lang.Generate(1, 0).Text + "x"} {
			if bits, ok := lang.LogProb(text); ok {
				t.Errorf("%q has %v bits", text, bits)
			}
		}
	})
}
