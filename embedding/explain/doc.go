// Package explain makes the tables of a lecture on word vectors from what the program
// computes: the examples that a window cuts out of a sentence, a step of negative sampling,
// features and their differences, noise probabilities, GloVe's matrix and weights.
package explain

import (
	"fmt"
	"math"
)

// Table is a table of text with a title. Note is a sentence on what it shows.
type Table struct {
	Title  string     `json:"title"`
	Note   string     `json:"note,omitempty"`
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

// add appends a row: float64 cells with three decimal places, others as fmt.Print has them.
func (t *Table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case float64:
			row[i] = decimal(c)
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	t.Rows = append(t.Rows, row)
}

// decimal writes a number with three decimal places, and never −0.
func decimal(x float64) string {
	if math.Abs(x) < 0.0005 {
		x = 0
	}
	return fmt.Sprintf("%.3f", x)
}
