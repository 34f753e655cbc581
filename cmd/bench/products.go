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

// products measures ours and OpenBLAS in turn on the products of a workload. Interrupted, it
// returns what whole rounds have measured, with the error.
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
	rates, err := b.rates(w.Name, list, ours, peer, &t.Peak)
	if len(rates) == 0 || err != nil && ctx.Err() == nil {
		return t, err
	}
	t.summarise(list, rates)
	return t, err
}

// rates returns the rates of ours and the peer by round and product, of whole rounds.
func (b *bench) rates(what string, list []perf.Product, ours, peer *worker, peak *float64) (rates [][][2]float64, err error) {
	progress, done := b.progress(), 0
	defer progress.Clear()
	for round := range b.rounds { // outermost, so that a slow moment of the machine is shared by all products
		if *peak, err = ours.peak(*peak); err != nil {
			return rates, err
		}
		var these [][2]float64
		for _, p := range list {
			progress.Show(what+" "+p.Name(), done, len(list)*b.rounds)
			done++
			var got [2]slice
			for turn := range 2 {
				who := (round + turn) % 2 // both go first equally often
				if got[who], err = [2]*worker{ours, peer}[who].measure(productLine(p, b.productSlice)); err != nil {
					return rates, err
				}
			}
			if off := math.Abs(got[0].Check/got[1].Check - 1); !(off < 1e-4) {
				return rates, fmt.Errorf("%s: the products differ: Σ|c| is %g here, %g there", p.Name(), got[0].Check, got[1].Check)
			}
			these = append(these, [2]float64{p.FLOP() / got[0].perCall() / 1e9, p.FLOP() / got[1].perCall() / 1e9})
		}
		rates = append(rates, these)
	}
	return rates, nil
}

// summarise fills in the rows and means from the rates by round and product.
func (t *productTable) summarise(list []perf.Product, rates [][][2]float64) {
	means := make([][2]float64, len(rates))
	for round := range means {
		for who := range 2 {
			var all []float64
			for i := range list {
				all = append(all, rates[round][i][who])
			}
			means[round][who] = perf.GeometricMean(all)
		}
	}
	for i, p := range list {
		var of [][2]float64
		for _, round := range rates {
			of = append(of, round[i])
		}
		row := productRow{Name: p.Name(), Shape: [3]int{p.M, p.N, p.K}}
		row.Ours, row.Other, row.Ratio = spreads(of)
		t.Rows = append(t.Rows, row)
	}
	t.Ours, t.Other, t.Ratio = spreads(means)
}

// spreads returns the spread of ours, of the peer's, and of the ratio in each round.
func spreads(rounds [][2]float64) (ours, other, ratio perf.Spread) {
	var a, b []float64
	for _, r := range rounds {
		a, b = append(a, r[0]), append(b, r[1])
	}
	return perf.SpreadOf(a), perf.SpreadOf(b), perf.SpreadOf(perf.Ratios(a, b))
}
