package perf

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Training is the measured speed of a workload's training steps.
type Training struct {
	Workload Workload `json:"workload"`
	// StepMs is the time of a step in milliseconds, the median of several slices.
	StepMs          float64 `json:"step_ms"`
	TokensPerSecond float64 `json:"tokens_per_second"`
	GFLOPS          float64 `json:"gflops"`
	OfPeak          float64 `json:"of_peak"` // fraction of the FMA peak
	Parts           []Part  `json:"parts"`   // where the time goes, longest first
	// Allocations and AllocatedBytes are heap allocations per step, by the whole process.
	Allocations    float64 `json:"allocations"`
	AllocatedBytes float64 `json:"allocated_bytes"`
}

// Part is one part of a step's time.
type Part struct {
	Name  string  `json:"name"`
	Ms    float64 `json:"ms"`
	Share float64 `json:"share"` // a fraction
}

// partOf maps the names of Steps.Spent to the parts of a step that a report shows.
var partOf = map[string]string{
	"Linear": "matrix products", "ResidualLinear": "matrix products",
	"FeedForward": "feed-forward network (products and GELU)", "ResidualFeedForward": "feed-forward network (products and GELU)", "CausalSelfAttention": "attention",
	"Logits": "output head and loss", "CrossEntropy": "output head and loss",
	"LogProbs": "output head and loss", "LogProbsEntropy": "output head and loss",
	SpentOptimiser: "optimiser", SpentZeroGrad: "optimiser",
	SpentGraph: "Gorgonia's graph", SpentBatch: "other",
	"Embedding": "other", "Dropout": "other",
}

// parts sums up where the time of the steps went. An operation that isn't in partOf is
// listed under its own name.
func (s Steps) parts() []Part {
	sums := map[string]time.Duration{}
	for name, took := range s.Spent {
		operation := strings.TrimSuffix(strings.TrimSuffix(name, " forward"), " backward")
		if part, known := partOf[operation]; known {
			operation = part
		}
		sums[operation] += took
	}
	var list []Part
	for name, took := range sums {
		list = append(list, Part{name, 1e3 * took.Seconds() / float64(s.Count), took.Seconds() / s.Took.Seconds()})
	}
	slices.SortFunc(list, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Ms, a.Ms), strings.Compare(a.Name, b.Name))
	})
	return list
}

// add adds the steps of another slice of Stepper.Account.
func (s *Steps) add(t Steps) {
	if s.Spent == nil {
		s.Spent = map[string]time.Duration{}
	}
	s.Count += t.Count
	s.Took += t.Took
	for name, took := range t.Spent {
		s.Spent[name] += took
	}
}

// Train measures training steps in slicesWanted slices of at least the time length. After
// each it accounts for the time of steps for a quarter of that. peak is in operations per
// second. between is called between slices; its error ends the measurement.
func Train(w Workload, slicesWanted int, length time.Duration, peak float64, between func() error) (Training, error) {
	s, err := NewStepper(w)
	if err != nil {
		return Training{}, err
	}
	var timed, accounted Steps // the last timed slice; all accounted ones
	var perStep []float64
	for range slicesWanted {
		if err := between(); err != nil {
			return Training{}, err
		}
		if timed, err = s.Run(length); err != nil {
			return Training{}, err
		}
		perStep = append(perStep, timed.Took.Seconds()/float64(timed.Count))
		steps, err := s.Account(length / 4)
		if err != nil {
			return Training{}, err
		}
		accounted.add(steps)
	}
	seconds := SpreadOf(perStep).Median
	return Training{
		Workload: w, StepMs: 1e3 * seconds, TokensPerSecond: float64(w.Tokens()) / seconds,
		GFLOPS: w.FLOP() / seconds / 1e9, OfPeak: w.FLOP() / seconds / peak,
		Parts: accounted.parts(), Allocations: timed.Allocations, AllocatedBytes: timed.AllocatedBytes,
	}, nil
}
