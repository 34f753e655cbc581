package finetune

import (
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
	// Mean and Deviation are those of the training grades. The head learns standardised grades:
	// (grade − Mean) / Deviation.
	Mean      float64 `yaml:"mean,omitempty"`
	Deviation float64 `yaml:"deviation,omitempty"`
	// Columns are the columns of the training examples.
	Columns labelled.Columns `yaml:"columns,omitempty"`
	// Headerless says that the training file had no names of columns, so that Columns are
	// positions. A file with names may have other columns there.
	Headerless bool `yaml:"headerless,omitempty"`
	// SHA256 is the checksum of all examples, in hexadecimal.
	SHA256 string `yaml:"sha256,omitempty"`
}

// Check returns an error for values that can't have been found in examples.
func (f Found) Check() error {
	if math.IsNaN(f.Mean) || math.IsInf(f.Mean, 0) || !(f.Deviation >= 0) || math.IsInf(f.Deviation, 0) {
		return fmt.Errorf("mean and deviation of the grades are %v and %v: expected finite numbers, and a deviation of 0 or more", f.Mean, f.Deviation)
	}
	seen := map[string]bool{}
	for i, name := range f.Classes {
		if name == "" || seen[name] {
			return fmt.Errorf("class %d of %d is %.40q: expected names that differ, and none that is empty", i+1, len(f.Classes), name)
		}
		seen[name] = true
	}
	return nil
}

// Setup is a configuration together with what was found in the examples: all that heads,
// encoders and predictors are made from.
type Setup struct {
	Config
	Found
}

// columns returns the columns of the examples' parts: those that were found, else those that
// the configuration names.
func (s *Setup) columns() labelled.Columns {
	if c := s.Found.Columns; c.Label != "" || len(c.Text) > 0 {
		c.Header = s.Header
		return c
	}
	return labelled.Columns{Text: s.Text, Second: s.Second, Choices: s.Choices, Label: s.Label, Header: s.Header}
}
