package baseline

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/finetune"
)

func examples(texts, labels []string) (out []labelled.Example) {
	for i, text := range texts {
		out = append(out, labelled.Example{Texts: []string{text}, Label: labels[i]})
	}
	return out
}

var (
	reviews = []string{"the film is good , very good", "the film is bad", "a good plot and a bad end", "nothing new", "bad bad film !", "very new , very good"}
	unseen  = examples([]string{"A very bad film", "good new unseen plot"}, []string{"neg", "pos"})
)

// fitted is a model with a strength of the test's choosing.
func fitted(t *testing.T, c *finetune.Setup, train []labelled.Example, strength float64) *Model {
	t.Helper()
	before := strengths
	defer func() { strengths = before }()
	strengths = []float64{strength}
	m, err := Train(c, train, train)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The expected values are scikit-learn 1.9's: TfidfVectorizer of words, marks and
// their pairs, and LogisticRegression with C = 10.
func TestClasses(t *testing.T) {
	c := &finetune.Setup{Config: finetune.Config{Task: "classification"}, Found: finetune.Found{Classes: []string{"mixed", "neg", "pos"}}}
	m := fitted(t, c, examples(reviews, []string{"pos", "neg", "mixed", "mixed", "neg", "pos"}), 10)
	want := [][]float64{{0.2768812975405816, 0.5030909758279344, 0.22002772663148407}, {0.578122218594312, 0.1240055992189453, 0.2978721821867426}}
	for i, p := range m.Predict(unseen) {
		for j := range want[i] {
			if math.Abs(p.Probabilities[j]-want[i][j]) > 1e-3 {
				t.Errorf("example %d: probabilities %v, want %v", i, p.Probabilities, want[i])
				break
			}
		}
	}
}

// The same with Ridge, alpha = 1/C.
func TestGrades(t *testing.T) {
	labels := []string{"5", "1", "3", "2.5", "0", "4.5"}
	c := &finetune.Setup{Config: finetune.Config{Task: "classification", Head: finetune.Regression}, Found: finetune.Found{Mean: 16.0 / 6, Deviation: 1.7480147469502525}}
	m := fitted(t, c, examples(reviews, labels), 10)
	for i, want := range []float64{1.8664802671944654, 3.3687160024709084} {
		if got := m.Predict(unseen)[i].Grade; math.Abs(got-want) > 1e-3 {
			t.Errorf("example %d: grade %v, want %v", i, got, want)
		}
	}
}

// What words tell is learned by each kind of task; what only their order tells, with
// other words between them, is not.
func TestRules(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	words := func(n int) []string {
		var out []string
		for range n {
			out = append(out, fmt.Sprint("w", random.IntN(50)))
		}
		return out
	}
	insert := func(list []string, word string) []string {
		return slices.Insert(list, random.IntN(len(list)+1), word)
	}
	rules := map[string]struct {
		config      finetune.Setup
		draw        func() labelled.Example
		least, most float64
	}{
		"a word": {finetune.Setup{Config: finetune.Config{Task: "classification"}}, func() labelled.Example {
			label := []string{"good", "bad"}[random.IntN(2)]
			return labelled.Example{Texts: []string{strings.Join(insert(words(6), label), " ")}, Label: label}
		}, 1, 1},
		"a word of the second text": {finetune.Setup{Config: finetune.Config{Task: "entailment"}}, func() labelled.Example {
			label := []string{"good", "bad"}[random.IntN(2)]
			return labelled.Example{Texts: []string{"good bad", strings.Join(insert(words(3), label), " ")}, Label: label}
		}, 1, 1},
		"a word in one choice": {finetune.Setup{Config: finetune.Config{Task: "choice"}, Found: finetune.Found{ChoiceLabels: "0"}}, func() labelled.Example {
			e := labelled.Example{Texts: []string{"which"}, Choices: []string{strings.Join(words(3), " "), strings.Join(words(3), " "), strings.Join(words(4), " ")}}
			right := random.IntN(3)
			e.Choices[right] += " yes"
			e.Label = fmt.Sprint(right)
			return e
		}, 1, 1},
		"the word before a word": {finetune.Setup{Config: finetune.Config{Task: "tagging"}}, func() labelled.Example {
			e := labelled.Example{Tokens: append(words(2), "mr", fmt.Sprint("x", random.IntN(1000)), "went"), Tags: []string{"O", "O", "O", "B-per", "O"}}
			return e
		}, 0.95, 1},
		"the order of two words": {finetune.Setup{Config: finetune.Config{Task: "classification"}}, func() labelled.Example {
			first, second := "good", "bad"
			if random.IntN(2) == 0 {
				first, second = second, first
			}
			return labelled.Example{Texts: []string{strings.Join(append(append(append(words(1), first), append(words(1), second)...), words(1)...), " ")}, Label: first}
		}, 0.35, 0.8},
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) { // in an order, for they share a random source
		r := rules[name]
		var x [3][]labelled.Example
		for i, n := range []int{400, 100, 400} {
			for range n {
				e := r.draw()
				e.File = "rule"
				x[i] = append(x[i], e)
			}
		}
		c := r.config
		var err error
		switch c.Task {
		case "tagging":
			c.Classes, err = labelled.NewTags(x[0], true)
		case "choice":
		default:
			c.Classes, err = labelled.NewClasses(x[0])
		}
		if err != nil {
			t.Fatal(err)
		}
		m, err := Train(&c, x[0], x[1])
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.Evaluate(x[2])
		if err != nil {
			t.Fatal(err)
		}
		if s := e.Score(); s < r.least || s > r.most {
			t.Errorf("%s: %s, expected %v to %v", name, e, r.least, r.most)
		}
		a, err := TrainFastText(&c, x[0], x[1], 1)
		if err != nil {
			t.Fatal(err)
		}
		if e, err = a.Evaluate(x[2]); err != nil {
			t.Fatal(err)
		}
		if s := e.Score(); s < r.least-0.03 || s > r.most {
			t.Errorf("averaged vectors, %s: %s (rate %v, %d epochs), expected %v to %v", name, e, a.Rate, a.Epochs, r.least, r.most)
		}
	}
}

func TestSplit(t *testing.T) {
	if got, want := strings.Join(split("It's 3.5 万元, Größe\n"), "|"), "it|'|s|3|.|5|万|元|,|größe"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := shape("McDonald's-99"), "XxXx'x-0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
