package perf

import (
	"context"
	"time"

	"tinygpt/model"
	"tinygpt/sample"
)

// Sampling is the measured speed at which a model writes.
type Sampling struct {
	Workload        Workload `json:"workload"`
	Tokens          int      `json:"tokens"` // length of the text, which is written repeatedly
	TokensPerSecond float64  `json:"tokens_per_second"`
	GBPerSecond     float64  `json:"gb_per_second"` // reading weights, and cached keys and values
	// OfBandwidth is the fraction of the memory's bandwidth; 0 for a model whose weights
	// stay in the CPU's caches.
	OfBandwidth float64 `json:"of_bandwidth,omitempty"`
}

// cacheBytes is the size of the weights from which they no longer fit into the CPU's caches
// and are read from memory for each token.
const cacheBytes = 64 << 20

// Sample measures how fast a new model writes, for at least the time length: by
// sample.Generate with top-k 50, texts that fill its context, or 64 tokens if it is longer.
// bandwidth is in bytes per second.
func Sample(w Workload, length time.Duration, bandwidth float64) (Sampling, error) {
	m, err := model.New(w.Model, 1)
	if err != nil {
		return Sampling{}, err
	}
	tokens := min(64, w.Model.Context-1)
	o := sample.Default()
	o.Temperature, o.TopK, o.MaxTokens = 0.8, 50, tokens
	d, requests := m.NewDecoder(1), []sample.Request{{Prompt: []int32{0}, Options: o, Seed: 1}}
	var failed error
	text := func() {
		d.Reset(0)
		if _, err := sample.Generate(context.Background(), d, nil, requests); err != nil {
			failed = err
		}
	}
	calls, took := Repeat(text, length)
	if failed != nil {
		return Sampling{}, failed
	}
	bytes := 0.0
	for cached := range tokens {
		bytes += w.bytesPerToken(cached)
	}
	s := Sampling{Workload: w, Tokens: tokens, TokensPerSecond: float64(calls*tokens) / took.Seconds(),
		GBPerSecond: bytes * float64(calls) / took.Seconds() / 1e9}
	if w.bytesPerToken(0) > cacheBytes {
		s.OfBandwidth = 1e9 * s.GBPerSecond / bandwidth
	}
	return s, nil
}
