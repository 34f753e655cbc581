package train

import (
	"tinygpt/model"
	"tinygpt/model/kernel"
)

// Memory estimates what training a model takes besides the texts, in bytes.
type Memory struct {
	Weights     int64 `json:"weights"` // float32
	Gradients   int64 `json:"gradients"`
	Optimiser   int64 `json:"optimiser"` // what it keeps: see AdamW and Muon
	Activations int64 `json:"activations"`
	Packed      int64 `json:"packed"` // operands that matrix products copy, and Muon's
	Evaluation  int64 `json:"evaluation"`
}

// Memory estimates the memory of training a model of shape m on its whole context, as after
// the stages. Accumulating gradients over several batches takes no more.
func (c Config) Memory(m model.Config) Memory {
	need := c.MemoryOfShape(m, Shape{c.BatchSize, m.Context})
	need.Evaluation = EvaluationBytes(m)
	return need
}

// MemoryOfShape estimates the memory of training on batches of a shape, which of several
// is the largest: their graphs share it. What evaluation takes isn't counted.
func (c Config) MemoryOfShape(m model.Config, s Shape) Memory {
	bytes := 4 * m.ParameterCount()
	need := Memory{
		Weights: bytes, Gradients: bytes, Optimiser: 2 * bytes, // two moments of each gradient
		Activations: m.ActivationBytes(s.Batch, s.Context), Packed: m.PackedBytes(s.Batch, s.Context),
	}
	if c.Optimiser == MuonName {
		need.Optimiser -= 4 * m.LinearMapsCount() // one momentum
		need.Packed += int64(kernel.Threads()) * kernel.MuonBytes(m.Width, m.Inner())
	}
	return need
}

// Parameters returns the part that doesn't depend on the batch: weights, gradients and
// what the optimiser keeps.
func (m Memory) Parameters() int64 { return m.Weights + m.Gradients + m.Optimiser }

// Total returns the sum of all parts.
func (m Memory) Total() int64 { return m.Parameters() + m.Activations + m.Packed + m.Evaluation }
