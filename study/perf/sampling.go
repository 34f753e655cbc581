package perf

import (
	"context"
	"time"

	"tinygpt/model"
	"tinygpt/sample"
)

// Sampling is how fast a model writes.
type Sampling struct {
	Workload        Workload `json:"workload"`
	Tokens          int      `json:"tokens"` // of the text that is written again and again
	TokensPerSecond float64  `json:"tokens_per_second"`
	GBPerSecond     float64  `json:"gb_per_second"` // weights and cached keys and values read
	// OfBandwidth is a fraction of the memory's bandwidth; 0 for a model whose
	// weights stay in the caches.
	OfBandwidth float64 `json:"of_bandwidth,omitempty"`
}

// cacheBytes of weights and more are read from memory for each token.
const cacheBytes = 64 << 20

// Sample lets a new model write texts of as many tokens as its context has room
// for (64 at most), for at least length, by sample.Generate with top-k 50.
// bandwidth is in bytes a second.
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
