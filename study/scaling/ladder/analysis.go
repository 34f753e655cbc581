package ladder

import (
	"fmt"
	"math"
	"slices"

	"tinygpt/study/scaling/powerlaw"
)

// Analysis holds the laws that the losses of a ladder follow. Losses are in bits per byte,
// so that they can be compared with the entropy of the text and across tokenizers.
type Analysis struct {
	Results []Result `json:"results"`
	// Size is the law in N, the number of parameters without embeddings; Compute is that in
	// training FLOP.
	Size    Fit `json:"size"`
	Compute Fit `json:"compute"`
	// Floor is the exact entropy of the text in bits per byte; 0 if unknown.
	Floor  float64 `json:"floor_bits_per_byte,omitempty"`
	Tokens int     `json:"tokens"` // that each model saw
}

// Fit is a law through all losses, and a law through the losses of all but the largest
// model, with what the second predicts of that model.
type Fit struct {
	All        powerlaw.Law `json:"all"`
	Smaller    powerlaw.Law `json:"smaller"`
	Prediction Prediction   `json:"prediction"`
}

// Prediction of the largest model's loss from the smaller ones.
type Prediction struct {
	Shape     Shape   `json:"shape"`
	Predicted float64 `json:"predicted"`
	// Low and High are the ends of the error bar; 0 with too few points for one.
	Low      float64 `json:"low,omitempty"`
	High     float64 `json:"high,omitempty"`
	Measured float64 `json:"measured"` // mean of the seeds
	// Off is the prediction's absolute error, as a part of Measured.
	Off float64 `json:"off"`
	// Free and FreeOff are Predicted and Off of a law whose E may be below the entropy of
	// the text; 0 where E isn't held at that entropy.
	Free    float64 `json:"free,omitempty"`
	FreeOff float64 `json:"free_off,omitempty"`
}

// Analyse fits laws to results, of which there must be at least one. floor is the exact
// entropy of the text in bits per byte, which E isn't below; 0 if it is unknown.
func Analyse(results []Result, floor float64) (a Analysis, err error) {
	a = Analysis{Results: results, Floor: floor, Tokens: results[0].Tokens}
	if a.Size, err = fit(results, floor, Result.size); err != nil {
		return a, err
	}
	a.Compute, err = fit(results, floor, func(r Result) float64 { return r.FLOP })
	return a, err
}

func (r Result) size() float64 { return float64(r.NonEmbedding) }

// fit returns both laws of loss against x.
func fit(results []Result, floor float64, x func(Result) float64) (f Fit, err error) {
	largest := slices.MaxFunc(results, func(r, s Result) int { return int(r.NonEmbedding - s.NonEmbedding) })
	var all, smaller []powerlaw.Point
	var measured, n float64
	for _, r := range results {
		p := powerlaw.Point{X: x(r), Loss: r.BitsPerByte}
		all = append(all, p)
		if r.Shape != largest.Shape {
			smaller = append(smaller, p)
			continue
		}
		measured += r.BitsPerByte
		n++
	}
	if f.All, err = powerlaw.Fit(all, floor); err != nil {
		return f, err
	}
	if f.Smaller, err = powerlaw.Fit(smaller, floor); err != nil {
		return f, err
	}
	at := x(largest)
	p := Prediction{Shape: largest.Shape, Predicted: f.Smaller.At(at), Measured: measured / n}
	if low, high := f.Smaller.Between(at); !math.IsInf(high, 0) {
		p.Low, p.High = low, high
	}
	off := func(predicted float64) float64 { return math.Abs(predicted-p.Measured) / p.Measured }
	p.Off = off(p.Predicted)
	if f.Smaller.AtFloor && floor > 0 {
		free, err := powerlaw.Fit(smaller, 0)
		if err != nil {
			return f, err
		}
		p.Free = free.At(at)
		p.FreeOff = off(p.Free)
	}
	if x := p.Predicted + p.Low + p.High + p.Off + p.Free + p.FreeOff; math.IsNaN(x) || math.IsInf(x, 0) {
		return f, fmt.Errorf("the law of the smaller models predicts no loss of %s: %v", p.Shape, p.Predicted)
	}
	f.Prediction = p
	return f, nil
}

// oneSeed returns the results of a seed.
func oneSeed(results []Result, seed uint64) (of []Result) {
	for _, r := range results {
		if r.Seed == seed {
			of = append(of, r)
		}
	}
	return of
}

// seedsOf returns the seeds of results in the order of their first appearance.
func seedsOf(results []Result) (seeds []uint64) {
	for _, r := range results {
		if !slices.Contains(seeds, r.Seed) {
			seeds = append(seeds, r.Seed)
		}
	}
	return seeds
}
