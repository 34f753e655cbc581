package scaling

import (
	"math"
	"strings"
	"testing"

	"tinygpt/configs"
)

// The model's numbers for GPT-2's smallest at 150 GFLOP/s, computed by hand: P = 124.44e6,
// 32,768 tokens of 6P + 12·12·768·1024 operations.
func TestSpread(t *testing.T) {
	const p = 124_440_000
	perToken := 6.*p + 12*12*768*1024
	s := Speed{FLOPS: 150e9, PerParameter: 28 / 20e9}
	for _, c := range []struct {
		processes  int
		gbit       float64
		efficiency float64
	}{{1, 1, 1}, {2, 1, 0.97}, {4, 1, 0.91}, {8, 1, 0.82}, {4, 10, 0.99}, {32, 1, 0.51}, {32, 10, 0.90}} {
		x := Network{c.processes, c.gbit}.Spread(s, p, 32768*perToken, 32)
		if math.Abs(x.Efficiency-c.efficiency) > 0.02 {
			t.Errorf("%d over %g Gb/s: efficiency %.3f, want %.2f", c.processes, c.gbit, x.Efficiency, c.efficiency)
		}
	}
	if x := (Network{4, 10}).Spread(s, p, 32768*perToken, 32); math.Abs(x.Bytes-746.6e6) > 1e6 {
		t.Errorf("%.0f bytes, want 746.6e6", x.Bytes)
	}
}

// A small model isn't worth a slow network, and the plan says so.
func TestSpreadNotWorthIt(t *testing.T) {
	c, err := configs.Preset("small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Model.VocabSize = 1024
	here := Speed{FLOPS: 80e9, PerParameter: 1e-9}
	s := Section{}.Spread(c, here, Network{8, 0.1})
	if len(s.Spreads) != 3 || !strings.Contains(s.Notes[0], "Stage 1 of 3") || !strings.Contains(s.Notes[0], "Not worth it") {
		t.Errorf("%q", s.Notes)
	}
	if s := (Section{}).Spread(c, here, Network{2, 100}); strings.Contains(s.Notes[2], "worth it") {
		t.Errorf("%q", s.Notes)
	}
}
