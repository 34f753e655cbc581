package align

import (
	"context"
	"hash/fnv"

	"tinygpt/data/instruct"
	"tinygpt/model"
	"tinygpt/sample"
)

// Generator draws a model's answers from the model's own distribution, with temperature 1 and
// no filters, so that the sampler's log-probabilities are those that training computes.
type Generator struct {
	Format    *instruct.Format
	MaxTokens int // the maximum for an answer; the context may leave room for fewer

	decoder *model.Decoder
	of      *model.Model // the decoder's
}

// generatorSequences is how many answers are drawn together.
const generatorSequences = 64

// Answers draws an answer to each instruction, number i with seeds[i], from the model's weights
// as they are now. An answer depends on nothing else. The end of ctx is an error.
func (g *Generator) Answers(ctx context.Context, m *model.Model, list []Instruction, seeds []uint64) ([]Answer, error) {
	if g.of != m {
		g.of, g.decoder = m, m.NewDecoder(generatorSequences)
	}
	for i := range g.decoder.Sequences() { // their keys and values were computed with other weights
		g.decoder.Reset(i)
	}
	requests := make([]sample.Request, len(list))
	for i, in := range list {
		o := sample.Default()
		o.MaxTokens = min(g.MaxTokens, m.Config.Context-len(in.Tokens))
		requests[i] = sample.Request{Prompt: in.Tokens, Options: o, Seed: seeds[i], End: []int32{g.Format.End}, LogProbs: true}
	}
	texts, err := sample.Generate(ctx, g.decoder, nil, requests)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(list))
	for i, t := range texts {
		answers[i] = Answer{Tokens: t.Tokens, Ended: t.Finish == sample.End, LogProbs: t.LogProbs}
		if answers[i].Text, err = g.Format.Text(t.Tokens); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// Seeds returns n seeds for a purpose. Another purpose has other seeds.
func Seeds(seed uint64, purpose string, n int) []uint64 {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = (seed*0x9e3779b97f4a7c15 ^ h.Sum64()) + uint64(i)*0xd1342543de82ef95
	}
	return seeds
}

// sequences returns the prompts with their answers.
func sequences(list []Instruction, answers []Answer) (out []Sequence) {
	for i := range list {
		out = append(out, list[i].with(answers[i].Tokens))
	}
	return out
}
