package baseline

import (
	"fmt"
	"maps"
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

var reviews = []string{"the film is good , very good", "the film is bad", "a good plot and a bad end", "nothing new", "bad bad film !", "very new , very good"}

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
		m, err := c.FitNGrams(t.Context(), x[0], x[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := c.Measure(x[2], m)
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
		if e, err = c.Measure(x[2], a); err != nil {
			t.Fatal(err)
		}
		if s := e.Score(); s < r.least-0.03 || s > r.most {
			t.Errorf("averaged vectors, %s: %s (rate %v, %d epochs), expected %v to %v", name, e, a.Rate, a.Epochs, r.least, r.most)
		}
	}
}
