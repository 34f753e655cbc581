package finetune

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"tinygpt/data/labelled"
	"tinygpt/internal/chart"
	"tinygpt/internal/number"
)

// likeGrades says whether the labels look like grades rather than classes: they are numbers,
// and many of the examples have one of their own.
func likeGrades(classes labelled.Classes, examples int) bool {
	for _, label := range classes {
		if _, err := strconv.ParseFloat(label, 64); err != nil {
			return false
		}
	}
	return len(classes) > 20 && 4*len(classes) > examples
}

// Describe prints what the session is about to do.
func (s *Session) Describe(w io.Writer) {
	test := "no test set"
	if s.TestItems != nil {
		test = number.Thousands(len(s.TestItems)) + " to test"
	}
	fmt.Fprintf(w, "examples:       %s to train on, %s for development, %s\n", number.Thousands(len(s.TrainItems)), number.Thousands(len(s.DevItems)), test)
	cut, all := Truncated(s.TrainItems), len(s.TrainItems)
	fmt.Fprintf(w, "truncated:      %d of them (%.1f %%) exceed %d tokens and lose their %s\n",
		cut, 100*float64(cut)/float64(all), s.Setup.Room(s.Model.Config.Context), s.Setup.Truncate)
	lengths, padding := s.Buckets()
	fmt.Fprintf(w, "buckets:        sequences of %s tokens; %.0f %% is padding\n", strings.Trim(fmt.Sprint(lengths), "[]"), 100*padding)
	fmt.Fprintf(w, "steps:          %d, the development set is measured every %d\n", s.Train.Steps, s.Train.EvalInterval)
	fmt.Fprintf(w, "memory:         about %s\n", number.Mebibytes(s.Memory().Total()))
	if n := len(s.DevItems); n < fewExamples {
		fmt.Fprintf(w, "note:           a development set of %d examples is small: each of them counts %.1f %%, and the best checkpoint is chosen by little; name a larger set with --dev\n", n, 100/float64(n))
	}
	if likeGrades(s.Setup.Classes, all) {
		fmt.Fprintf(w, "note:           %s different numbers are the labels, each a class of its own; if they are grades, --head regression learns them as such\n", number.Thousands(len(s.Setup.Classes)))
	}
	if s.Setup.NGrams {
		fmt.Fprint(w, "n-grams:        fitted at the end, to predict together with the network\n")
	}
	switch lambda := s.Setup.Lambda; {
	case lambda == 0:
		fmt.Fprint(w, "loss:           L2, without the language model's\n\n")
	case lambda < 0:
		fmt.Fprintf(w, "loss:           L2 - %g·L1\n\n", -lambda)
	default:
		fmt.Fprintf(w, "loss:           L2 + %g·L1\n\n", lambda)
	}
}

// fewExamples is the size below which a development set says little.
const fewExamples = 50

// maxClasses is the maximum number of classes for which Show prints the confusion matrix. With
// more classes it prints up to maxMistakes mistakes.
const (
	maxClasses  = 12
	maxMistakes = 10
)

// Show prints what the session reached, and the files that Write writes.
func (s *Session) Show(w io.Writer, r Result) {
	name, e := r.Final()
	fmt.Fprintf(w, "\ndone: %d steps in %s; the best by the development set is that of step %d\n", r.State.Step, number.Short(r.State.Elapsed), r.State.BestStep)
	if r.State.Step < s.Train.Steps {
		fmt.Fprintf(w, "stopped early:   at step %d of %d, for %d evaluations in a row brought nothing better (train.patience)\n", r.State.Step, s.Train.Steps, s.Train.Patience)
	}
	fmt.Fprintf(w, "development set: %s\n", r.Dev)
	if r.Test != nil {
		fmt.Fprintf(w, "test set:        %s\n", *r.Test)
	}
	if m := r.Mixture; m != nil {
		score := func(a Alone) float64 {
			_, e := Result{Dev: a.Dev, Test: a.Test}.Final()
			return e.Score()
		}
		fmt.Fprintf(w, "n-grams:         %.0f %% of the scores, as is best on the development set; on the %s set %s %.4f by the network alone, %.4f by n-grams alone\n",
			100*m.Share, name, strings.ReplaceAll(e.Metric, "_", "-"), score(r.Network), score(r.NGrams))
	}
	if s.Setup.Stories != "" {
		fmt.Fprintf(w, "best possible:   accuracy 1: a story's text has one derivation only, which settles the label\n")
	}
	if e.Entities.True > 0 {
		fmt.Fprintf(w, "entities:        precision %.4f, recall %.4f\n", e.Entities.Precision(), e.Entities.Recall())
	}
	switch c := e.Confusion; {
	case c == nil:
	case len(c.Classes) <= maxClasses:
		fmt.Fprintf(w, "\nconfusion on the %s set:\n%s", name, c)
	default:
		fmt.Fprintf(w, "\nmost frequent mistakes on the %s set (true, predicted, examples):\n", name)
		for _, m := range c.Mistakes(maxMistakes) {
			fmt.Fprintf(w, "    %s, %s, %d\n", c.Classes[m.Truth], c.Classes[m.Predicted], m.Count)
		}
	}
	fmt.Fprintf(w, "\nworst of the %s set (more in %s):\n%s", name, filepath.Join(s.Dir, WorstFile), s.Setup.Worst(e, 3))
	if e.Confusion != nil {
		if missing := chart.Unreadable(e.Confusion.Classes...); missing != "" {
			fmt.Fprintf(w, "\nnote: no font on this computer has the characters %s: they are blank in %s; %s shows them where there is one\n", missing, ConfusionFile, ConfusionSVGFile)
		}
	}
	fmt.Fprintf(w, "\nresults: %s\n", filepath.Join(s.Dir, ResultsFile))
}
