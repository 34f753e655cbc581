package scaling

import (
	"tinygpt/model"
	"tinygpt/study/perf"
	"tinygpt/train"
)

// Estimate holds what training a model takes: parameters, memory, operations and time.
type Estimate struct {
	Name    string `json:"name"`
	Paper   string `json:"paper,omitempty"`
	Printed string `json:"paper_parameters,omitempty"` // as the paper prints them

	Model      model.Config          `json:"-"`
	Layers     int                   `json:"layers"`
	Width      int                   `json:"d_model"`
	Heads      int                   `json:"heads"`
	HeadWidth  int                   `json:"d_head"` // the paper's, or Width/Heads
	Context    int                   `json:"context"`
	VocabSize  int                   `json:"vocab_size"`
	BatchSize  float64               `json:"batch_tokens,omitempty"` // of an update
	Rate       float64               `json:"learning_rate,omitempty"`
	Counts     model.ParameterCounts `json:"parameters_by_kind"`
	Parameters int64                 `json:"parameters"`

	// Sequences is how many are computed at a time; Memory is for that many.
	Sequences int          `json:"sequences"`
	Memory    train.Memory `json:"memory_bytes"`
	Total     int64        `json:"memory_total_bytes"`

	// FLOPPerToken counts matrix products forward and backward; see perf.Workload.FLOP.
	FLOPPerToken float64 `json:"flop_per_token"`
	Tokens       float64 `json:"training_tokens"`
	FLOP         float64 `json:"training_flop"`
	// SecondsHere and SecondsAccelerator are the time of the training on this machine and on
	// the accelerator; 0 if it isn't known.
	SecondsHere        float64 `json:"seconds_here,omitempty"`
	SecondsAccelerator float64 `json:"seconds_accelerator,omitempty"`
}

// NewEstimate returns what it takes to train a model on that number of tokens, with the
// optimiser and the batch size of t. It leaves out the times.
func NewEstimate(name string, c model.Config, t train.Config, tokens float64) Estimate {
	w := perf.Workload{Model: c, Batch: 1}
	e := Estimate{
		Name: name, Model: c, Layers: c.Layers, Width: c.Width, Heads: c.Heads, HeadWidth: c.Width / c.Heads, Context: c.Context, VocabSize: c.VocabSize,
		Counts: c.Counts(), Parameters: c.ParameterCount(),
		Sequences: t.BatchSize, Memory: t.Memory(c),
		FLOPPerToken: w.FLOP() / float64(w.Tokens()), Tokens: tokens,
	}
	e.Total = e.Memory.Total()
	e.FLOP = e.FLOPPerToken * tokens
	return e
}

// Estimates returns the estimates of a paper's models, with one sequence at a time.
func (p Paper) Estimates() (list []Estimate) {
	for _, r := range p.Rows {
		e := NewEstimate(r.Name, p.Config(r), train.Config{BatchSize: 1}, p.Tokens)
		e.Paper, e.Printed, e.BatchSize, e.Rate = p.Title, r.Parameters, r.Batch, r.Rate
		if r.HeadWidth > 0 {
			e.HeadWidth = r.HeadWidth
		}
		list = append(list, e)
	}
	return list
}

// On returns e with the times on this machine, which reaches here operations per second in
// training steps, and on an accelerator. A speed of 0 leaves a time out.
func (e Estimate) On(here float64, a Accelerator) Estimate {
	if here > 0 {
		e.SecondsHere = e.FLOP / here
	}
	if rate := a.FLOPS * a.Utilization; rate > 0 {
		e.SecondsAccelerator = e.FLOP / rate
	}
	return e
}
