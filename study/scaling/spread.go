package scaling

import (
	"fmt"

	"tinygpt/configs"
	"tinygpt/internal/number"
)

// Network describes the computers that share a training, and what joins them.
type Network struct {
	Processes int     `json:"processes"` // a computer each, like this one
	Gbit      float64 `json:"gigabits_per_second"`
}

// Spread is the estimated time of a step that N processes share (train.Peers):
//
//	T(N) = C/N + max(W − H, 0) + U
//
// C is the time of one process without the optimiser. W is the time of sending gradients and
// parameters, 2·4P·(N−1)/N bytes each way, and of the latency of their 2·(N−1) messages in
// each bucket. H is the part of W in which gradients are sent while the last batch's backward
// pass goes on. U is the time of the optimiser's share, and of copying and adding up
// gradients.
type Spread struct {
	Network
	Bytes      float64 `json:"bytes_per_step"` // that each process sends
	Alone      float64 `json:"seconds_per_step_alone"`
	Seconds    float64 `json:"seconds_per_step"`
	Waiting    float64 `json:"waiting_seconds_per_step"` // W − H
	Efficiency float64 `json:"efficiency"`               // Alone / (Processes · Seconds)
}

// What Network.Spread assumes.
const (
	lineShare     = 0.9      // the part of a line's bits that is payload
	latency       = 30e-6    // of a message over TCP, in seconds
	spreadBucket  = 25 << 20 // bytes
	hidden        = 0.69     // the part of the gradients, all but the token table's, that is ready before the backward pass ends
	backwardShare = 2. / 3   // of a step's operations
	copied        = 28       // bytes read and written for each parameter
	memorySpeed   = 20e9     // bytes per second
)

// Spread returns the estimate for a step of flop operations that computes its batches one
// after another, with a model of that many parameters, on computers of speed s.
func (n Network) Spread(s Speed, parameters int64, flop float64, batches int) Spread {
	size, p := float64(n.Processes), float64(parameters)
	x := Spread{Network: n, Alone: flop/s.FLOPS + p*s.PerParameter}
	if n.Processes == 1 {
		x.Seconds, x.Efficiency = x.Alone, 1
		return x
	}
	x.Bytes = 8 * p * (size - 1) / size
	wire := x.Bytes / (n.Gbit * 1e9 / 8 * lineShare)
	buckets := max(1, 4*p/max(spreadBucket, size*65536))
	lastBackward := backwardShare * flop / float64(batches) / s.FLOPS
	x.Waiting = max(0, wire+2*(size-1)*buckets*latency-min(hidden*wire/2, lastBackward))
	x.Seconds = flop/s.FLOPS/size + x.Waiting + p*s.PerParameter/size + copied*p/memorySpeed
	x.Efficiency = x.Alone / (size * x.Seconds)
	return x
}

// String returns a line for a plan.
func (x Spread) String() string {
	text := fmt.Sprintf("%d computers like this one over %g Gb/s, by a model: %s a step instead of %s, %.1f times as fast (efficiency %.0f %%); each sends %s a step, and waits %s for the others.",
		x.Processes, x.Gbit, brief(x.Seconds), brief(x.Alone), x.Alone/x.Seconds, 100*x.Efficiency, number.Bytes(int64(x.Bytes)), brief(x.Waiting))
	switch {
	case x.Seconds >= x.Alone:
		text += " Not worth it: one computer alone is faster."
	case x.Efficiency < 0.5:
		text += " Hardly worth it: more than half of their time is lost. Larger batches, fewer computers or a faster network change that."
	}
	return text
}

// brief writes the time of a step.
func brief(seconds float64) string {
	if seconds < 10 {
		return fmt.Sprintf("%.0f ms", 1e3*seconds)
	}
	return fmt.Sprintf("%.0f s", seconds)
}

// Spread returns a section of PlanSection with the estimates for a training with the
// configuration c on the computers of a network, here being the speed of one. A training of
// several stages has a line for each.
func (s Section) Spread(c configs.Config, here Speed, n Network) Section {
	phases := c.Train.Phases(c.Model)
	alone, together := 0.0, 0.0
	for i, p := range phases {
		part := c.Model
		part.Layers = p.Layers
		x := n.Spread(here, part.ParameterCount(), p.StepFLOP, max(c.Train.GradientAccumulationSteps, n.Processes))
		s.Spreads = append(s.Spreads, x)
		alone, together = alone+float64(p.Steps)*x.Alone, together+float64(p.Steps)*x.Seconds
		text := x.String()
		if len(phases) > 1 {
			text = fmt.Sprintf("Stage %d of %d: %s", i+1, len(phases), text)
		}
		s.Notes = append(s.Notes, text)
	}
	s.Notes = append(s.Notes, fmt.Sprintf("In all %s instead of %s.", number.Span(together), number.Span(alone)))
	return s
}
