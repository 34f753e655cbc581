package perf

import (
	"context"
	"runtime/debug"
	"time"
)

// Report is what this machine does with this program.
type Report struct {
	Machine         Machine       `json:"machine"`
	PeakGFLOPS      float64       `json:"peak_gflops"`        // FMA on registers, all threads
	BandwidthGBPerS float64       `json:"bandwidth_gb_per_s"` // reading memory, all threads
	Products        []ProductRate `json:"products"`
	Training        []Training    `json:"training"`
	Sampling        []Sampling    `json:"sampling"`
}

// ProductRate is how fast a product is.
type ProductRate struct {
	Workload string  `json:"workload"`
	Name     string  `json:"name"`
	Shape    [3]int  `json:"m_n_k"`
	GFLOPS   float64 `json:"gflops"` // median of slices
	OfPeak   float64 `json:"of_peak"`
}

// Plan is what Measure measures, and for how long.
type Plan struct {
	Multiplied, Trained, Sampled []Workload
	// Each figure is the median of Count slices of at least Slice; steps and texts
	// get a multiple of it.
	Count int
	Slice time.Duration
}

// Full takes less than a minute and, for training GPT-2, 2.3 GB of memory; Quick
// leaves that out and takes some ten seconds.
var (
	Full  = Plan{Multiplied: []Workload{GPT2, Small}, Trained: []Workload{Small, GPT2}, Sampled: []Workload{Small, GPT2}, Count: 5, Slice: 60 * time.Millisecond}
	Quick = Plan{Multiplied: []Workload{GPT2, Small}, Trained: []Workload{Small}, Sampled: []Workload{Small, GPT2}, Count: 3, Slice: 20 * time.Millisecond}
)

// Measure makes a report. progress is told what is measured next and how much of
// the whole is done. Measure ends early with ctx's error.
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
		debug.FreeOSMemory() // now, not while something else is timed
		if err := t.run(); err != nil {
			return r, err
		}
	}
	progress("done", len(tasks), len(tasks))
	return r, nil
}

// rate measures a product.
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
