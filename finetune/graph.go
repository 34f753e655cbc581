package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model"
)

// GraphOnly builds the training graph of a model that has the task's head, for batches of this
// number of examples, and returns it with its loss. It has no examples, so it can be drawn but
// not run. Sequences fill the model's context; multiple choice has two choices.
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
