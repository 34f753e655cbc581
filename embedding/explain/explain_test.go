package explain

import (
	"strconv"
	"strings"
	"testing"

	"tinygpt/embedding/corpus"
)

var sentence = strings.Fields("the cat sat on the mat")

func TestWindows(t *testing.T) {
	rows := Windows(sentence, 2).Rows
	if len(rows) != 6 {
		t.Fatalf("%d rows for 6 words", len(rows))
	}
	for i, want := range map[int][3]string{
		0: {"[the] cat sat", "cat sat → the", "(the, cat) (the, sat)"},
		2: {"the cat [sat] on the", "the cat on the → sat", "(sat, the) (sat, cat) (sat, on) (sat, the)"},
		5: {"on the [mat]", "on the → mat", "(mat, on) (mat, the)"},
	} {
		if got := [3]string(rows[i]); got != want {
			t.Errorf("row %d is %q, want %q", i, got, want)
		}
	}
	if rows := OneHot(sentence).Rows; len(rows) != 5 || rows[4][2] != "0 0 0 0 1" {
		t.Errorf("one-hot vectors %q", rows)
	}
}

// The product with the one-hot vector is the word's row, errors shrink in ten steps, and
// the vectors after the step are those before plus the update.
func TestLesson(t *testing.T) {
	l, err := NewLesson(strings.Fields("a small elephant ate a leaf"), 4, 3, 0.5, 1)
	if err != nil {
		t.Fatal(err)
	}
	lookup, err := l.Lookup()
	if err != nil {
		t.Fatal(err)
	}
	last := lookup.Rows[len(lookup.Rows)-1]
	for _, r := range lookup.Rows {
		if r[0] == "elephant" && (r[1] != "1" || r[2] != last[2]) {
			t.Errorf("the row of elephant is %q, the product %q", r, last)
		}
	}
	before := l.Scores("")
	if before.Rows[0][0] != "elephant" || before.Rows[0][1] != "ate" || len(before.Rows) != 4 {
		t.Errorf("the example %q", before.Rows)
	}
	number := func(text string) float64 {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, r := range l.Step().Rows {
		was, update, is := strings.Fields(r[1]), strings.Fields(r[2]), strings.Fields(r[3])
		for j := range was {
			if d := number(was[j]) + number(update[j]) - number(is[j]); d > 0.0021 || d < -0.0021 {
				t.Errorf("%s: %s + %s is shown as %s", r[0], was[j], update[j], is[j])
			}
		}
	}
	l.Steps(9)
	for i, r := range l.Scores("").Rows {
		first, now := number(before.Rows[i][5]), number(r[5])
		if first*now < 0 || now*now > first*first/4 {
			t.Errorf("row %d: the error went from %v to %v in ten steps", i, first, now)
		}
	}
	if _, err := NewLesson(strings.Fields("a b a"), 4, 3, 0.5, 1); err == nil {
		t.Error("two words: no error")
	}
}

func TestFeatures(t *testing.T) {
	want := map[string]string{"king − man + woman": "queen", "boy − man + woman": "girl", "prince − king + queen": "princess"}
	for _, r := range Differences(nil).Rows {
		if word, asked := want[r[0]]; asked && !strings.HasPrefix(r[5], word+" ") {
			t.Errorf("%s is %s, want %s", r[0], r[5], word)
		}
	}
}

// A lecture in Chinese has the same table with Chinese words.
func TestFeaturesInChinese(t *testing.T) {
	e, z := Features(nil), Features(Chinese)
	if len(e.Rows) != len(z.Rows) || z.Rows[3][0] != "王后" || z.Rows[3][1] != e.Rows[3][1] || z.Header[1] != "性别" {
		t.Errorf("%q, in English %q", z, e)
	}
	for _, r := range Differences(Chinese).Rows {
		if r[0] == "国王 − 男人 + 女人" && strings.HasPrefix(r[5], "王后 (cosine") {
			return
		}
	}
	t.Errorf("%q", Differences(Chinese).Rows)
}

func TestText(t *testing.T) {
	s, _ := corpus.NewSplitter("words")
	b := corpus.NewBuilder(s)
	b.AddText(strings.Repeat("a b c\n", 10) + "a b\n")
	text, err := b.Text(1, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	if m := Matrix(text, 3, 5).Rows; m[0][2] != "11.0" || m[0][3] != "5.0" || m[2][1] != "5.0" || m[1][1] != "11.0" || m[0][1] != "0" {
		t.Errorf("matrix %q: want 11 of a and b, half of 10 of a and c", m)
	}
	rows := Noise(text.Vocabulary, 0.75, 0).Rows
	if len(rows) != 3 || rows[2][1] != "c" || rows[2][3] != "0.312500" || rows[2][4] != "0.317642" {
		t.Errorf("noise %q", rows)
	}
	if rows := Weights(100, 0.75).Rows; rows[len(rows)-1][2] != "1.000" || rows[2][2] != "0.178" {
		t.Errorf("weights %q", rows)
	}
}
