package metric

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/internal/terminal"
)

// The expected values are scikit-learn 1.9's.
func TestConfusion(t *testing.T) {
	classes := []string{"a", "b", "c", "never predicted", "absent"}
	c := NewConfusion(classes, []int{2, 0, 1, 2, 2, 0, 1, 1, 0, 2, 2, 3}, []int{2, 0, 1, 1, 2, 2, 1, 0, 0, 2, 0, 2})
	expect.Near(t, "accuracy", c.Accuracy(), 0.5833333333333334, 1e-12)
	expect.Near(t, "macro-F1", c.MacroF1(), 0.45952380952380956, 1e-12)
	expect.Near(t, "Matthews", c.Matthews(), 0.3919400735783415, 1e-12)
	two := NewConfusion([]string{"0", "1"}, []int{1, 1, 1, 0, 0, 1, 0, 1}, []int{1, 0, 1, 0, 1, 1, 0, 1})
	expect.Near(t, "accuracy of two", two.Accuracy(), 0.75, 1e-12)
	expect.Near(t, "macro-F1 of two", two.MacroF1(), 0.7333333333333334, 1e-12)
	expect.Near(t, "Matthews of two", two.Matthews(), 0.4666666666666667, 1e-12)
	expect.Near(t, "Matthews of one prediction", NewConfusion([]string{"0", "1"}, []int{0, 1}, []int{1, 1}).Matthews(), 0, 1e-12)
	for _, want := range []string{"true \\ predicted", "never predicted", "\na                               2                0                1"} {
		if !strings.Contains(c.String(), want) {
			t.Errorf("no %q in\n%s", want, c)
		}
	}
}

func TestDraw(t *testing.T) {
	path := fixture.NewPath(t, "confusion.png")
	c := NewConfusion([]string{"good", "bad", "差", "d", "e"}, []int{0, 1, 1}, []int{0, 1, 0})
	if err := c.Draw(path, "test set"); err != nil {
		t.Fatal(err)
	}
	picture := expect.File(t, path)
	image, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	colors := map[[3]uint32]bool{}
	for x := range image.Bounds().Dx() {
		r, g, b, _ := image.At(x, image.Bounds().Dy()/2).RGBA()
		colors[[3]uint32{r, g, b}] = true
	}
	if len(colors) < 3 {
		t.Errorf("the middle of the picture has %d colours", len(colors))
	}
	if err := c.Draw(path+"/x", ""); err == nil {
		t.Error("drawn into a file as a folder")
	}
}

// The expected values are SciPy's.
func TestCorrelations(t *testing.T) {
	x, y := []float64{1, 2.5, 2.5, 4, 0, 5, 3.2}, []float64{1.1, 2, 3, 3.9, 0.4, 3.9, 1}
	expect.Near(t, "Pearson", Pearson(x, y), 0.8263617094894056, 1e-12)
	expect.Near(t, "Spearman", Spearman(x, y), 0.7636363636363637, 1e-12)
	expect.Near(t, "Pearson of a constant", Pearson(x, make([]float64, 7)), 0, 1e-12)
	// Whatever is constant, whatever its mean is rounded to: a number, and it is 0.
	for n := range 50 {
		for _, value := range []float64{0.1, 0.7, 1e-300, 1e300, 3.3, math.NaN(), math.Inf(1)} {
			constant, rising := slices.Repeat([]float64{value}, n), make([]float64, n)
			for i := range rising {
				rising[i] = float64(i)
			}
			for name, r := range map[string]float64{"Pearson": Pearson(constant, rising), "Pearson the other way": Pearson(rising, constant), "Spearman": Spearman(constant, rising)} {
				if r != 0 {
					t.Fatalf("%s of %d times %v: %v", name, n, value, r)
				}
			}
		}
	}
}

