package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model"
)

// Outline builds the training graph of a model that has the task's head, for batches of
// so many examples, without any: to be looked at, not to be run. Sequences have the
// model's whole context; of multiple choice there are two choices.
func Outline(m *model.Model, c *Config, examples int) (*model.Graph, *G.Node) {
	sequences := max(tasks[c.Task].groups, 1)
	if c.Task == "choice" {
		sequences = 2
	}
	item := &Item{Sequences: make([][]int32, sequences)}
	b := &Batches{items: []*Item{item}, Lengths: []int{m.Config.Context}, Examples: examples, Sequences: examples * sequences}
	o := &Objective{Config: c, Batches: b, Accumulation: 1}
	g := m.NewGraph(b.Sequences, m.Config.Context, true)
	return g, o.Build(g)
}
