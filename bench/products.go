package main

import (
	"fmt"
	"math"
	"time"

	"tinygpt/perf"
)

// productRow is one product, ours beside OpenBLAS.
type productRow struct {
	Name    string  `json:"name"`
	Shape   [3]int  `json:"m_n_k"`
	GFLOP   float64 `json:"gflop"`
	Ours    spread  `json:"ours_gflops"`
	Peer    spread  `json:"openblas_gflops"`
	Ratio   spread  `json:"ratio"`
	workers [2][]float64
}

// products measures ours and the peer's in turn.
func products(list []perf.Product, ours, peer *worker, rounds int, length time.Duration, progress func(done, total int)) ([]productRow, error) {
	rows := make([]productRow, len(list))
	for i, p := range list {
		rows[i] = productRow{Name: p.Name(), Shape: [3]int{p.M, p.N, p.K}, GFLOP: p.FLOP() / 1e9}
		for round := range rounds {
			var got [2]slice
			for turn := range 2 {
				who := (round + turn) % 2 // each goes first as often
				if err := []*worker{ours, peer}[who].measure(productLine(p, length), &got[who]); err != nil {
					return nil, err
				}
				rows[i].workers[who] = append(rows[i].workers[who], p.FLOP()/got[who].perCall()/1e9)
			}
			if off := math.Abs(got[0].Check/got[1].Check - 1); !(off < 1e-5) {
				return nil, fmt.Errorf("%s: the products differ: Σ|c| is %g here, %g there", p.Name(), got[0].Check, got[1].Check)
			}
			progress(i*rounds+round+1, len(list)*rounds)
		}
		r := &rows[i]
		r.Ours, r.Peer = spreadOf(r.workers[0]), spreadOf(r.workers[1])
		r.Ratio = spreadOf(ratios(r.workers[0], r.workers[1]))
	}
	return rows, nil
}
