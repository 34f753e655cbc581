package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model"
)

// GraphOnly builds the training graph of a model that has the task's head, for batches of
// so many examples, without any: to be looked at, not to be run. Sequences have the
// model's whole context; of multiple choice there are two choices.
func GraphOnly(m *model.Model, s *Setup, examples int) (*model.Graph, *G.Node) {
	sequences := max(tasks[s.Task].groups, 1)
	if s.Task == "choice" {
		sequences = 2
	}
	item := &Item{Sequences: make([][]int32, sequences)}
	b := &Batches{items: []*Item{item}, Lengths: []int{m.Config.Context}, Examples: examples, Sequences: examples * sequences, Accumulation: 1}
	o := &Objective{Setup: s, Batches: b}
	g := m.NewGraph(b.Sequences, m.Config.Context, true)
	return g, o.Build(g)
}
