package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"tinygpt/internal/atomicfile"
	"tinygpt/study/perf"
)

// choice is one value of one thing that can be set in a peer.
type choice struct {
	What      string   `json:"what"`
	Label     string   `json:"label,omitempty"` // for the reader; "" is the peer's default
	Variables []string `json:"variables,omitempty"`
	Value     string   `json:"value,omitempty"` // for the peer's worker
}

// setting is how a peer is run: one choice of each thing.
type setting []choice

// with returns the setting with another choice of the same thing.
func (s setting) with(c choice) setting {
	s = slices.Clone(s)
	for i := range s {
		if s[i].What == c.What {
			s[i] = c
			return s
		}
	}
	return append(s, c)
}

func (s setting) value(what string) string {
	for _, c := range s {
		if c.What == what {
			return c.Value
		}
	}
	return ""
}

func (s setting) variables() (list []string) {
	for _, c := range s {
		list = append(list, c.Variables...)
	}
	return list
}

// String joins the labels of the choices.
func (s setting) String() string {
	var labels []string
	for _, c := range s {
		if c.Label != "" {
			labels = append(labels, c.Label)
		}
	}
	if len(labels) == 0 {
		return "as it comes"
	}
	return strings.Join(labels, ", ")
}

// trial is the result of trying a setting.
type trial struct {
	Setting string  `json:"setting"`
	Ms      float64 `json:"ms,omitempty"`    // for a call or a step
	Ratio   float64 `json:"ratio,omitempty"` // its time divided by that of the fastest before it; 0: it was the first
	Error   string  `json:"error,omitempty"`
}

// racer measures a setting; measuring returns the seconds of a call or a step.
type racer struct {
	measure func() (float64, error)
	close   func()
}

const (
	heats    = 3    // turns of a setting and of the fastest before it
	enough   = 0.98 // a ratio below this counts as faster; above it may be chance
	hopeless = 1.25 // a ratio above this ends the race after one turn
)

// memory holds the trials made so far, in the file that --settings names. It is written
// after every trial, so a search that was stopped goes on from there.
type memory struct {
	path  string // "": none
	Peers map[string][]trial
}

func newMemory(path string) (*memory, error) {
	m := &memory{path, map[string][]trial{}}
	if path == "" {
		return m, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &m.Peers); err != nil {
		return nil, fmt.Errorf("%s is not what --settings writes (%w): remove it, and the search is made anew", path, err)
	}
	return m, nil
}

// recall returns the result of an earlier trial; false if there was none.
func (m *memory) recall(peer string, s setting) (trial, bool) {
	for _, t := range m.Peers[peer] {
		if t.Setting == s.String() {
			return t, true
		}
	}
	return trial{}, false
}

func (m *memory) add(peer string, t trial) error {
	m.Peers[peer] = append(m.Peers[peer], t)
	if m.path == "" {
		return nil
	}
	text, err := json.MarshalIndent(m.Peers, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(m.path, text)
}

// search looks for a peer's fastest setting. Beginning with base, it changes one thing after
// the other and keeps a change that makes the peer faster. Each setting is measured in turn
// with the fastest before it, because others may use the machine. A choice that fails is
// skipped.
func (m *memory) search(ctx context.Context, peer string, base setting, things [][]choice, start func(setting) (racer, error)) (best setting, tried []trial, err error) {
	fastest := racer{} // the racer of best, started when something is compared with it
	defer func() { fastest.end() }()
	try := func(s setting) (trial, error) {
		t, known := m.recall(peer, s)
		if !known {
			if len(tried) == 0 {
				say("fastest setting of %s:", peer)
			}
			if best != nil && fastest.measure == nil {
				if fastest, err = start(best); err != nil {
					return t, err
				}
			}
			var r racer
			t, r, err = race(s, fastest, start)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				r.end()
				return t, err
			}
			switch {
			case t.Error != "":
				say("  %s: not to be had (%s)", s, t.Error)
			case best == nil:
				say("  %s: %.4g ms", s, t.Ms)
			default:
				say("  %s: %.4g ms, %.2f of the fastest before it", s, t.Ms, t.Ratio)
			}
			if t.wins() {
				r, fastest = fastest, r
			}
			r.end()
			if err := m.add(peer, t); err != nil {
				return t, err
			}
		} else if t.wins() {
			fastest.end()
			fastest = racer{}
		}
		tried = append(tried, t)
		return t, nil
	}
	t, err := try(base)
	if err != nil {
		return nil, tried, err
	}
	if t.Error != "" {
		return nil, tried, fmt.Errorf("%s: %s", peer, t.Error)
	}
	best = base
	for _, choices := range things {
		from := best
		for _, c := range choices {
			s := from.with(c)
			t, err := try(s)
			if err != nil {
				return nil, tried, err
			}
			if t.wins() {
				best = s
			}
		}
	}
	return best, tried, nil
}

// wins says whether the setting is faster than the fastest before it.
func (t trial) wins() bool { return t.Error == "" && t.Ratio < enough }

// race measures a setting in turn with the fastest before it, if there is one. The caller
// ends the returned racer. The error is that of the fastest; an error of the setting itself
// is part of the trial.
func race(s setting, fastest racer, start func(setting) (racer, error)) (t trial, r racer, err error) {
	t.Setting = s.String()
	failed := func(err error) (trial, racer, error) {
		t.Error = lastLine(err)
		return t, r, nil
	}
	if r, err = start(s); err != nil {
		return failed(err)
	}
	var times, before []float64
	for range heats {
		seconds, err := r.measure()
		if err != nil {
			return failed(err)
		}
		times = append(times, seconds)
		if fastest.measure != nil {
			if seconds, err = fastest.measure(); err != nil {
				return t, r, err
			}
			before = append(before, seconds)
			if times[len(times)-1] > hopeless*seconds {
				break
			}
		}
	}
	t.Ms = 1e3 * perf.SpreadOf(times).Median
	if before != nil {
		t.Ratio = perf.SpreadOf(perf.Ratios(times, before)).Median
	}
	return t, r, nil
}

func (r racer) end() {
	if r.close != nil {
		r.close()
	}
}

// lastLine returns the last line of an error, shortened.
func lastLine(err error) string {
	s := strings.TrimSpace(err.Error())
	s = s[strings.LastIndexByte(s, '\n')+1:]
	return s[:min(len(s), 160)]
}

// openMP lists the ways in which the threads of an OpenMP program wait, and whether they
// move between cores.
var openMP = []choice{
	{What: "OpenMP", Label: "OMP_WAIT_POLICY=active", Variables: []string{"OMP_WAIT_POLICY=active"}},
	{What: "OpenMP", Label: "OMP_WAIT_POLICY=passive", Variables: []string{"OMP_WAIT_POLICY=passive"}},
	{What: "OpenMP", Label: "OMP_PROC_BIND=true", Variables: []string{"OMP_PROC_BIND=true"}},
	{What: "OpenMP", Label: "OMP_WAIT_POLICY=active OMP_PROC_BIND=true", Variables: []string{"OMP_WAIT_POLICY=active", "OMP_PROC_BIND=true"}},
}
