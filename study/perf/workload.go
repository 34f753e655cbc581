package perf

import "tinygpt/model"

// Workload is a model and the batch that it is trained on.
type Workload struct {
	Name  string       `json:"name"`
	Model model.Config `json:"model"` // Context is the length of the sequences
	Batch int          `json:"batch"`
}

// The workloads that are measured. GPT2 is that of llm.c's training program for CPUs. Small
// and Shakespeare are those of the presets, without stages and dropout. Short has more and
// shorter sequences than Small.
var (
	GPT2        = Workload{"gpt2-124m", model.Config{Arch: model.GPT2, Layers: 12, Heads: 12, Width: 768, Context: 64, VocabSize: 50257}, 4}
	Small       = Workload{"small", model.Config{Arch: model.GPT2, Layers: 12, Heads: 4, Width: 128, Context: 256, VocabSize: 1024}, 4}
	Short       = Workload{"small-64", model.Config{Arch: model.GPT2, Layers: 12, Heads: 4, Width: 128, Context: 64, VocabSize: 1024}, 12}
	Shakespeare = Workload{"shakespeare", model.Config{Arch: model.GPT2, Layers: 4, Heads: 4, Width: 128, Context: 64, VocabSize: 65}, 12}
)

// Tokens returns the number of tokens of a step.
func (w Workload) Tokens() int { return w.Batch * w.Model.Context }

// FLOP returns the operations of a training step; see model.Config.TrainingFLOP.
func (w Workload) FLOP() float64 { return w.Model.TrainingFLOP(w.Batch, w.Model.Context) }

// bytesPerToken returns how many bytes a decoder reads for one token after the given number
// of cached ones: every weight except the vectors of other positions, and the cached keys
// and values.
func (w Workload) bytesPerToken(cached int) float64 {
	c := w.Model
	weights := c.ParameterCount() - int64((c.Context-1)*c.Width)
	return 4 * float64(weights+int64(2*c.Layers*c.Width*cached))
}
