package data

import (
	"fmt"

	"tinygpt/data/internal/chance"
)

// Order is where training windows begin.
type Order string

const (
	// Random windows begin at any token, each as likely as the other, as in
	// nanoGPT.
	Random Order = "random"
	// Documents windows begin at the beginning of a document, so that nothing in
	// them depends on a text that the model doesn't see; they run on into the
	// documents that follow in the corpus. Every document begins one window per
	// epoch, in an order of its own for each. From a document longer than the
	// context, further windows begin every context tokens, moved by an offset that
	// is drawn for each epoch: a single long text is read in shuffled pieces that
	// lie elsewhere each time.
	Documents Order = "documents"
)

// Sampler cuts a stream into training batches. A batch is a function of seed,
// step and micro-batch: there is no state to lose when a run is resumed.
type Sampler struct {
	stream *Stream
	order  Order
	seed   uint64
	// Sequences per step: micro-batches of a step follow one another.
	batch, accumulation, context int
	anchors                      []anchor // of Documents
}

// anchor is where windows of the order Documents begin: at the end of text before
// a document, or up to context-1 tokens before the position if that is inside one.
type anchor struct {
	at     int
	inside bool
}

// NewSampler returns a sampler of batches of batch windows of context tokens,
// accumulation of them a step. The stream must pass Check.
func NewSampler(s *Stream, o Order, seed uint64, batch, accumulation, context int) *Sampler {
	sampler := &Sampler{stream: s, order: o, seed: seed, batch: batch, accumulation: accumulation, context: context}
	if o == Documents {
		for i, start := range s.Starts {
			end := len(s.Tokens) - 1
			if i+1 < len(s.Starts) {
				end = s.Starts[i+1]
			}
			for at := start; at < end; at += context {
				sampler.anchors = append(sampler.anchors, anchor{at, at > start})
			}
		}
	}
	return sampler
}

// Batch fills inputs and targets [B·T] with the windows of a micro-batch: the
// target of each token is the one after it.
func (s *Sampler) Batch(step, micro int, inputs, targets []int32) {
	if len(inputs) != s.batch*s.context || len(targets) != len(inputs) {
		panic(fmt.Sprintf("data: batch of %d×%d tokens into inputs [%d] and targets [%d]", s.batch, s.context, len(inputs), len(targets)))
	}
	for b := range s.batch {
		number := (uint64(step)*uint64(s.accumulation)+uint64(micro))*uint64(s.batch) + uint64(b)
		at := s.start(number)
		s.stream.copyFrom(at, inputs[b*s.context:(b+1)*s.context])
		s.stream.copyFrom(at+1, targets[b*s.context:(b+1)*s.context])
	}
}

// start is where window number n of the run begins.
func (s *Sampler) start(n uint64) int {
	if s.order == Random {
		return int(mix(s.seed, n) % uint64(len(s.stream.Tokens)-s.context))
	}
	perEpoch := uint64(len(s.anchors))
	key := mix(s.seed, n/perEpoch)
	a := s.anchors[permute(n%perEpoch, perEpoch, key)]
	if a.inside {
		return a.at - int(mix(key, perEpoch)%uint64(s.context))
	}
	return a.at
}

// permute returns element i < n of a permutation of n numbers that key chooses: a
// Feistel network of four rounds over the smallest even number of bits that holds n,
// repeated until the result is below n (Black and Rogaway 2002, section 3).
func permute(i, n, key uint64) uint64 {
	half := uint(1)
	for 1<<(2*half) < n {
		half++
	}
	mask := uint64(1)<<half - 1
	for {
		left, right := i>>half, i&mask
		for round := range uint64(4) {
			left, right = right, left^mix(key+round, right)&mask
		}
		if i = left<<half | right; i < n {
			return i
		}
	}
}

// mix hashes two numbers to 64 bits.
func mix(seed, n uint64) uint64 {
	return chance.Mix(seed*0xd1342543de82ef95 + (n+1)*0x9e3779b97f4a7c15)
}
