package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

var (
	fast    = choice{What: "speed", Label: "fast", Variables: []string{"FAST=1"}, Value: "f"}
	faster  = choice{What: "speed", Label: "faster", Value: "ff"}
	hardly  = choice{What: "luck", Label: "hardly"}
	missing = choice{What: "luck", Label: "missing"}
	lucky   = choice{What: "luck", Label: "lucky", Variables: []string{"LUCK=1"}}
)

// slowing starts peers that take a second for a step as they come, on a machine that
// gets slower with every one.
func slowing() func(setting) (racer, error) {
	machine := 1.0
	return func(s setting) (racer, error) {
		t := 1.0
		for _, c := range s {
			switch c.Label {
			case "fast":
				t *= 0.8
			case "faster":
				t *= 0.5
			case "hardly":
				t *= 0.995
			case "missing":
				return racer{}, errors.New("first line\nno such thing")
			case "lucky":
				t *= 0.9
			}
		}
		started := machine
		machine *= 1.3
		return racer{measure: func() (float64, error) { return t * max(started, machine/1.3), nil }}, nil
	}
}

func TestSearch(t *testing.T) {
	path := fixture.NewPath(t, "settings.json")
	things := [][]choice{{fast, faster}, {hardly, missing, lucky}}
	m, err := newMemory(path)
	if err != nil {
		t.Fatal(err)
	}
	best, tried, err := m.search(context.Background(), "peer", setting{{What: "base", Label: "base"}}, things, slowing())
	if err != nil {
		t.Fatal(err)
	}
	if got := best.String(); got != "base, faster, lucky" {
		t.Errorf("fastest: %s", got)
	}
	if got := best.variables(); !slices.Equal(got, []string{"LUCK=1"}) {
		t.Errorf("variables %v", got)
	}
	if len(tried) != 6 || tried[0].Ms != 1000 || tried[4].Error != "no such thing" {
		t.Errorf("tried %+v", tried)
	}

	// Known trials aren't made again; a stopped search loses nothing.
	if m, err = newMemory(path); err != nil {
		t.Fatal(err)
	}
	again, tried, err := m.search(context.Background(), "peer", setting{{What: "base", Label: "base"}}, things, func(s setting) (racer, error) {
		t.Errorf("%s is tried again", s)
		return racer{}, nil
	})
	if err != nil || again.String() != best.String() || len(tried) != 6 {
		t.Errorf("remembered: %s, %d trials, %v", again, len(tried), err)
	}
	ctx, stop := context.WithCancel(context.Background())
	_, _, err = m.search(ctx, "other", nil, things, func(setting) (racer, error) {
		stop()
		return racer{}, errors.New("killed")
	})
	if !errors.Is(err, context.Canceled) || len(m.Peers["other"]) != 0 {
		t.Errorf("stopped: %v, %v remembered", err, m.Peers["other"])
	}

	// If the fastest so far dies, that says nothing about the setting it is compared with.
	_, _, err = m.search(context.Background(), "dead", setting{{What: "base", Label: "base"}}, things, func(s setting) (racer, error) {
		base := len(s) == 1
		return racer{measure: func() (float64, error) {
			if base && len(m.Peers["dead"]) > 0 {
				return 0, errors.New("out of memory")
			}
			return 1, nil
		}}, nil
	})
	if err == nil || len(m.Peers["dead"]) != 1 {
		t.Errorf("the fastest died: %v, remembered %+v", err, m.Peers["dead"])
	}

	_, _, err = m.search(context.Background(), "broken", setting{missing}, things, slowing())
	expect.Error(t, err, "no such thing")
	fixture.Write(t, path, "[]")
	_, err = newMemory(path)
	expect.Error(t, err, path)
}

func TestSetting(t *testing.T) {
	s := setting{fast, hardly}.with(faster)
	if s.String() != "faster, hardly" || s.value("speed") != "ff" || s.value("luck") != "" || s.value("other") != "" {
		t.Errorf("%s: %+v", s, s)
	}
	if got := (setting{}).String(); got != "as it comes" {
		t.Errorf("nothing chosen: %q", got)
	}
}

// What tunes a peer unseen isn't handed on.
func TestEnvironment(t *testing.T) {
	t.Setenv("OPENBLAS_CORETYPE", "Haswell")
	t.Setenv("OMP_NUM_THREADS", "1")
	t.Setenv("LD_PRELOAD", "")
	t.Setenv("BENCH_TEST", "kept")
	kept := false
	for _, v := range environment() {
		kept = kept || v == "BENCH_TEST=kept"
		if strings.HasPrefix(v, "OPENBLAS_") || strings.HasPrefix(v, "OMP_") || strings.HasPrefix(v, "LD_PRELOAD") {
			t.Errorf("handed on: %s", v)
		}
	}
	if !kept {
		t.Error("other variables are lost")
	}
}
