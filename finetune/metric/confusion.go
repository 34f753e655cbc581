// Package metric compares predictions with the truth: classes, grades and entities. It knows
// nothing of models.
package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tinygpt/internal/terminal"
)

// Confusion counts examples by their true class and the predicted one.
type Confusion struct {
	Classes []string
	// Counts has for each true class how often each class was predicted that was: of thousands
	// of classes most pairs never occur.
	Counts []map[int]int
}

// NewConfusion counts the examples. truth and predicted are indices of classes.
func NewConfusion(classes []string, truth, predicted []int) *Confusion {
	c := &Confusion{Classes: classes, Counts: make([]map[int]int, len(classes))}
	for i, t := range truth {
		if c.Counts[t] == nil {
			c.Counts[t] = map[int]int{}
		}
		c.Counts[t][predicted[i]]++
	}
	return c
}

// margins returns the sums of the rows and of the columns, their total, and the sum of the
// diagonal.
func (c *Confusion) margins() (truth, predicted []float64, total, correct float64) {
	truth, predicted = make([]float64, len(c.Counts)), make([]float64, len(c.Counts))
	for i, row := range c.Counts {
		for j, n := range row {
			truth[i] += float64(n)
			predicted[j] += float64(n)
			total += float64(n)
		}
		correct += float64(row[i])
	}
	return truth, predicted, total, correct
}

// Accuracy returns the share of right predictions, 0 to 1.
func (c *Confusion) Accuracy() float64 {
	_, _, total, correct := c.margins()
	return correct / max(total, 1)
}

// MacroF1 returns the mean over classes of F1, the harmonic mean of precision and recall.
// Classes that neither occur nor are predicted don't count.
func (c *Confusion) MacroF1() float64 {
	truth, predicted, _, _ := c.margins()
	var sum, classes float64
	for i := range c.Counts {
		if truth[i]+predicted[i] > 0 {
			sum += 2 * float64(c.Counts[i][i]) / (truth[i] + predicted[i])
			classes++
		}
	}
	return sum / max(classes, 1)
}

// Matthews returns the correlation of predictions and truth: 1 if all are right, 0 if they are
// no better than chance (Matthews 1975; for any number of classes Gorodkin 2004, equation 8). It
// is 0 if all predictions or all labels are the same.
func (c *Confusion) Matthews() float64 {
	truth, predicted, total, correct := c.margins()
	var both, truth2, predicted2 float64
	for i := range truth {
		both += truth[i] * predicted[i]
		truth2 += truth[i] * truth[i]
		predicted2 += predicted[i] * predicted[i]
	}
	scale := math.Sqrt((total*total - predicted2) * (total*total - truth2))
	if scale == 0 {
		return 0
	}
	return (correct*total - both) / scale
}

// String returns a table: a row for each true class, a column for each predicted one.
func (c *Confusion) String() string {
	const widest = 16
	t := terminal.Table{Right: func(column int) bool { return column > 0 }}
	head, width := []string{"true \\ predicted"}, 0
	for _, name := range c.Classes {
		name = terminal.Fit(name, widest)
		head, width = append(head, name), max(width, terminal.Columns(name))
	}
	for i := range c.Classes { // all columns of the same width
		head[1+i] = terminal.Pad(head[1+i], -width)
	}
	t.Row(head...)
	for truth, row := range c.Counts {
		cells := []string{terminal.Fit(c.Classes[truth], widest)}
		for predicted := range c.Classes {
			cells = append(cells, fmt.Sprint(row[predicted]))
		}
		t.Row(cells...)
	}
	return t.Text()
}

// Mistake says that Count examples of the class Truth were predicted to be of the class
// Predicted.
type Mistake struct{ Truth, Predicted, Count int }

// Mistakes returns the n most frequent mistakes, the most frequent first.
func (c *Confusion) Mistakes(n int) (list []Mistake) {
	for t, row := range c.Counts {
		for p, count := range row {
			if t != p && count > 0 {
				list = append(list, Mistake{t, p, count})
			}
		}
	}
	slices.SortFunc(list, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Truth, b.Truth), cmp.Compare(a.Predicted, b.Predicted))
	})
	return list[:min(n, len(list))]
}