// The expected values are seqeval's, which are conlleval's.
func TestEntities(t *testing.T) {
	var e Entities
	for i, truth := range []string{"O B-PER I-PER O B-LOC", "I-LOC I-LOC O B-ORG B-ORG I-ORG", "B-PER I-LOC O I-PER"} {
		predicted := []string{"O B-PER I-PER O B-PER", "B-LOC I-LOC O B-ORG I-ORG I-ORG", "B-PER B-LOC O O"}[i]
		e.Add(strings.Fields(truth), strings.Fields(predicted))
	}
	expect.Near(t, "precision", e.Precision(), 0.6666666666666666, 1e-12)
	expect.Near(t, "recall", e.Recall(), 0.5, 1e-12)
	expect.Near(t, "F1", e.F1(), 0.5714285714285715, 1e-12)
	expect.Near(t, "F1 of nothing", Entities{}.F1(), 0, 1e-12)
	if got, want := Spans(strings.Fields("I-a I-b B-b I-b O I-b")), []Span{{"a", 0, 1}, {"b", 1, 2}, {"b", 2, 4}, {"b", 5, 6}}; !slices.Equal(got, want) {
		t.Errorf("spans %v, want %v", got, want)
	}
}

// However many classes there are, the picture has a bounded size; of many the most
// frequent mistakes are drawn.
func TestManyClasses(t *testing.T) {
	for _, n := range []int{2, maxSquares, maxSquares + 1, 300, 1500} {
		classes, truth, predicted := make([]string, n), make([]int, 3*n), make([]int, 3*n)
		for i := range classes {
			classes[i] = fmt.Sprintf("class %d with a long name", i)
		}
		for i := range truth {
			truth[i], predicted[i] = i%n, i%n
			if i%7 == 0 {
				predicted[i] = (i + 1) % n
			}
		}
		truth[1], predicted[1] = 1, 0
		truth[2], predicted[2] = 1, 0
		c := NewConfusion(classes, truth, predicted)
		if top := c.Mistakes(1); len(top) != 1 || top[0] != (Mistake{1, 0, 2}) {
			t.Errorf("%d classes: the most frequent mistake is %v", n, top)
		}
		path := fixture.NewPath(t, "a.png")
		if err := c.Draw(path, "test set"); err != nil {
			t.Fatal(err)
		}
		size, _, err := image.DecodeConfig(bytes.NewReader(expect.File(t, path)))
		if err != nil || size.Width > 2500 || size.Height > 2500 {
			t.Errorf("%d classes: a picture of %d × %d pixels: %v", n, size.Width, size.Height, err)
		}
	}
	all := make([]int, 100)
	for i := range all {
		all[i] = i
	}
	if err := NewConfusion(make([]string, 100), all, all).Draw(fixture.NewPath(t, "a.png"), ""); err != nil {
		t.Error("without a mistake: ", err)
	}
}

// Columns are aligned on the terminal, where a Chinese character is two letters wide.
func TestTableOfWideNames(t *testing.T) {
	c := NewConfusion([]string{"体育", "yes", "一个非常非常非常长的类名"}, []int{0, 1, 2}, []int{0, 1, 0})
	want := -1
	for line := range strings.Lines(c.String()) {
		width := terminal.Columns(strings.TrimSuffix(line, "\n"))
		if want < 0 {
			want = width
		}
		if width != want {
			t.Errorf("a line of width %d, the first has %d:\n%s", width, want, c)
		}
	}
	for name, want := range map[string]string{"abcdef": "abcdef", "abcdefg": "abcde…", "体育体育": "体育…", "👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧": "👨‍👩‍👧👨‍👩‍👧…"} {
		if got := terminal.Fit(name, 6); got != want {
			t.Errorf("%s is shortened to %s, want %s", name, got, want)
		}
	}
}

func TestMeanDeviation(t *testing.T) {
	if mean, deviation := MeanDeviation([]float64{1, 2, 3}); mean != 2 || deviation != 1 {
		t.Errorf("%v ± %v", mean, deviation)
	}
	if _, deviation := MeanDeviation([]float64{1}); deviation != 0 {
		t.Errorf("one value has the deviation %v", deviation)
	}
}
