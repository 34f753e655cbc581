package op

import "tinygpt/model/kernel"

// Arena is memory that several graphs use in turn, like those of the lengths that
// batches are padded to: never two at the same time. What a run leaves in a graph's
// buffers is gone after a run of another one. The zero value is empty.
type Arena struct{ memory []float32 }

// take returns n floats, aligned to a cache line, and how many of them are new.
func (a *Arena) take(n int) (memory []float32, fresh int) {
	if len(a.memory) < n {
		// The graphs before keep what they have: compile the largest one first.
		a.memory, fresh = kernel.Memory(n), n
	}
	return a.memory[:n:n], fresh
}

// Share lets the graph's buffers lie in an arena. It is called before Plan.
func (g *Graph) Share(a *Arena) { g.arena = a }
