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
	bytes := 4 * c.ParameterCount()
	return Memory{
		Weights: bytes, Gradients: bytes, Moments: 2 * bytes,
		Activations: c.ActivationBytes(batch, c.Context), Packed: c.PackedBytes(batch, c.Context), Evaluation: EvaluationBytes(c),
	}
}

// Parameters returns the part that doesn't depend on the batch: weights, gradients and
// moments.
func (m Memory) Parameters() int64 { return m.Weights + m.Gradients + m.Moments }

// Total returns the sum of all parts.
func (m Memory) Total() int64 { return m.Parameters() + m.Activations + m.Packed + m.Evaluation }
