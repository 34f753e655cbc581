package finetune

import (
	"errors"
	"fmt"
	"math"

	"tinygpt/data/labelled"
)

// Found is what Load finds in the examples. A run keeps it: later examples are read with
// the same columns and labels.
type Found struct {
	// Classes are the labels, or the tags for the task tagging. Score i of a head is that
	// of class i.
	Classes labelled.Classes `yaml:"classes,omitempty"`
	// ChoiceLabels is how the right choice is named: 0 or 1 (the number of the first),
	// A or text.
	ChoiceLabels labelled.ChoiceLabels `yaml:"choice_labels,omitempty"`
	// Mean and Deviation of grades. The head learns standardised grades:
	// (grade − Mean) / Deviation.
	Mean      float64 `yaml:"mean,omitempty"`
	Deviation float64 `yaml:"deviation,omitempty"`
	// Columns are those that the examples were in.
	Columns labelled.Columns `yaml:"columns,omitempty"`
	// Headerless says that the columns are named by their positions in a file without
	// names; in one with names others may be there.
	Headerless bool `yaml:"headerless,omitempty"`
	// SHA256 of all examples.
	SHA256 string `yaml:"sha256,omitempty"`
}

// Check returns an error for values that no examples give.
func (f Found) Check() error {
	var errs []error
	if math.IsNaN(f.Mean) || math.IsInf(f.Mean, 0) || !(f.Deviation >= 0) || math.IsInf(f.Deviation, 0) {
		errs = append(errs, fmt.Errorf("mean and deviation of the grades are %v and %v: expected numbers", f.Mean, f.Deviation))
	}
	return errors.Join(errs...)
}

// Setup is a configuration together with what was found in the examples: all that heads,
// encoders and predictors are made from.
type Setup struct {
	Config
	Found
}

// columns is where examples are in a row: where they were found, else where the
// configuration says.
func (s *Setup) columns() labelled.Columns {
	if c := s.Found.Columns; c.Label != "" || len(c.Text) > 0 {
		c.Header = s.Header
		return c
	}
	return labelled.Columns{Text: s.Text, Second: s.Second, Choices: s.Choices, Label: s.Label, Header: s.Header}
}
