package main

import (
	"context"
	"encoding/json"

	"tinygpt/study/perf"
)

// stepTable compares training steps of a workload.
type stepTable struct {
	Workload perf.Workload `json:"workload"`
	GFLOP    float64       `json:"gflop"`
	Peak     float64       `json:"peak_gflops"` // FMA on registers, best of all rounds
	Rows     []stepRow     `json:"rows"`        // the first is this program
}

// stepRow is one contender.
type stepRow struct {
	Name    string      `json:"name"`
	Setting string      `json:"setting"`
	Tried   []trial     `json:"tried,omitempty"`
	Ms      perf.Spread `json:"step_ms"`
	Ratio   perf.Spread `json:"ratio"` // its time divided by ours in the same round
	// Parts are the parts of a step in milliseconds, means over all rounds.
	Parts map[string]float64 `json:"parts_ms,omitempty"`
}

// contender is a program that makes training steps.
type contender struct {
	row     stepRow
	measure func() (slice, error)
	times   []float64 // milliseconds for a step, by round
	sum     slice
}

// steps measures training steps of all contenders, in turn. Interrupted, it returns what whole
// rounds have measured, with the error.
func (b *bench) steps(ctx context.Context, w perf.Workload, pythons []*pytorch, l *llmc) (stepTable, error) {
	t := stepTable{Workload: w, GFLOP: w.FLOP() / 1e9}
	var list []*contender
	of := func(worker *worker, row stepRow) {
		list = append(list, &contender{row: row, measure: func() (slice, error) { return worker.measure(stepLine(b.stepSlice)) }})
	}
	argument, err := json.Marshal(w)
	if err != nil {
		return t, err
	}
	ours, err := startOurs(ctx, b.threadsFlag(), string(argument))
	if err != nil {
		return t, err
	}
	defer ours.close()
	of(ours, stepRow{Name: "this program", Setting: ours.Version})
	for _, p := range pythons {
		best, tried, err := p.fastest(ctx, b.memory, w, b.stepSlice)
		if err != nil {
			return t, err
		}
		peer, err := p.start(ctx, w, best)
		if err != nil {
			return t, err
		}
		defer peer.close()
		of(peer, stepRow{Name: "PyTorch " + p.Version, Setting: best.String(), Tried: tried})
	}
	if l != nil && w.Name == perf.GPT2.Name {
		best, tried, err := l.fastest(ctx, b.memory)
		if err != nil {
			return t, err
		}
		list = append(list, &contender{row: stepRow{Name: "llm.c", Setting: best.String(), Tried: tried},
			measure: func() (slice, error) { return l.measure(ctx, best, 2) }})
	}
	err = b.turns(w.Name, list, func() (err error) {
		t.Peak, err = ours.peak(t.Peak)
		return err
	})
	if err != nil && ctx.Err() == nil {
		return t, err
	}
	t.Rows = rows(list)
	return t, err
}

// turns gives each contender its turn in each round; between goes before a round.
func (b *bench) turns(what string, list []*contender, between func() error) error {
	progress := b.progress()
	defer progress.Clear()
	for round := range b.rounds {
		if err := between(); err != nil {
			return err
		}
		for turn := range list { // a different one begins each round
			c := list[(round+turn)%len(list)]
			progress.Show(what+", "+c.row.Name, round*len(list)+turn, b.rounds*len(list))
			got, err := c.measure()
			if err != nil {
				return err
			}
			c.add(got)
		}
	}
	return nil
}

// rows are the contenders' results in the rounds that all have made; none without such a
// round.
func rows(list []*contender) (rows []stepRow) {
	rounds := len(list[0].times)
	for _, c := range list {
		rounds = min(rounds, len(c.times))
	}
	if rounds == 0 {
		return nil
	}
	for _, c := range list {
		times := c.times[:rounds]
		c.row.Ms, c.row.Ratio = perf.SpreadOf(times), perf.SpreadOf(perf.Ratios(times, list[0].times[:rounds]))
		for name, seconds := range c.sum.Spent {
			c.row.Parts[name] = 1e3 * seconds / float64(c.sum.Calls)
		}
		rows = append(rows, c.row)
	}
	return rows
}

func (c *contender) add(got slice) {
	if c.sum.Spent == nil {
		c.sum.Spent, c.row.Parts = map[string]float64{}, map[string]float64{}
	}
	c.times = append(c.times, 1e3*got.perCall())
	c.sum.Calls += got.Calls
	for name, seconds := range got.Spent {
		c.sum.Spent[name] += seconds
	}
}
