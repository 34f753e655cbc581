package finetune

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"tinygpt/data"
	"tinygpt/data/labelled"
	"tinygpt/data/story"
)

// Examples has the three sets of a task.
type Examples struct {
	Train, Dev, Test []labelled.Example
	// Notes say for each file which columns were taken for what, a line each.
	Notes []string
}

// Load reads the sets that the configuration names, and finds the columns and the classes (or
// whatever else labels need) of all training examples. known, unless nil, is what a run found:
// then its columns and labels are used, and examples other than the run's are an error. Without
// a file for development, Load holds out a part of the training examples, the same for every
// seed. Test is nil if there is no file for it.
func Load(c Config, known *Found) (*Examples, *Setup, error) {
	x, s := &Examples{}, &Setup{Config: c}
	if known != nil {
		s.Found = *known
	}
	if c.Stories != "" {
		if tasks[c.Task].kind != labelled.StoryKind(c.Stories) || c.Head == Regression {
			return nil, nil, fmt.Errorf("finetune.stories is %s, whose examples don't fit the task %s", c.Stories, c.Task)
		}
		language, err := story.ByName(c.StoriesLanguage)
		if err != nil {
			return nil, nil, fmt.Errorf("finetune.stories_language: %w", err)
		}
		x.Train, x.Dev, x.Test = labelled.Stories(language, c.Stories)
		return x, s, errors.Join(s.learnLabels(x), s.same(x))
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
		if *set.examples, note, err = s.read(set.file, true, set.file == c.Train && s.SHA256 == ""); err != nil {
			return nil, nil, err
		}
		x.Notes = append(x.Notes, note)
	}
	if err := errors.Join(s.learnLabels(x), s.same(x)); err != nil {
		return nil, nil, err
	}
	if s.ChoiceLabels != "" {
		x.Notes = append(x.Notes, s.ChoiceLabels.Describe())
	}
	if c.Dev == "" {
		x.Dev, x.Train = draw(x.Train, int(math.Ceil(c.DevFraction*float64(len(x.Train)))), s.strata(), 0)
		if len(x.Train) == 0 {
			return nil, nil, fmt.Errorf("%s: %d examples are too few to hold some out for development: name a file with --dev", c.Train, len(x.Dev))
		}
	}
	x.Notes = append(x.Notes, s.notices(x)...)
	return x, s, nil
}

