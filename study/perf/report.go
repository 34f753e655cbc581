package perf

import (
	"context"
	"runtime/debug"
	"time"
)

// Report holds the speed of this program on this machine.
type Report struct {
	Machine         Machine       `json:"machine"`
	PeakGFLOPS      float64       `json:"peak_gflops"`        // FMA on registers, all threads
	BandwidthGBPerS float64       `json:"bandwidth_gb_per_s"` // reading memory, all threads
	Products        []ProductRate `json:"products"`
	Training        []Training    `json:"training"`
	Sampling        []Sampling    `json:"sampling"`
}

// ProductRate is the measured speed of a matrix product.
type ProductRate struct {
	Workload string  `json:"workload"`
	Name     string  `json:"name"`
	Shape    [3]int  `json:"m_n_k"`
	GFLOPS   float64 `json:"gflops"` // median of slices
	OfPeak   float64 `json:"of_peak"`
}

// Plan says what Measure measures, and for how long.
type Plan struct {
	Multiplied, Trained, Sampled []Workload
	// Each figure is the median of Count slices of at least the time Slice. Steps and
	// texts get a multiple of it.
	Count int
	Slice time.Duration
}

// Full takes less than a minute and 2.3 GB of memory for training GPT-2. Quick leaves GPT-2
// out and takes about ten seconds.
var (
	Full  = Plan{Multiplied: []Workload{GPT2, Small}, Trained: []Workload{Small, GPT2}, Sampled: []Workload{Small, GPT2}, Count: 5, Slice: 60 * time.Millisecond}
	Quick = Plan{Multiplied: []Workload{GPT2, Small}, Trained: []Workload{Small}, Sampled: []Workload{Small, GPT2}, Count: 3, Slice: 20 * time.Millisecond}
)

// Measure makes a report. It calls progress with what it measures next and how much of the
// whole is done. If ctx ends it returns the context's error.
func (p Plan) Measure(ctx context.Context, progress func(what string, done, total int)) (Report, error) {
	r := Report{Machine: ThisMachine()}
	type task struct {
		what string
		run  func() error
	}
	tasks := []task{
		{"peak of multiply-adds", func() error { r.PeakGFLOPS = Peak(10*p.Slice) / 1e9; return nil }},
		{"bandwidth of memory", func() error { r.BandwidthGBPerS = Bandwidth(10*p.Slice) / 1e9; return nil }},
	}
	for _, w := range p.Multiplied {
		for _, product := range Products(w.Model, w.Tokens()) {
			tasks = append(tasks, task{"product " + product.Name(), func() error {
				r.Products = append(r.Products, p.rate(w.Name, product, r.PeakGFLOPS))
				return nil
			}})
		}
	}
	for _, w := range p.Trained {
		tasks = append(tasks, task{"training steps of " + w.Name, func() error {
			t, err := Train(w, p.Count, 20*p.Slice, 1e9*r.PeakGFLOPS, ctx.Err)
			r.Training = append(r.Training, t)
			return err
		}})
	}
	for _, w := range p.Sampled {
		tasks = append(tasks, task{"sampling from " + w.Name, func() error {
			s, err := Sample(w, 30*p.Slice, 1e9*r.BandwidthGBPerS)
			r.Sampling = append(r.Sampling, s)
			return err
		}})
	}
	for i, t := range tasks {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		progress(t.what, i, len(tasks))
		debug.FreeOSMemory() // now, so that the collector doesn't run while something is timed
		if err := t.run(); err != nil {
			return r, err
		}
	}
	progress("done", len(tasks), len(tasks))
	return r, nil
}

// rate measures the speed of a product.
func (p Plan) rate(workload string, product Product, peakGFLOPS float64) ProductRate {
	o := product.NewOperands()
	var rates []float64
	for range p.Count {
		calls, took := Repeat(o.Run, p.Slice)
		rates = append(rates, product.FLOP()*float64(calls)/took.Seconds()/1e9)
	}
	median := SpreadOf(rates).Median
	return ProductRate{workload, product.Name(), [3]int{product.M, product.N, product.K}, median, median / peakGFLOPS}
}
