package finetune

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"tinygpt/data"
	"tinygpt/data/labelled"
)

// Examples are the three sets of a task.
type Examples struct {
	Train, Dev, Test []labelled.Example
	// Notes say of each file what was taken for what, a line each.
	Notes []string
}

// Load reads the sets that the configuration names and completes it with what it
// finds: the columns, and the classes (or what else labels need) of all training
// examples. Without a file for development it holds out a part of the training
// examples, the same for every seed. Test is nil if there is no file.
func Load(c *Config) (*Examples, error) {
	x := &Examples{}
	if c.Stories != "" {
		if tasks[c.Task].kind != labelled.StoryKind(c.Stories) || c.Head == Regression {
			return nil, fmt.Errorf("finetune.stories is %s, whose examples don't fit the task %s", c.Stories, c.Task)
		}
		x.Train, x.Dev, x.Test = labelled.Stories(c.Stories)
		return x, errors.Join(c.learnLabels(x), c.same(x))
	}
	for _, set := range []struct {
		file     string
		examples *[]labelled.Example
	}{{c.Train, &x.Train}, {c.Dev, &x.Dev}, {c.Test, &x.Test}} {
		if set.file == "" {
			continue
		}
		var note string
		var err error
		if *set.examples, note, err = c.read(set.file, true, set.file == c.Train && c.SHA256 == ""); err != nil {
			return nil, err
		}
		x.Notes = append(x.Notes, note)
	}
	if err := errors.Join(c.learnLabels(x), c.same(x)); err != nil {
		return nil, err
	}
	if c.ChoiceLabels != "" {
		x.Notes = append(x.Notes, labelled.ChoiceLabels(c.ChoiceLabels).Describe())
	}
	if c.Dev == "" {
		x.Dev, x.Train = draw(x.Train, int(math.Ceil(c.DevFraction*float64(len(x.Train)))), c.strata(), 0)
		if len(x.Train) == 0 {
			return nil, fmt.Errorf("%s: %d examples are too few to hold some out for development: name a file with --dev", c.Train, len(x.Dev))
		}
	}
	return x, nil
}

