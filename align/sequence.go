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
	// Tokens are the prompt's tokens in the model's format, up to where the answer begins.
	Tokens []int32
	// World has the prompt of the built-in world; nil for other prompts.
	World *instruct.Prompt
}

// Answer is a model's answer.
type Answer struct {
	Tokens []int32 // if Ended, with the end of text
	Text   string
	// Ended says that the model ended the answer; otherwise the limit of tokens cut it off.
	Ended bool
	// LogProbs are the sampler's log-probabilities of Tokens.
	LogProbs []float32
}

// Sequence is a prompt with an answer.
type Sequence struct {
	Tokens []int32
	Prompt int // how many of them are the prompt
	// Types are the types of Tokens, for a model that reads types (see Reader); nil otherwise.
	Types []int32
}

// with returns the sequence of the instruction and an answer's tokens.
func (in *Instruction) with(answer []int32) Sequence {
	tokens := make([]int32, 0, len(in.Tokens)+len(answer))
	return Sequence{Tokens: append(append(tokens, in.Tokens...), answer...), Prompt: len(in.Tokens)}
}

// Answer returns the number of tokens of the answer.
func (s Sequence) Answer() int { return len(s.Tokens) - s.Prompt }

// Encode returns the instructions of prompts. It leaves out, and counts in left, those that
// leave no room for an answer of minAnswer tokens in the context. A prompt that the tokenizer
// can't encode is an error.
func Encode(f *instruct.Format, prompts []instruct.Prompt, context, minAnswer int) (list []Instruction, left int, err error) {
	for i := range prompts {
		p := &prompts[i]
		tokens, err := f.Prompt(p.Messages)
		if err != nil {
			return nil, 0, fmt.Errorf("prompt %d: %w", i+1, err)
		}
		if len(tokens)+minAnswer > context {
			left++
			continue
		}
		list = append(list, Instruction{p.Messages, tokens, p})
	}
	return list, left, nil
}

// span says where the log-probabilities of an answer's tokens are among the B·T positions of a
// batch: n of them, beginning at from. A position predicts the token after its own.
type span struct{ from, n int }

// span returns the span of a sequence that is number i of a batch with a context.
func (s Sequence) span(i, context int) span { return span{i*context + s.Prompt - 1, s.Answer()} }

// place writes sequences into the graph's tokens, and the answers' tokens into targets
// [B·T], which is op.Ignore elsewhere; targets may be nil. A graph with types gets those of the
// sequences. After the end of a sequence comes token 0: attention looks back only, and nothing
// reads the states there.
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

// gather returns the numbers of x in the spans, one after another.
func gather(x []float32, spans []span) (out []float64) {
	for _, s := range spans {
		for _, v := range x[s.from : s.from+s.n] {
			out = append(out, float64(v))
		}
	}
	return out
}

// scatter writes d to the places from which gather takes its numbers.
func scatter(x []float32, spans []span, d []float64) {
	for _, s := range spans {
		for i := range s.n {
			x[s.from+i] = float32(d[i])
		}
		d = d[s.n:]
	}
}

// granule is the step between the lengths of graphs. A sequence is padded to the next length.
const granule = 32

// lengths returns the lengths of graphs for sequences of up to longest tokens, ascending.
func lengths(longest, context int) (list []int) {
	for l := granule; ; l += granule {
		if l >= min(longest, context) {
			return append(list, min(l, context))
		}
		if l >= 2*granule { // shorter sequences are rare
			list = append(list, l)
		}
	}
}

// fitting returns the index of the smallest length, of an ascending list, that is at least n.
func fitting(lengths []int, n int) int {
	for i, l := range lengths {
		if n <= l {
			return i
		}
	}
	panic(fmt.Sprintf("align: a sequence of %d tokens, the longest graph has %d", n, lengths[len(lengths)-1]))
}

// longest returns the number of tokens of the longest sequence.
func longest(sequences []Sequence) (n int) {
	for _, s := range sequences {
		n = max(n, len(s.Tokens))
	}
	return n
}
