package instruct

import (
	"fmt"
	"io"
	"strings"
)

// Show prints the paper's table next to that of the world, and what it doesn't say.
func (w *World) Show(out io.Writer) {
	fmt.Fprintf(out, "Prompts of InstructGPT (Ouyang et al. 2022, table 6), and here at scale %g\n\n", w.Scale)
	fmt.Fprintf(out, "%-5s %-6s %-9s %8s %8s %10s  %s\n", "step", "split", "source", "paper", "here", "customers", "tasks here")
	sum := map[string][2]int{}
	for _, c := range Table {
		prompts := w.cells[c]
		split, source := names(c)
		fmt.Fprintf(out, "%-5s %-6s %-9s %8s %8s %10s  %s\n", c.Step, split, source, thousands(c.Paper), thousands(len(prompts)), thousands(customersOf(prompts)), tasksOf(prompts))
		total := sum[string(c.Step)+" "+split]
		sum[string(c.Step)+" "+split] = [2]int{total[0] + c.Paper, total[1] + len(prompts)}
	}
	for _, key := range []string{"SFT train", "SFT valid", "RM train", "RM valid", "PPO train", "PPO valid"} {
		step, split, _ := strings.Cut(key, " ")
		fmt.Fprintf(out, "%-5s %-6s %-9s %8s %8s\n", step, split, "together", thousands(sum[key][0]), thousands(sum[key][1]))
	}
	reward := sum["RM train"]
	fmt.Fprintf(out, `
Sizes are prompts. Of each prompt of the reward model K = 4 … 9 answers are ranked, which
makes K(K−1)/2 = 6 … 36 pairs: the paper's %s prompts are %s to %s pairs, the %s here
%s to %s, ties left out. PPO's prompts have no answers: the policy writes them.
The paper drew 256,000 episodes from %s prompts, each about eight times.
Splits are by customer: none is in two of them, and none has more than %d prompts. No two
prompts begin with the same twenty words. Labelers write prompts of all tasks alike,
customers more of some, without capitals and full stops, and with mistakes.
A number 1,557 that slides of this table have in a fourth row of PPO is none of the
paper's: the PPO part has two rows, and the sums above leave no room for it.
`, thousands(reward[0]), thousands(6*reward[0]), thousands(36*reward[0]), thousands(reward[1]), thousands(6*reward[1]), thousands(36*reward[1]),
		thousands(sum["PPO train"][0]), mostOfCustomer)
}

// Examples prints a prompt of each task with its demonstration.
func (w *World) Examples(out io.Writer) {
	for _, t := range Tasks {
		for _, p := range w.Prompts(Reward, false) {
			if p.Task == t {
				fmt.Fprintf(out, "\n[%s]\n", t)
				for _, m := range p.Messages {
					fmt.Fprintf(out, "%s: %s\n", m.Role, m.Content)
				}
				fmt.Fprintf(out, "%s: %s\n", Assistant, p.Demonstration)
				break
			}
		}
	}
}

func names(c Cell) (split, source string) {
	split, source = "train", "labeler"
	if c.Valid {
		split = "valid"
	}
	if c.Customer {
		source = "customer"
	}
	return split, source
}

func customersOf(prompts []Prompt) int {
	seen := map[int]bool{}
	for _, p := range prompts {
		if p.Customer > 0 {
			seen[p.Customer] = true
		}
	}
	return len(seen)
}

// tasksOf are the tasks' shares in percent.
func tasksOf(prompts []Prompt) string {
	count := map[Task]int{}
	for _, p := range prompts {
		count[p.Task]++
	}
	var parts []string
	for _, t := range Tasks {
		parts = append(parts, fmt.Sprintf("%s %.0f %%", t, 100*float64(count[t])/float64(max(len(prompts), 1))))
	}
	return strings.Join(parts, ", ")
}

// thousands writes 1234 as 1,234.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
