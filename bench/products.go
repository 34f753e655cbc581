package main

import (
	"context"
	"fmt"
	"math"

	"tinygpt/perf"
)

// productTable compares the products of a workload's step.
type productTable struct {
	Workload perf.Workload `json:"workload"`
	Peer     string        `json:"peer"`
	Kernels  string        `json:"kernels"` // the processor that the peer takes this one for
	Setting  string        `json:"setting"`
	Tried    []trial       `json:"tried"`
	Rows     []productRow  `json:"products"`
	// Geometric means over the products.
	Ours  perf.Spread `json:"ours_gflops"`
	Other perf.Spread `json:"peer_gflops"`
	Ratio perf.Spread `json:"ratio"`
}

// productRow is one product: rates, and ours by the peer's in the same round.
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
	// Of the large map of a block one of each pass, and the head.
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
	rates := make([][2][]float64, b.rounds) // by round, then who, then product
	progress := b.progress()
	for i, p := range list {
		var by [2][]float64
		for round := range b.rounds {
			progress(w.Name+" "+p.Name(), i*b.rounds+round, len(list)*b.rounds)
			var got [2]slice
			for turn := range 2 {
				who := (round + turn) % 2 // each goes first as often
				if got[who], err = [2]*worker{ours, peer}[who].measure(productLine(p, b.productSlice)); err != nil {
					return t, err
				}
				rate := p.FLOP() / got[who].perCall() / 1e9
				by[who] = append(by[who], rate)
				rates[round][who] = append(rates[round][who], rate)
			}
			if off := math.Abs(got[0].Check/got[1].Check - 1); !(off < 1e-4) {
				return t, fmt.Errorf("%s: the products differ: Σ|c| is %g here, %g there", p.Name(), got[0].Check, got[1].Check)
			}
		}
		t.Rows = append(t.Rows, productRow{p.Name(), [3]int{p.M, p.N, p.K}, perf.SpreadOf(by[0]), perf.SpreadOf(by[1]), perf.SpreadOf(perf.Ratios(by[0], by[1]))})
	}
	progress("done", len(list)*b.rounds, len(list)*b.rounds)
	var means [2][]float64
	for _, round := range rates {
		for who := range 2 {
			means[who] = append(means[who], perf.GeometricMean(round[who]))
		}
	}
	t.Ours, t.Other, t.Ratio = perf.SpreadOf(means[0]), perf.SpreadOf(means[1]), perf.SpreadOf(perf.Ratios(means[0], means[1]))
	return t, nil
}
