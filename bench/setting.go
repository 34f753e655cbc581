package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// choice is one value of something that can be set in a peer.
type choice struct {
	What      string   `json:"what"`
	Label     string   `json:"label,omitempty"` // for the reader; "" is how the peer comes
	Variables []string `json:"variables,omitempty"`
	Value     string   `json:"value,omitempty"` // for the peer's worker
}

// setting is how a peer is run: one choice of each thing.
type setting []choice

// with replaces the choice of the same thing.
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

// trial is a setting that was tried.
type trial struct {
	Setting string  `json:"setting"`
	Ms      float64 `json:"ms,omitempty"` // for a call or a step
	Error   string  `json:"error,omitempty"`
}

// enough is by how much a setting has to be faster than the best before it: less
// may be chance.
const enough = 0.99

// memory is what was tried, in a file that --settings names. It is written after
// every trial, so a search that was stopped goes on where it was.
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
	if errors.Is(err, fs.ErrNotExist) {
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

// recall returns what a trial showed; false if it wasn't made.
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
	if err := os.WriteFile(m.path+".tmp", text, 0o644); err != nil {
		return err
	}
	return os.Rename(m.path+".tmp", m.path)
}

// search looks for a peer's fastest setting: from base it changes one thing after
// the other, and keeps what makes seconds less. A choice that can't be had is
// passed over.
func (m *memory) search(ctx context.Context, peer string, base setting, things [][]choice, seconds func(setting) (float64, error)) (best setting, tried []trial, err error) {
	try := func(s setting) (trial, error) {
		t, known := m.recall(peer, s)
		if !known {
			if len(tried) == 0 {
				say("fastest setting of %s:", peer)
			}
			took, err := seconds(s)
			if ctx.Err() != nil {
				return t, ctx.Err()
			}
			t = trial{Setting: s.String(), Ms: 1e3 * took}
			if err != nil {
				t.Error = lastLine(err)
				say("  %s: not to be had (%s)", s, t.Error)
			} else {
				say("  %s: %.4g ms", s, t.Ms)
			}
			if err := m.add(peer, t); err != nil {
				return t, err
			}
		}
		tried = append(tried, t)
		return t, nil
	}
	best = base
	fastest, err := try(base)
	if err != nil {
		return nil, tried, err
	}
	if fastest.Error != "" {
		return nil, tried, fmt.Errorf("%s: %s", peer, fastest.Error)
	}
	for _, choices := range things {
		from := best
		for _, c := range choices {
			t, err := try(from.with(c))
			if err != nil {
				return nil, tried, err
			}
			if t.Error == "" && t.Ms < enough*fastest.Ms {
				best, fastest = from.with(c), t
			}
		}
	}
	return best, tried, nil
}

// lastLine is what an error says in the end, cut to a line.
func lastLine(err error) string {
	s := strings.TrimSpace(err.Error())
	s = s[strings.LastIndexByte(s, '\n')+1:]
	return s[:min(len(s), 160)]
}

// openMP are the ways in which the threads of an OpenMP program wait and move.
var openMP = []choice{
	{What: "OpenMP", Label: "OMP_WAIT_POLICY=active", Variables: []string{"OMP_WAIT_POLICY=active"}},
	{What: "OpenMP", Label: "OMP_WAIT_POLICY=passive", Variables: []string{"OMP_WAIT_POLICY=passive"}},
	{What: "OpenMP", Label: "OMP_PROC_BIND=true", Variables: []string{"OMP_PROC_BIND=true"}},
	{What: "OpenMP", Label: "OMP_WAIT_POLICY=active OMP_PROC_BIND=true", Variables: []string{"OMP_WAIT_POLICY=active", "OMP_PROC_BIND=true"}},
}
