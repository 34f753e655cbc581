package alignment

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tinygpt/data/instruct"
	"tinygpt/internal/number"
)

// Show prints the comparison as a table.
func (c *Comparison) Show(out io.Writer) {
	first := c.Results[0].Name
	fmt.Fprintf(out, "%d held-out prompts; preferred: over %s, ± half the 95 %% interval\n\n", len(c.Prompts), first)
	fmt.Fprintf(out, "%-26s %9s %14s %14s %14s %7s %7s %6s %6s %9s\n", "", "param.", "gold", "by gold", "by labelers", "made up", "ends", "tokens", "KL", "bits/byte")
	for i, r := range c.Results {
		byGold, byLabelers, kl := "", "", ""
		if i > 0 {
			byGold, byLabelers = r.ByGold.String(), r.ByLabelers.String()
		}
		if r.KL >= 0 {
			kl = fmt.Sprintf("%.1f", r.KL)
		}
		bits := ""
		if r.BitsPerByte > 0 {
			bits = fmt.Sprintf("%.4f", r.BitsPerByte)
		}
		fmt.Fprintf(out, "%-26s %9s %14s %14s %14s %6.1f%% %6.1f%% %6.1f %6s %9s\n", short(r.Name, 26), number.Count(float64(r.Parameters)),
			fmt.Sprintf("%.3f ± %.3f", r.Gold, 1.96*r.GoldError), byGold, byLabelers, 100*r.MadeUp, 100*r.Ended, r.Tokens, kl, bits)
	}
	fmt.Fprintf(out, "\n%-26s", "gold by task")
	for _, t := range instruct.Tasks {
		fmt.Fprintf(out, " %8s", t)
	}
	fmt.Fprintf(out, "   stories: %8s %5s %5s %5s   questions: %5s\n", "coherent", "hero", "mood", "topic", "right")
	for _, r := range c.Results {
		fmt.Fprintf(out, "%-26s", short(r.Name, 26))
		for _, t := range instruct.Tasks {
			fmt.Fprintf(out, " %8.2f", r.Tasks[t])
		}
		fmt.Fprintf(out, "            %7.0f%% %4.0f%% %4.0f%% %4.0f%%              %4.0f%%\n", 100*r.Coherent, 100*r.Hero, 100*r.Mood, 100*r.Topic, 100*r.Right)
	}
}

// Answered is a prompt with the contestants' answers to it.
type Answered struct {
	Task     instruct.Task      `json:"task"`
	Messages []instruct.Message `json:"messages"`
	Answers  []AnswerOf         `json:"answers"`
}

// AnswerOf is what a contestant answered, and what gold says of it.
type AnswerOf struct {
	Name string  `json:"name"`
	Gold float64 `json:"gold"`
	Text string  `json:"text"`
}

// Answered returns all contestants' answers to a prompt of each task, n tasks at most.
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

// ShowAnswers prints Answered.
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

// String is a share with its interval, in percent.
func (w Wins) String() string { return fmt.Sprintf("%.1f ± %.1f %%", 100*w.Share, 100*w.Half) }

func short(s string, n int) string {
	if len(s) > n {
		return s[:n-1] + "…"
	}
	return s
}
