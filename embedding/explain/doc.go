// Package explain makes the tables of a lecture on word vectors from what the program
// computes: the examples that a window cuts out of a sentence, a step of negative sampling,
// features and their differences, noise probabilities, GloVe's matrix and weights.
package explain

import (
	"fmt"
	"math"
)

// Table is a title, a line on what is to be seen, and cells of text.
type Table struct {
	Title  string     `json:"title"`
	Note   string     `json:"note,omitempty"`
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

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
