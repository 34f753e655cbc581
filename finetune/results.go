package finetune

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"tinygpt/internal/atomicfile"
)

// Names of the files that a fine-tuned run's folder has in addition to those of every run.
const (
	ResultsFile      = "results.json"
	ConfusionFile    = "confusion.png"
	ConfusionSVGFile = "confusion.svg"
	WorstFile        = "worst.txt"
)

// Measured is an evaluation in results.json.
type Measured struct {
	Examples int                `json:"examples"`
	Loss     float64            `json:"loss"`
	Metrics  map[string]float64 `json:"metrics"`
}

// Results is the content of results.json.
type Results struct {
	Task          string    `json:"task"`
	Metric        string    `json:"metric"`
	Seed          uint64    `json:"seed"`
	TrainExamples int       `json:"train_examples"`
	Truncated     int       `json:"train_truncated"`
	Steps         int       `json:"steps"`
	BestStep      int       `json:"best_step"`
	Dev           Measured  `json:"dev"`
	Test          *Measured `json:"test,omitempty"`
	// Mixture has the parts of the mixture that Dev and Test measure, if the run has n-grams.
	Mixture *MixtureResults `json:"mixture,omitempty"`
}

// MixtureResults has the parts of a mixture in results.json.
type MixtureResults struct {
	// Share is the weight of the n-grams' scores, C the inverse strength of the regularisation
	// that they were fitted with.
	Share   float64      `json:"ngrams_share"`
	C       float64      `json:"ngrams_c"`
	Network AloneResults `json:"network"`
	NGrams  AloneResults `json:"ngrams"`
}

// AloneResults has the evaluations of one part by itself.
type AloneResults struct {
	Dev  Measured  `json:"dev"`
	Test *Measured `json:"test,omitempty"`
}

func (e Evaluation) measured() Measured { return Measured{e.Examples, e.Loss, e.Metrics} }

func measuredTest(e *Evaluation) *Measured {
	if e == nil {
		return nil
	}
	m := e.measured()
	return &m
}

func (a Alone) results() AloneResults { return AloneResults{a.Dev.measured(), measuredTest(a.Test)} }

// Final returns the test evaluation, or the development one if there is no test set,
// and which of the two it is.
func (r Result) Final() (name string, e Evaluation) {
	if r.Test != nil {
		return "test", *r.Test
	}
	return "development", r.Dev
}

// Results returns what results.json says of r.
func (s *Session) Results(r Result) Results {
	_, e := r.Final()
	results := Results{
		Task: s.Setup.Task, Metric: e.Metric, Seed: s.Train.Seed, TrainExamples: len(s.TrainItems), Truncated: Truncated(s.TrainItems),
		Steps: r.State.Step, BestStep: r.State.BestStep, Dev: r.Dev.measured(), Test: measuredTest(r.Test),
	}
	if m := r.Mixture; m != nil {
		results.Mixture = &MixtureResults{m.Share, m.NGrams.C, r.Network.results(), r.NGrams.results()}
	}
	return results
}

// Write writes the results into the session's folder: numbers, confusion matrix, n-grams, and
// the examples with the highest loss. If a file can't be written, it still writes the others.
func (s *Session) Write(r Result) error {
	name, e := r.Final()
	text, err := json.MarshalIndent(s.Results(r), "", "  ")
	if err == nil {
		err = atomicfile.WriteFile(filepath.Join(s.Dir, ResultsFile), append(text, '\n'))
	}
	if r.Mixture != nil {
		err = errors.Join(err, r.Mixture.write(s.Dir, s.Setup))
	}
	errs := []error{err, atomicfile.WriteFile(filepath.Join(s.Dir, WorstFile), []byte(s.Setup.Worst(e, len(e.Worst))))}
	if e.Confusion != nil {
		for _, file := range []string{ConfusionFile, ConfusionSVGFile} {
			errs = append(errs, e.Confusion.Draw(filepath.Join(s.Dir, file), name+" set"))
		}
	}
	return errors.Join(errs...)
}

// Worst describes the n examples with the highest loss: the label, the prediction, and the text
// of each.
func (s *Setup) Worst(e Evaluation, n int) string {
	var b strings.Builder
	for _, j := range e.Worst[:min(n, len(e.Worst))] {
		fmt.Fprintf(&b, "%s:%d: loss %.2f, ", j.Example.File, j.Example.Line, j.Loss)
		x := j.Example
		switch {
		case len(x.Tags) > 0:
			b.WriteString("tags\n")
			for w, token := range x.Tokens {
				if said := s.Classes[j.Prediction.Tags[w]]; said != x.Tags[w] {
					fmt.Fprintf(&b, "    %s is %s, predicted %s\n", token, x.Tags[w], said)
				}
			}
			fmt.Fprintf(&b, "    %s\n", strings.Join(x.Tokens, " "))
		case len(x.Choices) > 0:
			fmt.Fprintf(&b, "right %q, chosen %q\n", x.Choices[j.Class], x.Choices[j.Prediction.Class])
		case s.Head == Regression:
			fmt.Fprintf(&b, "grade %v, predicted %.3f\n", j.Grade, j.Prediction.Grade)
		default:
			said := j.Prediction.Class
			fmt.Fprintf(&b, "label %q, predicted %q with %.0f %%\n", x.Label, s.Classes[said], 100*j.Prediction.Probabilities[said])
		}
		for _, text := range x.Texts {
			fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(text, "\n", "\n    "))
		}
	}
	return b.String()
}
