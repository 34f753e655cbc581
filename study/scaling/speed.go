package scaling

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tinygpt/internal/suggest"
	"tinygpt/model"
	"tinygpt/study/perf"
	"tinygpt/train"
)

// Accelerator is another computer, by its data sheet.
type Accelerator struct {
	Name string `json:"name"`
	// FLOPS is its peak, in operations a second.
	FLOPS float64 `json:"peak_flops"`
	// Utilization is what training reaches of the peak (MFU): a fraction.
	Utilization float64 `json:"utilization"`
}

// Accelerators by name: dense 16-bit products on tensor cores, by NVIDIA's data sheets.
// V100s trained GPT-3 (Brown et al. 2020, section 2.3).
var Accelerators = []Accelerator{
	{Name: "v100", FLOPS: 125e12}, {Name: "a100", FLOPS: 312e12}, {Name: "h100", FLOPS: 989e12},
}

// ParseAccelerator reads the name of one of Accelerators, or a peak in TFLOP/s.
func ParseAccelerator(text string, utilization float64) (Accelerator, error) {
	if !(utilization > 0 && utilization <= 1) {
		return Accelerator{}, fmt.Errorf("utilisation %v: expected more than 0 and at most 1", utilization)
	}
	var names []string
	for _, a := range Accelerators {
		if a.Name == strings.ToLower(text) {
			return Accelerator{strings.ToUpper(a.Name), a.FLOPS, utilization}, nil
		}
		names = append(names, a.Name)
	}
	tflops, err := strconv.ParseFloat(text, 64)
	if err != nil || !(tflops > 0 && tflops < 1e9) {
		return Accelerator{}, fmt.Errorf("accelerator %q: expected %s, or its peak in TFLOP/s%s", text, strings.Join(names, ", "), suggest.DidYouMean(text, names...))
	}
	return Accelerator{"given", tflops * 1e12, utilization}, nil
}

// String is the accelerator and the speed that estimates assume.
func (a Accelerator) String() string {
	return fmt.Sprintf("%s, %.4g TFLOP/s peak at %.0f %%", a.Name, a.FLOPS/1e12, 100*a.Utilization)
}

// Speed is how fast this machine trains.
type Speed struct {
	// FLOPS is that of a step without its optimiser, in operations a second.
	FLOPS float64 `json:"flops"`
	// PerParameter is the time of the optimiser, in seconds, which an update takes
	// once.
	PerParameter float64       `json:"optimiser_seconds_per_parameter"`
	Workload     perf.Workload `json:"workload"` // that was measured
}

// wide has the width of the papers' smallest models, and few layers.
var wide = perf.Workload{Name: "2 layers × 768", Batch: 2, Model: model.Config{
	Arch: model.GPT2, Layers: 2, Heads: 12, Width: 768, Context: 256, VocabSize: 4096}}

// MeasureWide measures a small model of the papers' width, in a second or two.
func MeasureWide(ctx context.Context) (Speed, error) { return measure(ctx, wide) }

// measured steps are no larger than this, so that a measurement takes seconds.
const (
	mostFLOP  = 4e11
	mostBytes = 2 << 30
)

// Measure measures steps of c itself, with that number of sequences at a time: of all
// its layers if that takes no more than seconds, else of as many as do; where even one
// layer is too large, MeasureWide.
func Measure(ctx context.Context, c model.Config, sequences int) (Speed, error) {
	for {
		w := perf.Workload{Name: "this model", Model: c, Batch: sequences}
		e := NewEstimate("", c, train.Config{BatchSize: sequences}, float64(w.Tokens()))
		if e.FLOP <= mostFLOP && e.Total <= mostBytes {
			return measure(ctx, w)
		}
		if c.Layers == 1 {
			return MeasureWide(ctx)
		}
		c.Layers /= 2
	}
}

func measure(ctx context.Context, w perf.Workload) (Speed, error) {
	t, err := perf.Train(w, 3, 250*time.Millisecond, 1, ctx.Err)
	if err != nil {
		return Speed{}, err
	}
	optimiser := 0.0
	for _, p := range t.Parts {
		if p.Name == "optimiser" {
			optimiser = p.Ms / 1e3
		}
	}
	step := t.StepMs / 1e3
	return Speed{FLOPS: w.FLOP() / (step - optimiser), PerParameter: optimiser / float64(w.Model.ParameterCount()), Workload: w}, nil
}

// Seconds estimates the duration of a number of updates with that number of operations
// each.
func (s Speed) Seconds(updates, flop float64, parameters int64) float64 {
	return updates * (flop/s.FLOPS + s.PerParameter*float64(parameters))
}
