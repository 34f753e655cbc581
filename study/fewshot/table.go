package fewshot

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
)

// Write writes the summary; format is text, markdown or csv, and anything else an error.
func (s *Summary) Write(w io.Writer, format string) error {
	switch format {
	case "text":
		_, err := io.WriteString(w, aligned(s.rows()))
		return err
	case "markdown":
		_, err := io.WriteString(w, markdown(s.rows()))
		return err
	case "csv":
		out := csv.NewWriter(w)
		out.Write([]string{"task", "parameters", "shots", "accuracy", "margin", "chance", "ideal", "seeds"})
		for _, task := range s.Tasks {
			for _, m := range s.Models {
				for _, shots := range s.Shots {
					if c, ok := s.Cell(m, task, shots); ok {
						f := func(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }
						out.Write([]string{task, fmt.Sprint(m.Parameters), fmt.Sprint(shots), f(c.Accuracy), f(c.Margin), f(c.Chance), f(c.Ideal), fmt.Sprint(c.Seeds)})
					}
				}
			}
		}
		out.Flush()
		return out.Error()
	}
	return fmt.Errorf("format %q: expected text, markdown or csv", format)
}

// rows returns the rows of a table: a header, then for each task a row for each model, one for
// chance, and one for the best reader where it is known.
func (s *Summary) rows() [][]string {
	header := []string{"accuracy, %", "parameters"}
	for _, n := range s.Shots {
		header = append(header, shotsName(n))
	}
	rows := [][]string{header}
	for _, task := range s.Tasks {
		name := task
		var chance, ideal []string
		for i, m := range s.Models {
			row := []string{name, number.Thousands(int(m.Parameters))}
			name = ""
			for _, n := range s.Shots {
				c, ok := s.Cell(m, task, n)
				if !ok {
					row = append(row, "")
					continue
				}
				row = append(row, fmt.Sprintf("%.0f ± %.0f", 100*c.Accuracy, 100*c.Margin))
				if i == 0 {
					chance = append(chance, fmt.Sprintf("%.0f", 100*c.Chance))
					ideal = append(ideal, fmt.Sprintf("%.0f", 100*c.Ideal))
				}
			}
			rows = append(rows, row)
		}
		rows = append(rows, append([]string{"", "chance"}, chance...))
		if strings.Trim(strings.Join(ideal, ""), "0") != "" {
			rows = append(rows, append([]string{"", "best reader"}, ideal...))
		}
	}
	return rows
}

func shotsName(n int) string {
	if n == 1 {
		return "1 shot"
	}
	return fmt.Sprintf("%d shots", n)
}

// aligned returns the rows as a table of aligned columns.
func aligned(rows [][]string) string {
	t := terminal.Table{Right: func(column int) bool { return column > 0 }}
	for _, r := range rows {
		t.Row(r...)
	}
	return t.Text()
}

func markdown(rows [][]string) string {
	var b strings.Builder
	for i, r := range rows {
		b.WriteString("| " + strings.Join(r, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|---|" + strings.Repeat("---:|", len(r)-1) + "\n")
		}
	}
	return b.String()
}

// Rises returns a line for each task that says whether accuracy rises with shots (for the
// largest model) and with size (for the largest number of shots) by more than the sum of the
// error bars at both ends.
func (s *Summary) Rises() string {
	var b strings.Builder
	largest, most, fewest := s.Models[len(s.Models)-1], s.Shots[len(s.Shots)-1], s.Shots[0]
	for _, task := range s.Tasks {
		var parts []string
		compare := func(what string, from, to Cell, ok bool) {
			if !ok {
				return
			}
			gain, margin := to.Accuracy-from.Accuracy, to.Margin+from.Margin
			verdict := "within the error bars"
			if gain > margin {
				verdict = "a rise"
			} else if gain < -margin {
				verdict = "a fall"
			}
			parts = append(parts, fmt.Sprintf("%s %+.0f ± %.0f (%s)", what, 100*gain, 100*margin, verdict))
		}
		from, ok1 := s.Cell(largest, task, fewest)
		to, ok2 := s.Cell(largest, task, most)
		compare(fmt.Sprintf("%d to %d shots", fewest, most), from, to, ok1 && ok2 && most > fewest)
		from, ok1 = s.Cell(s.Models[0], task, most)
		compare("smallest to largest model", from, to, ok1 && ok2 && len(s.Models) > 1)
		if len(parts) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", task, strings.Join(parts, ", "))
		}
	}
	return b.String()
}
