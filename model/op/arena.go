package op

import "tinygpt/model/kernel"

// Arena is memory that several graphs use in turn, never two at the same time: for example
// one graph for each length that batches are padded to. A run of one graph overwrites what
// a run of another one has left. The zero value is empty.
type Arena struct{ memory []float32 }

// take returns n floats that begin on a cache line, and how many of them are newly allocated.
func (a *Arena) take(n int) (memory []float32, fresh int) {
	if len(a.memory) < n {
		// Earlier graphs keep the memory they have: compile the largest graph first.
		a.memory, fresh = kernel.Memory(n), n
	}
	return a.memory[:n:n], fresh
}

// Share puts the graph's buffers into an arena. It is called before Plan.
func (g *Graph) Share(a *Arena) { g.arena = a }
