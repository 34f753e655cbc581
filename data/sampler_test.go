package data

import (
	"fmt"
	"slices"
	"testing"
)

func TestSamplerRandom(t *testing.T) {
	const batch, context = 4, 8
	s := stream(100)
	in, out := make([]int32, batch*context), make([]int32, batch*context)
	sampler := NewSampler(s, Random, 1, batch, 2, context)
	starts := map[int32]int{}
	for step := range 500 {
		for micro := range 2 {
			sampler.Batch(step, micro, in, out)
			for i := range in {
				if out[i] != in[i]+1 || i%context > 0 && in[i] != in[i-1]+1 {
					t.Fatalf("step %d: inputs %v, targets %v", step, in, out)
				}
			}
			for b := range batch {
				starts[in[b*context]]++
			}
		}
	}
	// 93 offsets, 4,000 draws: 43 each, σ 6.6. All must occur, none far too often.
	for at := range int32(93) {
		if starts[at] < 10 || starts[at] > 90 {
			t.Errorf("offset %d was drawn %d times of 4,000", at, starts[at])
		}
	}
	again := make([]int32, batch*context)
	NewSampler(s, Random, 1, batch, 2, context).Batch(499, 1, again, out)
	if !slices.Equal(in, again) {
		t.Error("the same step of the same seed gave another batch")
	}
	NewSampler(s, Random, 2, batch, 2, context).Batch(499, 1, again, out)
	if slices.Equal(in, again) {
		t.Error("another seed gave the same batch")
	}
}

// An epoch of document windows begins once at each document, in another order
// each time.
func TestSamplerDocuments(t *testing.T) {
	const batch, context = 3, 9
	s := stream(5, 3, 9, 2, 7, 4)
	in, out := make([]int32, batch*context), make([]int32, batch*context)
	sampler := NewSampler(s, Documents, 7, batch, 1, context)
	orders := map[string]bool{}
	for epoch := range 20 {
		var starts []int
		for step := range 2 {
			sampler.Batch(2*epoch+step, 0, in, out)
			for b := range batch {
				starts = append(starts, int(in[b*context]))
			}
		}
		orders[fmt.Sprint(starts)] = true
		slices.Sort(starts)
		if !slices.Equal(starts, s.Starts) {
			t.Errorf("epoch %d begins at %v, want each of %v once", epoch, starts, s.Starts)
		}
	}
	if len(orders) < 15 {
		t.Errorf("20 epochs had only %d orders", len(orders))
	}
}

func TestPermute(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 4, 5, 16, 17, 1000} {
		seen := map[uint64]bool{}
		for i := range n {
			seen[permute(i, n, 99)] = true
		}
		if len(seen) != int(n) {
			t.Errorf("permute of %d numbers hits %d", n, len(seen))
		}
	}
}

// From a text longer than the context, an epoch takes pieces of the context's
// length without replacement, at another phase than the epoch before, and over
// some epochs every token is a target.
func TestSamplerLongDocuments(t *testing.T) {
	const context = 8
	s := stream(3, 100, 8, 9)
	const windows = 1 + 13 + 1 + 2
	in, out := make([]int32, context), make([]int32, context)
	sampler := NewSampler(s, Documents, 5, 1, 1, context)
	targets := map[int32]bool{}
	phases := map[int]bool{}
	for epoch := range 40 {
		var inner []int
		starts := map[int]int{}
		for i := range windows {
			sampler.Batch(epoch*windows+i, 0, in, out)
			at := int(in[0])
			starts[at]++
			if at > 3 && at < 103 {
				inner = append(inner, at)
			}
			for _, target := range out {
				targets[target] = true
			}
		}
		for _, at := range s.Starts {
			if starts[at] != 1 {
				t.Errorf("epoch %d: document at %d begins %d windows", epoch, at, starts[at])
			}
		}
		slices.Sort(inner)
		if len(inner) != 12 {
			t.Fatalf("epoch %d: windows begin inside the long document at %v, want 12", epoch, inner)
		}
		for i := 1; i < len(inner); i++ {
			if inner[i]-inner[i-1] != context {
				t.Errorf("epoch %d: windows begin at %v, want every %d", epoch, inner, context)
			}
		}
		phases[inner[0]] = true
	}
	if len(phases) < context/2 {
		t.Errorf("only %d phases in 40 epochs", len(phases))
	}
	if len(targets) != len(s.Tokens)-1 {
		t.Errorf("%d of %d tokens were targets", len(targets), len(s.Tokens)-1)
	}
}

// A window at the end of the stream goes on at its beginning; the last end of text
// is the first as well.
func TestSamplerWraps(t *testing.T) {
	const context = 4
	s := stream(4, 1)
	in, out := make([]int32, context), make([]int32, context)
	sampler := NewSampler(s, Documents, 5, 1, 1, context)
	for step := range 10 {
		sampler.Batch(step, 0, in, out)
		for i := range in {
			if want := (int(in[0]) + i) % 5; int(in[i])%5 != want || int(out[i])%5 != (want+1)%5 {
				t.Fatalf("inputs %v, targets %v", in, out)
			}
		}
	}
}

// Steps and micro-batches follow one another through an epoch: none of its
// windows comes twice.
func TestSamplerAccumulation(t *testing.T) {
	const batch, accumulation, context = 2, 3, 4
	s := stream(4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4)
	in, out := make([]int32, batch*context), make([]int32, batch*context)
	sampler := NewSampler(s, Documents, 5, batch, accumulation, context)
	seen := map[int32]bool{}
	for step := range 2 {
		for micro := range accumulation {
			sampler.Batch(step, micro, in, out)
			seen[in[0]], seen[in[context]] = true, true
		}
	}
	if len(seen) != 12 {
		t.Errorf("an epoch of 12 windows had %d different ones", len(seen))
	}
}

func TestSamplerAllocations(t *testing.T) {
	s := stream(5, 300, 9)
	in, out := make([]int32, 64), make([]int32, 64)
	for _, order := range []Order{Random, Documents} {
		sampler := NewSampler(s, order, 1, 4, 1, 16)
		step := 0
		if n := testing.AllocsPerRun(100, func() { sampler.Batch(step, 0, in, out); step++ }); n != 0 {
			t.Errorf("%s: %v allocations a batch", order, n)
		}
	}
}
