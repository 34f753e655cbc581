// Package sample draws text from a model: it turns logits into a choice
// (temperature, top-k), and repeats that until a token ends the text.
//
// It knows a model only as something that returns the logits of the next token,
// and tokens only as numbers; what a stream of them says is the caller's matter.
package sample

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Options are the choices of how to draw.
type Options struct {
	// Temperature divides the logits: below 1 the likely get likelier; 0 takes
	// the likeliest always (greedy).
	Temperature float64 `yaml:"temperature"`
	// TopK keeps the k likeliest tokens; 0 keeps all.
	TopK int `yaml:"top_k"`
	// MaxTokens ends a text that doesn't end by itself.
	MaxTokens int `yaml:"max_tokens"`
}

// Validate says what is wrong with o.
func (o Options) Validate() error {
	var errs []error
	if !(o.Temperature >= 0) || math.IsInf(o.Temperature, 1) {
		errs = append(errs, fmt.Errorf("temperature is %v: expected 0 (greedy) or more", o.Temperature))
	}
	if o.TopK < 0 {
		errs = append(errs, fmt.Errorf("top-k is %d: expected 0 (all tokens) or more", o.TopK))
	}
	if o.MaxTokens < 1 {
		errs = append(errs, fmt.Errorf("max-tokens is %d: expected 1 or more", o.MaxTokens))
	}
	return errors.Join(errs...)
}

// Decoder is a model that reads a sequence; see model.Decoder.
type Decoder interface {
	// Append adds tokens to the sequence and returns the logits [V] of the next.
	Append(tokens ...int32) ([]float32, error)
}

// Generate reads the prompt, then draws tokens and passes each to emit, until
// stop is drawn (it isn't passed on), MaxTokens are, or emit returns false. The
// same options, seed and logits give the same tokens.
func Generate(d Decoder, prompt []int32, o Options, seed uint64, stop int32, emit func(token int32) bool) error {
	random := rand.New(rand.NewPCG(seed, 0))
	s := sampler{Options: o}
	next := prompt
	for range o.MaxTokens {
		logits, err := d.Append(next...)
		if err != nil {
			return err
		}
		token := s.choose(logits, random)
		if token == stop || !emit(token) {
			return nil
		}
		next = []int32{token}
	}
	return nil
}

// sampler holds the memory that choosing needs.
type sampler struct {
	Options
	candidates []candidate
}

type candidate struct {
	token  int32
	weight float64 // the logit, then the unnormalised probability
}

// choose draws from softmax(logits/Temperature) restricted to the TopK largest.
// Of equal logits the lower token comes first.
func (s *sampler) choose(logits []float32, random *rand.Rand) int32 {
	if s.Temperature == 0 {
		return argmax(logits)
	}
	c := s.candidates[:0]
	for i, l := range logits {
		c = append(c, candidate{int32(i), float64(l)})
	}
	s.candidates = c
	if s.TopK > 0 && s.TopK < len(c) {
		slices.SortFunc(c, func(a, b candidate) int {
			switch {
			case a.weight > b.weight:
				return -1
			case a.weight < b.weight:
				return 1
			}
			return int(a.token - b.token)
		})
		c = c[:s.TopK]
	}
	largest := math.Inf(-1)
	for _, x := range c {
		largest = max(largest, x.weight)
	}
	var sum float64
	for i := range c {
		c[i].weight = math.Exp((c[i].weight - largest) / s.Temperature)
		sum += c[i].weight
	}
	at := random.Float64() * sum
	for _, x := range c {
		if at -= x.weight; at < 0 {
			return x.token
		}
	}
	// Rounding left a remainder; every candidate was passed.
	return c[len(c)-1].token
}

// argmax is the first index of the largest logit.
func argmax(logits []float32) int32 {
	best := 0
	for i, l := range logits {
		if l > logits[best] {
			best = i
		}
	}
	return int32(best)
}