// same sets the checksum of the examples, or if a run has one already compares the examples
// with it.
func (s *Setup) same(x *Examples) error {
	h := sha256.New()
	for _, set := range [][]labelled.Example{x.Train, x.Dev, x.Test} {
		for _, e := range set {
			fmt.Fprintf(h, "%q\n", []any{e.Texts, e.Choices, e.Tokens, e.Label, e.Tags})
		}
		fmt.Fprintln(h)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	if s.SHA256 != "" && s.SHA256 != sum {
		files := slices.DeleteFunc([]string{s.Train, s.Dev, s.Test}, func(name string) bool { return name == "" })
		return fmt.Errorf("the examples are not those that the run began with (sha256 %.12s…, now %.12s…): restore %s, or start a new run", s.SHA256, sum, strings.Join(files, ", "))
	}
	s.SHA256 = sum
	return nil
}

// Source is a file of further examples, for prediction.
type Source struct {
	File     string
	Format   labelled.Format // "": as the file's name says
	Encoding string
	// Columns are the columns of this file; those that are missing are as Load found them.
	Columns labelled.Columns
}

// Read reads examples of the task without their labels, from the columns that the source names,
// else from those that Load found in the training examples. If these are positions, since the
// training file had no names of columns, a file with names is an error.
func (s *Setup) Read(from Source) ([]labelled.Example, error) {
	of := *s
	of.Format, of.Encoding, of.Header = string(from.Format), from.Encoding, from.Columns.Header
	of.Found.Columns = s.columns()
	for _, c := range []struct{ from, to *[]string }{
		{&from.Columns.Text, &of.Found.Columns.Text}, {&from.Columns.Second, &of.Found.Columns.Second}, {&from.Columns.Choices, &of.Found.Columns.Choices},
	} {
		if len(*c.from) > 0 {
			*c.to, of.Headerless = *c.from, false
		}
	}
	examples, _, err := of.read(from.File, false, false)
	return examples, err
}

// read reads examples of the task. note says in a line which columns were taken for what. learn
// sets s.Found.Columns to the file's columns, so that other files are read with them.
func (s *Setup) read(file string, withLabels, learn bool) (examples []labelled.Example, note string, err error) {
	t, err := labelled.Read(file, labelled.Format(s.Format), data.Options{Encoding: s.Encoding})
	if err != nil {
		return nil, "", err
	}
	kind := tasks[s.Task].kind
	columns, err := t.Guess(kind, s.columns(), withLabels)
	if err != nil {
		return nil, "", err
	}
	if s.Headerless && s.Header == "" && columns.Header == "yes" {
		return nil, "", fmt.Errorf("%s: its first row looks like names of columns (%s), and the file that was trained on had none: name the columns with --text and the like, or say --header no if it is an example, --header yes if the columns are in the same places", t.Name, t.Names())
	}
	if examples, err = t.Examples(kind, columns, withLabels); err != nil {
		return nil, "", err
	}
	note = t.Describe(kind, columns, withLabels)
	if kind != labelled.Tagged && kind != labelled.Choice && !t.Named() && s.Header == "" && withLabels {
		note += onlyInFirstRow(examples)
	}
	if learn {
		s.Found.Columns, s.Headerless = columns, !t.Named()
		s.Found.Columns.Header = ""
	}
	return examples, note, nil
}

// onlyInFirstRow returns a warning, or "", for a label that only the first row has, which may be
// the column's name.
func onlyInFirstRow(examples []labelled.Example) string {
	const few = 8 // so few rows may well have different labels
	if len(examples) < few {
		return ""
	}
	seen := map[string]int{}
	for _, e := range examples {
		seen[e.Label]++
	}
	first := examples[0].Label
	if seen[first] > 1 {
		return ""
	}
	delete(seen, first)
	if slices.Contains(slices.Collect(maps.Values(seen)), 1) {
		return "" // rare labels are usual here
	}
	return fmt.Sprintf("; no other row has the label %q of the first one: if that is the column's name, say --header yes", first)
}

// learnLabels finds classes, names of choices, or mean and deviation of grades in the
// training examples, unless a run has them already, and checks the labels of all sets.
func (s *Setup) learnLabels(x *Examples) (err error) {
	t := tasks[s.Task]
	switch {
	case s.Head == Regression:
		if s.Deviation == 0 {
			err = s.learnGrades(x.Train)
		}
	case t.kind == labelled.Choice:
		if s.ChoiceLabels == "" {
			s.ChoiceLabels = labelled.NewChoiceLabels(x.Train)
		}
	case len(s.Classes) > 0:
	case t.kind == labelled.Tagged:
		s.Classes, err = labelled.NewTags(x.Train, s.MetricName() == spanF1)
	default:
		s.Classes, err = labelled.NewClasses(x.Train)
	}
	if err != nil {
		return err
	}
	size := 0
	for _, name := range s.Classes {
		size += len(strconv.Quote(name)) + len(", ")
	}
	if len(s.Classes) > mostClasses || size > mostNames {
		return fmt.Errorf("%s: %d different labels, with %d bytes: expected up to %d, with %d bytes; if this isn't the column of the labels, name it with --label", x.Train[0].File, len(s.Classes), size, mostClasses, mostNames)
	}
	head := t.head(s)
	for _, set := range [][]labelled.Example{x.Train, x.Dev, x.Test} {
		for _, e := range set {
			if err := head.label(&Item{Example: e}); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostClasses bounds the number of classes: predictions have a probability of each. mostNames is
// how many bytes all their names may have: they are kept in the run's configuration, whose size
// configs.MaxSize bounds, with all else that is in it.
const (
	mostClasses = 5000
	mostNames   = 200_000
)

// learnGrades sets mean and deviation of the training grades.
func (s *Setup) learnGrades(examples []labelled.Example) error {
	var grades []float64
	for _, e := range examples {
		grade, err := e.Number()
		if err != nil {
			return err
		}
		grades = append(grades, grade)
	}
	s.Mean, s.Deviation = stat.PopMeanStdDev(grades, nil)
	if math.IsNaN(s.Deviation) || math.IsInf(s.Deviation, 0) {
		return fmt.Errorf("%s: the grades go from %v to %v: expected a range whose square is a number", examples[0].File, slices.Min(grades), slices.Max(grades))
	}
	if s.Deviation < 1e-9 {
		return fmt.Errorf("%s: all %d rows have the grade %v: expected different grades; if this isn't the column of the labels, name it with --label", examples[0].File, len(examples), s.Mean)
	}
	return nil
}

// strata reports whether sets are drawn class by class.
func (s *Setup) strata() bool { return len(s.Classes) > 0 && tasks[s.Task].kind != labelled.Tagged }

// Subset draws as many of the training examples as finetune.examples asks for; 0: all. More
// than there are is an error.
func (s *Setup) Subset(examples []labelled.Example, seed uint64) ([]labelled.Example, error) {
	if s.Examples == 0 {
		return examples, nil
	}
	if s.Examples > len(examples) {
		return nil, fmt.Errorf("finetune.examples is %d, but there are %d examples to train on: expected at most that many, or 0 for all", s.Examples, len(examples))
	}
	drawn, _ := draw(examples, s.Examples, s.strata(), seed)
	return drawn, nil
}

// draw draws n examples at random; with strata, each class has the same share of them as of all
// examples. Both results are in the order of the examples.
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
