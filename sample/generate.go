package sample

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"tinygpt/model"
	"tinygpt/model/kernel"
)

// Decoder is a model that reads sequences; see model.Decoder.
type Decoder interface {
	Sequences() int
	Append(inputs []model.Input) error
	Logits(sequence int) []float32
	Copy(to, from int)
	Reset(sequence int)
}

// Request asks for a text.
type Request struct {
	Prompt []int32 // at least one token
	Seed   uint64
}

// Finish is why a text ended.
type Finish string

const (
	Unfinished Finish = ""
	End        Finish = "end"    // the model drew the end of text
	Length     Finish = "length" // MaxTokens are drawn
	Stopped    Finish = "stop"   // emit returned false, in Texts because of a stop text or of hear
)

// Generate reads the prompts, then draws tokens for all of them together, passing
// each to emit; a text ends with the token end, with MaxTokens, or when emit returns
// false. As many texts as the decoder holds sequences are drawn at once, the others
// after them; prompts that are equal are read once. It returns why each ended; if the
// context ends first, its error, and some are Unfinished.
//
// The same options, seed and logits give the same tokens.
func Generate(ctx context.Context, d Decoder, requests []Request, o Options, end int32, emit func(s *Step) bool) ([]Finish, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	g := &generator{decoder: d, options: o, end: end, emit: emit, finished: make([]Finish, len(requests))}
	for _, s := range o.Filters() {
		if !s.Filter.Off() {
			g.filters = append(g.filters, s.Filter)
		}
	}
	for i, r := range requests {
		if len(r.Prompt) == 0 {
			return nil, fmt.Errorf("sample: request %d has no prompt: it begins with one token at least", i)
		}
	}
	for from := 0; from < len(requests); from += d.Sequences() {
		if err := g.wave(ctx, requests, from, min(from+d.Sequences(), len(requests))); err != nil {
			return g.finished, err
		}
	}
	return g.finished, nil
}

type generator struct {
	decoder  Decoder
	options  Options
	filters  []Filter
	end      int32
	emit     func(s *Step) bool
	finished []Finish

	texts      []text // those that go on
	inputs     []model.Input
	candidates Candidates
	step       Step
}

// text is one that is being drawn.
type text struct {
	number, sequence int
	random           *rand.Rand
	seen             []bool // [V] tokens it holds; for filters
	next             []int32
	drawn            int
}

// wave draws the texts from to to, all at once.
func (g *generator) wave(ctx context.Context, requests []Request, from, to int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := g.read(requests[from:to]); err != nil {
		return err
	}
	g.texts = g.texts[:0]
	for i, r := range requests[from:to] {
		t := text{
			number: from + i, sequence: i, next: make([]int32, 1),
			random: rand.New(rand.NewPCG(r.Seed, 0)), seen: make([]bool, len(g.decoder.Logits(i))),
		}
		for _, token := range r.Prompt {
			t.seen[token] = true
		}
		g.texts = append(g.texts, t)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := g.choose(); err != nil || len(g.texts) == 0 {
			return err
		}
		g.inputs = g.inputs[:0]
		for i := range g.texts {
			t := &g.texts[i]
			g.inputs = append(g.inputs, model.Input{Sequence: t.sequence, Tokens: t.next})
		}
		if err := g.decoder.Append(g.inputs); err != nil {
			return err
		}
	}
}

// read reads the prompts, sequence i that of request i.
func (g *generator) read(requests []Request) error {
	first := make([]int, len(requests)) // the first request with the same prompt
	g.inputs = g.inputs[:0]
	for i, r := range requests {
		first[i] = slices.IndexFunc(requests, func(before Request) bool { return slices.Equal(before.Prompt, r.Prompt) })
		if first[i] == i {
			g.decoder.Reset(i)
			g.inputs = append(g.inputs, model.Input{Sequence: i, Tokens: r.Prompt})
		}
	}
	if err := g.decoder.Append(g.inputs); err != nil {
		return err
	}
	for i := range requests {
		g.decoder.Copy(i, first[i])
	}
	return nil
}

// choose draws a token for each text that goes on, and drops those that end.
func (g *generator) choose() error {
	going := g.texts[:0]
	for _, t := range g.texts {
		logits := g.decoder.Logits(t.sequence)
		if i := kernel.FirstNonFinite(logits); i >= 0 {
			return fmt.Errorf("the model's logit of token %d is %v: its weights are damaged, or its training diverged", i, logits[i])
		}
		c := &g.candidates
		c.start(logits, t.seen)
		for _, f := range g.filters {
			f.Apply(c)
		}
		probs := c.Probabilities()
		chosen := draw(probs, t.random.Float64())
		t.next[0] = c.Tokens[chosen]
		t.seen[t.next[0]] = true
		t.drawn++

		finish := Unfinished
		switch {
		case t.next[0] == g.end:
			finish = End
		case t.drawn == g.options.MaxTokens:
			finish = Length
		}
		g.step = Step{Text: t.number, Token: t.next[0], Finish: finish, logits: logits, candidates: c, chosen: chosen}
		if !g.emit(&g.step) {
			finish = Stopped
		}
		g.finished[t.number] = finish
		if finish == Unfinished {
			going = append(going, t)
		}
	}
	g.texts = going
	return nil
}
