package main

import (
	"context"
	"fmt"
	"math"

	"tinygpt/study/perf"
)

// productTable compares the products of a workload's step.
type productTable struct {
	Workload perf.Workload `json:"workload"`
	Peer     string        `json:"peer"`
	Kernels  string        `json:"kernels"` // the processor that the peer believes this one to be
	Setting  string        `json:"setting"`
	Tried    []trial       `json:"tried"`
	Peak     float64       `json:"peak_gflops"` // FMA on registers, best of all rounds
	Rows     []productRow  `json:"products"`
	// The following are geometric means over the products.
	Ours  perf.Spread `json:"ours_gflops"`
	Other perf.Spread `json:"peer_gflops"`
	Ratio perf.Spread `json:"ratio"`
}

// productRow is one product: both speeds, and the ratio of ours to the peer's in the same
// round.
type productRow struct {
	Name  string      `json:"name"`
	Shape [3]int      `json:"m_n_k"`
	Ours  perf.Spread `json:"ours_gflops"`
	Other perf.Spread `json:"peer_gflops"`
	Ratio perf.Spread `json:"ratio"`
}

// products measures ours and OpenBLAS in turn on the products of a workload.
func (b *bench) products(ctx context.Context, o *openblas, w perf.Workload) (productTable, error) {
	list := perf.Products(w.Model, w.Tokens())
	// The search uses the largest map of a block, in each pass, and the head.
	best, tried, err := o.fastest(ctx, b.memory, w.Name, []perf.Product{list[6], list[7], list[8], list[12]})
	if err != nil {
		return productTable{}, err
	}
	peer, err := o.start(ctx, best)
	if err != nil {
		return productTable{}, err
	}
	defer peer.close()
	ours, err := startOurs(ctx, b.threadsFlag())
	if err != nil {
		return productTable{}, err
	}
	defer ours.close()
	t := productTable{Workload: w, Peer: peer.Version, Kernels: peer.Core, Setting: best.String(), Tried: tried}
	rates := make([][][2]float64, len(list)) // by product, round and contender
	progress, done := b.progress(), 0
	for round := range b.rounds { // outermost, so that a slow moment of the machine is shared by all products
		if t.Peak, err = ours.peak(t.Peak); err != nil {
			return t, err
		}
		for i, p := range list {
			progress(w.Name+" "+p.Name(), done, len(list)*b.rounds)
			done++
			var got [2]slice
			for turn := range 2 {
				who := (round + turn) % 2 // both go first equally often
				if got[who], err = [2]*worker{ours, peer}[who].measure(productLine(p, b.productSlice)); err != nil {
					return t, err
				}
			}
			if off := math.Abs(got[0].Check/got[1].Check - 1); !(off < 1e-4) {
				return t, fmt.Errorf("%s: the products differ: Σ|c| is %g here, %g there", p.Name(), got[0].Check, got[1].Check)
			}
			rates[i] = append(rates[i], [2]float64{p.FLOP() / got[0].perCall() / 1e9, p.FLOP() / got[1].perCall() / 1e9})
		}
	}
	progress("done", done, done)
	means := make([][2]float64, b.rounds)
	for round := range means {
		for who := range 2 {
			var all []float64
			for i := range list {
				all = append(all, rates[i][round][who])
			}
			means[round][who] = perf.GeometricMean(all)
		}
	}
	for i, p := range list {
		row := productRow{Name: p.Name(), Shape: [3]int{p.M, p.N, p.K}}
		row.Ours, row.Other, row.Ratio = spreads(rates[i])
		t.Rows = append(t.Rows, row)
	}
	t.Ours, t.Other, t.Ratio = spreads(means)
	return t, nil
}

// spreads returns the spread of ours, of the peer's, and of the ratio in each round.
func spreads(rounds [][2]float64) (ours, other, ratio perf.Spread) {
	var a, b []float64
	for _, r := range rounds {
		a, b = append(a, r[0]), append(b, r[1])
	}
	return perf.SpreadOf(a), perf.SpreadOf(b), perf.SpreadOf(perf.Ratios(a, b))
}
