package main

import (
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
	s = slices.DeleteFunc(slices.Clone(s), func(old choice) bool { return old.What == c.What })
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

// search looks for a peer's fastest setting: from base it changes one thing after
// the other, and keeps what makes seconds less. A choice that can't be had is
// passed over.
func search(base setting, things [][]choice, seconds func(setting) (float64, error)) (best setting, tried []trial, err error) {
	try := func(s setting) (float64, error) {
		took, err := seconds(s)
		t := trial{Setting: s.String(), Ms: 1e3 * took}
		if err != nil {
			t.Error = lastLine(err)
			say("  %s: not to be had (%s)", s, t.Error)
		} else {
			say("  %s: %.4g ms", s, t.Ms)
		}
		tried = append(tried, t)
		return took, err
	}
	best = base
	least, err := try(base)
	if err != nil {
		return nil, tried, err
	}
	for _, choices := range things {
		from := best
		for _, c := range choices {
			if took, err := try(from.with(c)); err == nil && took < enough*least {
				best, least = from.with(c), took
			}
		}
	}
	return best, tried, nil
}

// memory is what earlier searches found, in a file that --settings names.
type memory struct {
	path  string // "": none
	found map[string]memorised
}

type memorised struct {
	Setting setting `json:"setting"`
	Tried   []trial `json:"tried"`
}

func newMemory(path string) (*memory, error) {
	m := &memory{path, map[string]memorised{}}
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
	if err := json.Unmarshal(text, &m.found); err != nil {
		return nil, fmt.Errorf("%s is not what --settings writes (%w): remove it, and the search is made anew", path, err)
	}
	return m, nil
}

// search is search unless the same was searched for before.
func (m *memory) search(peer string, base setting, things [][]choice, seconds func(setting) (float64, error)) (setting, []trial, error) {
	if known, ok := m.found[peer]; ok {
		return known.Setting, known.Tried, nil
	}
	say("fastest setting of %s:", peer)
	best, tried, err := search(base, things, seconds)
	if err != nil || m.path == "" {
		return best, tried, err
	}
	m.found[peer] = memorised{best, tried}
	text, err := json.MarshalIndent(m.found, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(m.path+".tmp", text, 0o644); err != nil {
		return nil, nil, err
	}
	return best, tried, os.Rename(m.path+".tmp", m.path)
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