// same notes what the examples are, or compares them with what a run noted.
func (c *Config) same(x *Examples) error {
	h := sha256.New()
	for _, set := range [][]labelled.Example{x.Train, x.Dev, x.Test} {
		for _, e := range set {
			fmt.Fprintf(h, "%q\n", []any{e.Texts, e.Choices, e.Tokens, e.Label, e.Tags})
		}
		fmt.Fprintln(h)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	if c.SHA256 != "" && c.SHA256 != sum {
		return fmt.Errorf("the examples are not those that the run began with (sha256 %.12s…, now %.12s…): restore %s, or start a new run", c.SHA256, sum, strings.Join(slices.DeleteFunc([]string{c.Train, c.Dev, c.Test}, func(s string) bool { return s == "" }), ", "))
	}
	c.SHA256 = sum
	return nil
}

// Read reads examples of the task from a file, in the columns that Load found in the
// training examples. Positions that were found in a file without names aren't applied
// to one with names.
func (c *Config) Read(file string, withLabels bool) ([]labelled.Example, error) {
	examples, _, err := c.read(file, withLabels, false)
	return examples, err
}

// read is Read with a line that says what was taken for what. learn says that the file
// is the one whose columns the others have too.
func (c *Config) read(file string, withLabels, learn bool) (examples []labelled.Example, note string, err error) {
	t, err := labelled.Read(file, labelled.Format(c.Format), data.Options{Encoding: c.Encoding})
	if err != nil {
		return nil, "", err
	}
	kind := tasks[c.Task].kind
	columns, err := t.Guess(kind, c.columns(), withLabels)
	if err != nil {
		return nil, "", err
	}
	if c.Headerless && c.Header == "" && columns.Header == "yes" {
		return nil, "", fmt.Errorf("%s: its first row looks like names of columns (%s), and the file that was trained on had none: name the columns with --text and the like, or say --header no if it is an example, --header yes if the columns are in the same places", t.Name, t.Names())
	}
	if examples, err = t.Examples(kind, columns, withLabels); err != nil {
		return nil, "", err
	}
	if learn {
		c.Text, c.Second, c.Choices, c.Label = columns.Text, columns.Second, columns.Choices, columns.Label
		c.Headerless = !t.Named()
	}
	return examples, t.Describe(kind, columns, withLabels), nil
}

// learnLabels finds classes, names of choices, or mean and deviation of grades in the
// training examples, unless a run has them already, and checks the labels of all sets.
func (c *Config) learnLabels(x *Examples) (err error) {
	t := tasks[c.Task]
	switch {
	case c.Head == Regression:
		if c.Deviation == 0 {
			err = c.learnGrades(x.Train)
		}
	case t.kind == labelled.Choice:
		if c.ChoiceLabels == "" {
			c.ChoiceLabels = string(labelled.NewChoiceLabels(x.Train))
		}
	case len(c.Classes) > 0:
	case t.kind == labelled.Tagged:
		c.Classes, err = labelled.NewTags(x.Train, c.MetricName() == spanF1)
	default:
		c.Classes, err = labelled.NewClasses(x.Train)
	}
	if err != nil {
		return err
	}
	head := t.head(c)
	for _, set := range [][]labelled.Example{x.Train, x.Dev, x.Test} {
		for _, e := range set {
			if err := head.label(&Item{Example: e}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Config) learnGrades(examples []labelled.Example) error {
	var sum, square float64
	for _, e := range examples {
		grade, err := e.Number()
		if err != nil {
			return err
		}
		sum += grade
		square += grade * grade
	}
	n := float64(len(examples))
	c.Mean = sum / n
	c.Deviation = math.Sqrt(max(square/n-c.Mean*c.Mean, 0))
	if c.Deviation < 1e-9 {
		return fmt.Errorf("%s: every row (%d of them) has the grade %v: there is nothing to learn; is that the column of the labels?", examples[0].File, len(examples), c.Mean)
	}
	return nil
}

// strata says whether sets are drawn class by class.
func (c *Config) strata() bool { return len(c.Classes) > 0 && tasks[c.Task].kind != labelled.Tagged }

// Subset draws the training examples that Examples asks for.
func (c *Config) Subset(examples []labelled.Example, seed uint64) ([]labelled.Example, error) {
	if c.Examples == 0 {
		return examples, nil
	}
	if c.Examples > len(examples) {
		return nil, fmt.Errorf("finetune.examples is %d, but there are %d to train on", c.Examples, len(examples))
	}
	drawn, _ := draw(examples, c.Examples, c.strata(), seed)
	return drawn, nil
}

// draw takes n examples by chance; with strata of each class as large a share as it
// has of all. Both results are in the order of the examples.
func draw(examples []labelled.Example, n int, strata bool, seed uint64) (drawn, left []labelled.Example) {
	type ticket struct {
		example int
		place   float64 // within the class, from 0 to 1
	}
	classes := map[string][]int{}
	for _, i := range rand.New(rand.NewPCG(seed, 0x73756273657473)).Perm(len(examples)) {
		class := ""
		if strata {
			class = examples[i].Label
		}
		classes[class] = append(classes[class], i)
	}
	var tickets []ticket
	for _, list := range classes {
		for place, i := range list {
			tickets = append(tickets, ticket{i, (float64(place) + 0.5) / float64(len(list))})
		}
	}
	slices.SortFunc(tickets, func(a, b ticket) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.example, b.example))
	})
	chosen := make([]bool, len(examples))
	for _, t := range tickets[:min(n, len(tickets))] {
		chosen[t.example] = true
	}
	for i, e := range examples {
		if chosen[i] {
			drawn = append(drawn, e)
		} else {
			left = append(left, e)
		}
	}
	return drawn, left
}
