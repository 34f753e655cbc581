package align

import (
	"fmt"

	"tinygpt/data/instruct"
	"tinygpt/model"
	"tinygpt/model/op"
)

// Instruction is a prompt as the model reads it.
type Instruction struct {
	Messages []instruct.Message
	// Tokens end with the one after which the assistant answers.
	Tokens []int32
	// World is what the built-in world knows of the prompt; nil of other prompts.
	World *instruct.Prompt
}

// Answer is what a model has answered.
type Answer struct {
	Tokens []int32 // the end of text included, if Ended
	Text   string
	// Ended says that the model ended the answer, and not the limit of tokens.
	Ended bool
	// LogProbs are those of Tokens, as the sampler saw them.
	LogProbs []float32
}

// Sequence is a prompt with an answer.
type Sequence struct {
	Tokens []int32
	Prompt int // how many of them are the prompt
	// Types are the tokens' types, for a model that reads some; nil: nothing is said of
	// them. See Reader.
	Types []int32
}

// with returns the sequence of a prompt and an answer's tokens.
func (in *Instruction) with(answer []int32) Sequence {
	tokens := make([]int32, 0, len(in.Tokens)+len(answer))
	return Sequence{Tokens: append(append(tokens, in.Tokens...), answer...), Prompt: len(in.Tokens)}
}

// Answer is the number of tokens of the answer.
func (s Sequence) Answer() int { return len(s.Tokens) - s.Prompt }

// Encode returns the instructions of prompts, and of how many prompts there is no room
// for an answer of least tokens in a context: they are left out.
func Encode(f *instruct.Format, prompts []instruct.Prompt, context, least int) (list []Instruction, left int, err error) {
	for i := range prompts {
		p := &prompts[i]
		tokens, err := f.Prompt(p.Messages)
		if err != nil {
			return nil, 0, fmt.Errorf("prompt %d: %w", i+1, err)
		}
		if len(tokens)+least > context {
			left++
			continue
		}
		list = append(list, Instruction{p.Messages, tokens, p})
	}
	return list, left, nil
}

// span is where the log-probabilities of an answer's tokens are among the rows of a
// batch: row r predicts the token after its own.
type span struct{ from, n int }

// span is that of a sequence which is number i of a batch with a context.
func (s Sequence) span(i, context int) span { return span{i*context + s.Prompt - 1, s.Answer()} }

// place writes sequences into the graph's tokens, and the answers' tokens into targets
// [B·T], where all else is op.Ignore; targets may be nil. A model that reads types gets those
// of the sequences. What is left of a sequence's
// room is token 0: attention looks back only, and nothing reads the states there.
func place(g *model.Graph, sequences []Sequence, targets []int32) (spans []span) {
	clear(g.Tokens)
	g.ClearTypes()
	for i := range targets {
		targets[i] = op.Ignore
	}
	for i, s := range sequences {
		copy(g.Tokens[i*g.Context:(i+1)*g.Context], s.Tokens)
		if g.Types != nil {
			copy(g.Types[i*g.Context:(i+1)*g.Context], s.Types)
		}
		at := s.span(i, g.Context)
		if targets != nil {
			copy(targets[at.from:], s.Tokens[s.Prompt:])
		}
		spans = append(spans, at)
	}
	return spans
}

// gather collects the numbers of spans, one after another.
func gather(x []float32, spans []span) (out []float64) {
	for _, s := range spans {
		for _, v := range x[s.from : s.from+s.n] {
			out = append(out, float64(v))
		}
	}
	return out
}

// scatter puts d back to where gather found its numbers.
func scatter(x []float32, spans []span, d []float64) {
	for _, s := range spans {
		for i := range s.n {
			x[s.from+i] = float32(d[i])
		}
		d = d[s.n:]
	}
}

// granule is what lengths of graphs are multiples of: between two of them a longer
// sequence pays with little padding.
const granule = 32

// lengths are those of graphs for sequences of up to longest tokens.
func lengths(longest, context int) (list []int) {
	for l := granule; ; l += granule {
		if l >= min(longest, context) {
			return append(list, min(l, context))
		}
		if l >= 2*granule { // shorter ones are seldom
			list = append(list, l)
		}
	}
}

// fitting is the first of the lengths that n fits into.
func fitting(lengths []int, n int) int {
	for i, l := range lengths {
		if n <= l {
			return i
		}
	}
	panic(fmt.Sprintf("align: a sequence of %d tokens, the longest graph has %d", n, lengths[len(lengths)-1]))
}

// longest is the number of tokens of the longest sequence.
func longest(sequences []Sequence) (n int) {
	for _, s := range sequences {
		n = max(n, len(s.Tokens))
	}
	return n
}
