package instruct

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tinygpt/internal/number"
)

// Count is a line of the paper's table next to that of the world.
type Count struct {
	Step      Step             `json:"step"`
	Split     string           `json:"split"`  // train or valid
	Source    string           `json:"source"` // labeler or customer
	Paper     int              `json:"paper"`
	Here      int              `json:"here"`
	Customers int              `json:"customers"`
	Tasks     map[Task]float64 `json:"tasks"` // their shares here
}

// Counts returns the lines of the paper's table.
func (w *World) Counts() (list []Count) {
	for _, c := range Table {
		prompts := w.cells[c]
		split, source := names(c)
		n := Count{c.Step, split, source, c.Paper, len(prompts), customersOf(prompts), map[Task]float64{}}
		for _, p := range prompts {
			n.Tasks[p.Task] += 1 / float64(len(prompts))
		}
		list = append(list, n)
	}
	return list
}

// Show prints the paper's table next to that of the world, and what it doesn't say.
func (w *World) Show(out io.Writer) {
	fmt.Fprintf(out, "Prompts of InstructGPT (Ouyang et al. 2022, table 6), and here at scale %g,\nwith the shares of the tasks here in percent\n\n", w.Scale)
	fmt.Fprintf(out, "%-5s %-6s %-8s %6s %6s %9s", "step", "split", "source", "paper", "here", "customers")
	for _, t := range Tasks {
		fmt.Fprintf(out, " %4s", t)
	}
	fmt.Fprintln(out)
	sum := map[string][2]int{}
	for _, c := range w.Counts() {
		fmt.Fprintf(out, "%-5s %-6s %-8s %6s %6s %9s %s\n", c.Step, c.Split, c.Source, number.Thousands(c.Paper), number.Thousands(c.Here), number.Thousands(c.Customers), c.tasks())
		total := sum[string(c.Step)+" "+c.Split]
		sum[string(c.Step)+" "+c.Split] = [2]int{total[0] + c.Paper, total[1] + c.Here}
	}
	for _, key := range []string{"SFT train", "SFT valid", "RM train", "RM valid", "PPO train", "PPO valid"} {
		step, split, _ := strings.Cut(key, " ")
		fmt.Fprintf(out, "%-5s %-6s %-8s %6s %6s\n", step, split, "together", number.Thousands(sum[key][0]), number.Thousands(sum[key][1]))
	}
	reward := sum["RM train"]
	fmt.Fprintf(out, `
Sizes are prompts. Of each prompt of the reward model K = 4 … 9 answers are
ranked, which makes K(K−1)/2 = 6 … 36 pairs: the paper's %s prompts are
%s to %s pairs, the %s here %s to %s, ties
left out. PPO's prompts have no answers: the policy writes them. The paper drew
256,000 episodes from %s prompts, each about eight times.
Splits are by customer: none is in two of them, and none has more than %d
prompts. No two prompts begin with the same twenty words. Labelers write prompts
of all tasks alike, customers more of some, without capitals and full stops, and
with mistakes. A number 1,557 that slides of this table have in a fourth row of
PPO is none of the paper's: the PPO part has two rows, and the sums above leave
no room for it.
`, number.Thousands(reward[0]), number.Thousands(6*reward[0]), number.Thousands(36*reward[0]), number.Thousands(reward[1]), number.Thousands(6*reward[1]), number.Thousands(36*reward[1]),
		number.Thousands(sum["PPO train"][0]), mostOfCustomer)
}

// Examples returns a prompt of each task.
func (w *World) Examples() (examples []Prompt) {
	prompts := w.Prompts(Reward, false)
	for _, t := range Tasks {
		if i := slices.IndexFunc(prompts, func(p Prompt) bool { return p.Task == t }); i >= 0 {
			examples = append(examples, prompts[i])
		}
	}
	return examples
}

// ShowExamples prints prompts with their demonstrations.
func ShowExamples(out io.Writer, examples []Prompt) {
	for _, p := range examples {
		fmt.Fprintf(out, "\n[%s]\n", p.Task)
		for _, m := range p.Messages {
			fmt.Fprintf(out, "%s: %s\n", m.Role, m.Content)
		}
		fmt.Fprintf(out, "%s: %s\n", Assistant, p.Demonstration)
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

// tasks are the tasks' shares in percent, in the order of Tasks.
func (c Count) tasks() string {
	var parts []string
	for _, t := range Tasks {
		parts = append(parts, fmt.Sprintf("%*.0f", max(4, len(t)), 100*c.Tasks[t]))
	}
	return strings.Join(parts, " ")
}
