package model

import (
	"fmt"
	"slices"
)

// Decoder computes next-token logits of several growing sequences, without the
// graph. Keys and values of what was read stay cached, so a token costs one row of work,
// and the weights are read once for all sequences together. A sequence that is longer than
// the model's context is its last Context tokens. Each new token then moves all of them to
// another position, so the whole window has to be read again for every token: that takes as
// long as a prompt of Context tokens.
//
// A sequence's logits have the same bits whatever other sequences are read in the same
// calls, in whatever pieces its tokens come, and with any number of threads. So sequences
// can join and leave at any token (Reset, Copy), and a prompt can be read in pieces.
//
// A decoder must not be used by two goroutines at once.
type Decoder struct {
	weights   *Weights
	sequences []sequence
	logits    []float32 // [sequences, V]
	spans     []span    // what the present pass reads
	pass      pass
	trace     *Trace // keeps what a pass computes; nil: nothing is kept
}

// Input is what a sequence reads in a call of Append.
type Input struct {
	Sequence int
	Tokens   []int32
	// LogProbs, unless it is empty, receives log p (natural) of the last
	// len(LogProbs) tokens, each given all tokens before it.
	LogProbs []float32
}

// NewDecoder returns a decoder of that many empty sequences. It reads the model's weights
// themselves, not a copy.
func (m *Model) NewDecoder(sequences int) *Decoder {
	w, err := m.Weights(Float32)
	if err != nil {
		panic(err)
	}
	return w.NewDecoder(sequences)
}

// NewDecoder returns a decoder of that many empty sequences.
func (w *Weights) NewDecoder(sequences int) *Decoder {
	return &Decoder{
		weights: w, sequences: make([]sequence, sequences), logits: make([]float32, sequences*w.config.VocabSize),
	}
}

// Sequences is the number of the decoder's sequences.
func (d *Decoder) Sequences() int { return len(d.sequences) }

// Config is the configuration of the model.
func (d *Decoder) Config() Config { return d.weights.config }

// Length is how many tokens a sequence holds: at most Context.
func (d *Decoder) Length(sequence int) int { return len(d.sequences[sequence].tokens) }

// Reset empties a sequence. Its memory is kept for what it reads next.
func (d *Decoder) Reset(sequence int) { d.sequences[sequence].reset() }

// Copy makes sequence to equal to sequence from, so that a prompt with which several texts
// begin is read once.
func (d *Decoder) Copy(to, from int) {
	if to == from {
		return
	}
	d.sequences[to].copyFrom(&d.sequences[from], d.weights.config)
	d.sequences[to].predicted = d.sequences[from].predicted
	copy(d.Logits(to), d.Logits(from))
}

// Common returns how many of tokens, from the first on, are the tokens that a
// sequence begins with.
func (d *Decoder) Common(sequence int, tokens []int32) int {
	s := &d.sequences[sequence]
	for i, t := range tokens[:min(len(tokens), s.cached)] {
		if s.tokens[i] != t {
			return i
		}
	}
	return min(len(tokens), s.cached)
}

// CopyPrefix makes sequence to equal to the first n tokens of sequence from, which
// has at least as many; to and from may be the same. Sequence to has no logits until
// it reads another token.
func (d *Decoder) CopyPrefix(to, from, n int) {
	if to == from {
		d.sequences[to].truncate(n)
		return
	}
	d.sequences[to].copyPrefix(&d.sequences[from], n, d.weights.config)
}

// Logits returns the logits [V] of the token that comes next in a sequence, which
// must not be empty. They are the decoder's memory and change with the sequence.
func (d *Decoder) Logits(sequence int) []float32 {
	v := d.weights.config.VocabSize
	return d.logits[sequence*v : (sequence+1)*v : (sequence+1)*v]
}

// LogProb is log p (natural) of a token as the next of a sequence.
func (d *Decoder) LogProb(sequence int, token int32) float32 {
	return d.pass.logProb(d.Logits(sequence), token)
}

// Append adds tokens to sequences, each of which may appear once in a call. An error leaves
// all sequences as they were. Log-probabilities are computed only for sequences that fit
// into the context.
func (d *Decoder) Append(inputs []Input) error {
	if err := d.check(inputs); err != nil {
		return err
	}
	c := d.weights.config
	for _, in := range inputs {
		s := &d.sequences[in.Sequence]
		if n := len(in.LogProbs); n > 0 && n == len(in.Tokens) {
			// The first is predicted by what was read before.
			in.LogProbs[0] = d.LogProb(in.Sequence, in.Tokens[0])
		}
		s.extend(in.Tokens, c)
	}
	for d.cut(inputs) {
		d.forward()
	}
	return nil
}

func (d *Decoder) check(inputs []Input) error {
	c := d.weights.config
	for i, in := range inputs {
		if in.Sequence < 0 || in.Sequence >= len(d.sequences) {
			return fmt.Errorf("model: sequence %d of a decoder of %d", in.Sequence, len(d.sequences))
		}
		if slices.ContainsFunc(inputs[:i], func(before Input) bool { return before.Sequence == in.Sequence }) {
			return fmt.Errorf("model: sequence %d twice in one call", in.Sequence)
		}
		if len(in.Tokens) == 0 {
			return fmt.Errorf("model: no tokens to append to sequence %d", in.Sequence)
		}
		for _, t := range in.Tokens {
			if int(t) < 0 || int(t) >= c.VocabSize {
				return fmt.Errorf("model: token %d is outside the vocabulary of %d", t, c.VocabSize)
			}
		}
		read := len(d.sequences[in.Sequence].tokens)
		switch n := len(in.LogProbs); {
		case n == 0:
		case n > len(in.Tokens):
			return fmt.Errorf("model: %d log-probabilities of %d tokens", n, len(in.Tokens))
		case n == len(in.Tokens) && read == 0:
			return fmt.Errorf("model: no log-probability of the first token of a sequence: nothing comes before it")
		case n == len(in.Tokens) && d.sequences[in.Sequence].predicted != read:
			return fmt.Errorf("model: no log-probability of the first token after CopyPrefix to sequence %d: it has no logits", in.Sequence)
		case read+len(in.Tokens) > c.Context:
			return fmt.Errorf("model: log-probabilities in a sequence of %d tokens, the context is %d", read+len(in.Tokens), c.Context)
		}
	}
	return nil
}

// passRows is the maximum number of rows in a pass through the layers: enough for the full
// speed of the matrix products, few enough for memory.
const passRows = 1024

// cut sets the spans of the next pass: as much as a pass takes of what the sequences haven't
// read yet. It reports whether there was anything left.
func (d *Decoder) cut(inputs []Input) bool {
	d.spans = d.spans[:0]
	rows := 0
	for _, in := range inputs {
		s := &d.sequences[in.Sequence]
		n := min(len(s.tokens)-s.cached, passRows-rows)
		if n == 0 {
			continue
		}
		d.spans = append(d.spans, d.span(in, rows, n))
		rows += n
	}
	return rows > 0
}

// span makes the span of the next n tokens of a sequence, in rows from row on.
func (d *Decoder) span(in Input, row, n int) span {
	s := &d.sequences[in.Sequence]
	made := span{sequence: in.Sequence, from: s.cached, to: s.cached + n, row: row, logProbs: in.LogProbs}
	if d.trace != nil {
		return made
	}
	// The first token to predict is the one after the sequence, or the first whose
	// log-probability is asked for; the row before it predicts it.
	first := len(s.tokens) - len(in.LogProbs)
	made.unread = min(max(0, first-1-made.from), n)
	return made
}
