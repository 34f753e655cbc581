package main

import (
	"fmt"
	"time"

	"tinygpt/perf"
)

// contender is who makes training steps.
type contender struct {
	name, setting string
	measure       func() (ourSlice, error)
	times         []float64 // seconds for a step, a round each
	parts         ourSlice  // of the last round
}

// stepRow is one workload with everybody's times.
type stepRow struct {
	Workload perf.Workload `json:"workload"`
	GFLOP    float64       `json:"gflop"`
	Peers    []stepPeer    `json:"contenders"` // the first is this program
}

type stepPeer struct {
	Name    string `json:"name"`
	Setting string `json:"setting"`
	// Milliseconds for a step.
	Step spread `json:"step_ms"`
	// Ratio of its time to ours in the same round.
	Ratio spread `json:"ratio"`
	// Parts of a step in milliseconds, in the last round.
	Parts map[string]float64 `json:"parts_ms,omitempty"`
}

// steps measures the contenders in turn; a different one begins each round.
func steps(w perf.Workload, list []*contender, rounds int, progress func(done, total int)) (stepRow, error) {
	for round := range rounds {
		for turn := range list {
			c := list[(round+turn)%len(list)]
			got, err := c.measure()
			if err != nil {
				return stepRow{}, err
			}
			c.times = append(c.times, got.perCall())
			c.parts = got
			progress(round*len(list)+turn+1, rounds*len(list))
		}
	}
	row := stepRow{Workload: w, GFLOP: w.FLOP() / 1e9}
	for _, c := range list {
		p := stepPeer{Name: c.name, Setting: c.setting, Ratio: spreadOf(ratios(c.times, list[0].times)), Parts: map[string]float64{}}
		var ms []float64
		for _, t := range c.times {
			ms = append(ms, 1e3*t)
		}
		p.Step = spreadOf(ms)
		perStep := 1e3 / float64(c.parts.Calls)
		for name, took := range c.parts.Steps.Spent {
			p.Parts[name] = took.Seconds() * perStep
		}
		if c.parts.Forward > 0 {
			p.Parts["forward"], p.Parts["backward"], p.Parts["clipping and AdamW"] = c.parts.Forward*perStep, c.parts.Backward*perStep, c.parts.Update*perStep
		}
		row.Peers = append(row.Peers, p)
	}
	return row, nil
}

// of makes a contender of a worker.
func (w *worker) contender(name, setting string, length time.Duration) *contender {
	return &contender{name: name, setting: setting, measure: func() (got ourSlice, err error) {
		return got, w.measure(stepLine(length), &got)
	}}
}

// sameSize says whether a peer's model has as many parameters as ours.
func sameSize(name string, ours, peer hello) error {
	if ours.Parameters != peer.Parameters {
		return fmt.Errorf("%s's model has %d parameters, ours %d", name, peer.Parameters, ours.Parameters)
	}
	return nil
}
