package ngram

import (
	"math"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/finetune/linear"
)

var (
	reviews = texts("the film is good , very good", "the film is bad", "a good plot and a bad end", "nothing new", "bad bad film !", "very new , very good")
	unseen  = texts("A very bad film", "good new unseen plot")
)

func texts(list ...string) (out []labelled.Example) {
	for _, text := range list {
		out = append(out, labelled.Example{Texts: []string{text}})
	}
	return out
}

// fitted is a model of the reviews with C = 10.
func fitted(t *testing.T, p linear.Problem) *linear.Model {
	t.Helper()
	v := Learn(labelled.Single, reviews)
	for _, e := range reviews {
		p.Rows = append(p.Rows, v.Rows(e)...)
	}
	m, err := p.Fit(t.Context(), v, func(m *linear.Model) (float64, error) { return -math.Abs(m.C - 10), nil })
	if err != nil || m.C != 10 {
		t.Fatal(m, err)
	}
	return m
}

// The expected values are scikit-learn 1.9's: TfidfVectorizer of words, marks and
// their pairs, and LogisticRegression with C = 10.
func TestClasses(t *testing.T) {
	p := linear.Problem{Outputs: 3}
	for _, class := range []int{2, 1, 0, 0, 1, 2} {
		p.Targets = append(p.Targets, linear.Target{Class: class})
	}
	m := fitted(t, p)
	want := [][]float64{{0.2768812975405816, 0.5030909758279344, 0.22002772663148407}, {0.578122218594312, 0.1240055992189453, 0.2978721821867426}}
	for i, e := range unseen {
		got := m.Scores(e)[0]
		linear.Softmax(got)
		for j := range want[i] {
			if math.Abs(got[j]-want[i][j]) > 1e-3 {
				t.Errorf("example %d: probabilities %v, want %v", i, got, want[i])
				break
			}
		}
	}
}

// The same with Ridge, alpha = 1/C.
func TestGrades(t *testing.T) {
	p := linear.Problem{Outputs: 1, Grades: true}
	mean, deviation := 16.0/6, 1.7480147469502525
	for _, grade := range []float64{5, 1, 3, 2.5, 0, 4.5} {
		p.Targets = append(p.Targets, linear.Target{Grade: (grade - mean) / deviation})
	}
	m := fitted(t, p)
	for i, want := range []float64{1.8664802671944654, 3.3687160024709084} {
		if got := mean + deviation*m.Scores(unseen[i])[0][0]; math.Abs(got-want) > 1e-3 {
			t.Errorf("example %d: grade %v, want %v", i, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	if got, want := strings.Join(Split("It's 3.5 万元, Größe\n"), "|"), "it|'|s|3|.|5|万|元|,|größe"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := shape("McDonald's-99"), "XxXx'x-0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
