package train

import "tinygpt/model"

// Memory estimates what training a model takes besides the texts, in bytes.
type Memory struct {
	Weights     int64 `json:"weights"` // float32
	Gradients   int64 `json:"gradients"`
	Moments     int64 `json:"adamw"` // two for each parameter
	Activations int64 `json:"activations"`
	Packed      int64 `json:"packed"` // operands that matrix products copy
	Evaluation  int64 `json:"evaluation"`
}

// MemoryOf estimates the memory of training on batches of the given number of sequences of
// c.Context tokens. Accumulating gradients over several batches takes no more.
func MemoryOf(c model.Config, batch int) Memory {
	m := MemoryOfShape(c, Shape{batch, c.Context})
	m.Evaluation = EvaluationBytes(c)
	return m
}

// MemoryOfShape estimates the memory of training on batches of a shape, which of several
// is the largest: their graphs share it. What evaluation takes isn't counted.
func MemoryOfShape(c model.Config, s Shape) Memory {
	bytes := 4 * c.ParameterCount()
	return Memory{
		Weights: bytes, Gradients: bytes, Moments: 2 * bytes,
		Activations: c.ActivationBytes(s.Batch, s.Context), Packed: c.PackedBytes(s.Batch, s.Context),
	}
}

// Parameters returns the part that doesn't depend on the batch: weights, gradients and
// moments.
func (m Memory) Parameters() int64 { return m.Weights + m.Gradients + m.Moments }

// Total returns the sum of all parts.
func (m Memory) Total() int64 { return m.Parameters() + m.Activations + m.Packed + m.Evaluation }
