package alignment

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tinygpt/data/instruct"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
)

// Show prints the comparison as a table.
func (c *Comparison) Show(out io.Writer) {
	first := c.Results[0].Name
	fmt.Fprintf(out, "%d held-out prompts; by gold and by labelers: how often preferred over\n%s, ± half the 95 %% interval\n\n", len(c.Prompts), first)
	var rows [][]string
	row := func(name string, cell func(i int, r *Result) string) {
		cells := []string{name}
		for i, r := range c.Results {
			cells = append(cells, cell(i, r))
		}
		rows = append(rows, cells)
	}
	percent := func(digits int, share func(*Result) float64) func(int, *Result) string {
		return func(_ int, r *Result) string { return fmt.Sprintf("%.*f %%", digits, 100*share(r)) }
	}
	// Of few prompts there may be none of a kind, and then nothing to say of it.
	asked := func(r *Result, tasks ...instruct.Task) bool {
		return slices.ContainsFunc(tasks, func(t instruct.Task) bool { _, any := r.Tasks[t]; return any })
	}
	percentOf := func(tasks []instruct.Task, digits int, share func(*Result) float64) func(int, *Result) string {
		return func(i int, r *Result) string {
			if !asked(r, tasks...) {
				return "–"
			}
			return percent(digits, share)(i, r)
		}
	}
	tales, questions := []instruct.Task{instruct.Tell}, []instruct.Task{instruct.Ask, instruct.Trap, instruct.OneWord}
	known := func(is bool, text string) string {
		if !is {
			return ""
		}
		return text
	}
	row("", func(_ int, r *Result) string { return terminal.Fit(r.Name, 24) })
	row("parameters", func(_ int, r *Result) string { return number.Count(float64(r.Parameters)) })
	row("gold", func(_ int, r *Result) string { return fmt.Sprintf("%.3f ± %.3f", r.Gold, 1.96*r.GoldError) })
	row("by gold", func(i int, r *Result) string { return known(i > 0, r.ByGold.String()) })
	row("by labelers", func(i int, r *Result) string { return known(i > 0, r.ByLabelers.String()) })
	row("made up", percentOf(questions, 1, func(r *Result) float64 { return r.MadeUp }))
	row("ends by itself", percent(1, func(r *Result) float64 { return r.Ended }))
	row("tokens", func(_ int, r *Result) string { return fmt.Sprintf("%.1f", r.Tokens) })
	row("KL, nats", func(_ int, r *Result) string { return known(r.KL >= 0, fmt.Sprintf("%.1f", r.KL)) })
	row("bits per byte", func(_ int, r *Result) string { return known(r.BitsPerByte > 0, fmt.Sprintf("%.4f", r.BitsPerByte)) })
	rows = append(rows, []string{"gold by task"})
	for _, t := range instruct.Tasks {
		row("  "+string(t), func(_ int, r *Result) string {
			if !asked(r, t) {
				return "–"
			}
			return fmt.Sprintf("%.2f", r.Tasks[t])
		})
	}
	rows = append(rows, []string{"stories that are as asked for, and questions answered right"})
	row("  coherent", percentOf(tales, 0, func(r *Result) float64 { return r.Coherent }))
	row("  hero", percentOf(tales, 0, func(r *Result) float64 { return r.Hero }))
	row("  mood", percentOf(tales, 0, func(r *Result) float64 { return r.Mood }))
	row("  topic", percentOf(tales, 0, func(r *Result) float64 { return r.Topic }))
	row("  right", percentOf(questions, 0, func(r *Result) float64 { return r.Right }))
	fmt.Fprint(out, terminal.SideBySide(rows, terminal.Width(out)))
}

// Answered is a prompt with all contestants' answers to it.
type Answered struct {
	Task     instruct.Task      `json:"task"`
	Messages []instruct.Message `json:"messages"`
	Answers  []AnswerOf         `json:"answers"`
}

// AnswerOf is a contestant's answer with its gold score.
type AnswerOf struct {
	Name string  `json:"name"`
	Gold float64 `json:"gold"`
	Text string  `json:"text"`
}

// Answered returns all contestants' answers to one prompt of each of the first n tasks.
func (c *Comparison) Answered(n int) (list []Answered) {
	for _, t := range instruct.Tasks[:min(max(n, 0), len(instruct.Tasks))] {
		i := slices.IndexFunc(c.Prompts, func(p instruct.Prompt) bool { return p.Task == t })
		if i < 0 {
			continue
		}
		a := Answered{Task: t, Messages: c.Prompts[i].Messages}
		for _, r := range c.Results {
			a.Answers = append(a.Answers, AnswerOf{r.Name, r.scores[i], r.answers[i].Text})
		}
		list = append(list, a)
	}
	return list
}

// ShowAnswers prints what Answered returns.
func (c *Comparison) ShowAnswers(out io.Writer, n int) {
	for _, a := range c.Answered(n) {
		fmt.Fprintf(out, "\n%s\n", strings.Repeat("─", 79))
		for _, m := range a.Messages {
			fmt.Fprintf(out, "%s: %s\n", m.Role, m.Content)
		}
		for _, x := range a.Answers {
			fmt.Fprintf(out, "\n  [%s, gold %.2f] %s\n", x.Name, x.Gold, x.Text)
		}
	}
}

// String returns the share with half its interval, in percent.
func (w Wins) String() string { return fmt.Sprintf("%.1f ± %.1f %%", 100*w.Share, 100*w.Half) }
