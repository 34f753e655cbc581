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

// Accelerator is another computer, described by its data sheet.
type Accelerator struct {
	Name string `json:"name"`
	// FLOPS is its peak, in operations per second.
	FLOPS float64 `json:"peak_flops"`
	// Utilization is the fraction of the peak that training reaches (MFU).
	Utilization float64 `json:"utilization"`
}

// Accelerators lists the known ones, with the peaks of dense 16-bit products on tensor cores
// from NVIDIA's data sheets. V100s trained GPT-3 (Brown et al. 2020, section 2.3).
var Accelerators = []Accelerator{
	{Name: "v100", FLOPS: 125e12}, {Name: "a100", FLOPS: 312e12}, {Name: "h100", FLOPS: 989e12},
}

// ParseAccelerator reads the name of one of Accelerators, in letters of either case, or a
// peak in TFLOP/s. utilization must be above 0 and at most 1.
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

// String returns the name, the peak and the utilization.
func (a Accelerator) String() string {
	return fmt.Sprintf("%s, %.4g TFLOP/s peak at %.0f %%", a.Name, a.FLOPS/1e12, 100*a.Utilization)
}

// Speed is how fast this machine trains.
type Speed struct {
	// FLOPS is the speed of a step without its optimiser, in operations per second.
	FLOPS float64 `json:"flops"`
	// PerParameter is the time that the optimiser takes for a parameter in each update, in
	// seconds.
	PerParameter float64       `json:"optimiser_seconds_per_parameter"`
	Workload     perf.Workload `json:"workload"` // that was measured
}

// wide is a model with the width of the papers' smallest ones and few layers.
var wide = perf.Workload{Name: "2 layers × 768", Batch: 2, Model: model.Config{
	Arch: model.GPT2, Layers: 2, Heads: 12, Width: 768, Context: 256, VocabSize: 4096}}

// MeasureWide measures a model of two layers of the width of the papers' smallest ones, in a
// second or two. It fails when ctx ends.
func MeasureWide(ctx context.Context) (Speed, error) { return measure(ctx, wide) }

// Bounds of a step that Measure measures, so that it takes seconds.
const (
	maxFLOP  = 4e11
	maxBytes = 2 << 30
)

// Measure measures steps of c with that number of sequences at a time. If such a step is too
// large for a measurement of some seconds, it halves the layers until it isn't; where even
// one layer is too large it does what MeasureWide does. It fails when ctx ends.
func Measure(ctx context.Context, c model.Config, sequences int) (Speed, error) {
	for {
		w := perf.Workload{Name: "this model", Model: c, Batch: sequences}
		e := NewEstimate("", c, train.Config{BatchSize: sequences}, float64(w.Tokens()))
		if e.FLOP <= maxFLOP && e.Total <= maxBytes {
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

// Seconds returns an estimate of the time of updates with flop operations each, of a model
// with that many parameters.
func (s Speed) Seconds(updates, flop float64, parameters int64) float64 {
	return updates * (flop/s.FLOPS + s.PerParameter*float64(parameters))
}
