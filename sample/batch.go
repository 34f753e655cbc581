package sample

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/tokenizer"
)

// Decoder is a model that reads several sequences; see model.Decoder.
type Decoder interface {
	// Sequences is how many sequences the decoder holds.
	Sequences() int
	// Config is the model's.
	Config() model.Config
	// Length is how many tokens a sequence holds.
	Length(sequence int) int
	// Append adds tokens to sequences.
	Append(inputs []model.Input) error
	// Logits returns the logits [V] of the token that comes next.
	Logits(sequence int) []float32
	// Copy makes sequence to equal to sequence from.
	Copy(to, from int)
	// Common is how many of tokens, from the first on, are what a sequence begins with.
	Common(sequence int, tokens []int32) int
	// CopyPrefix makes sequence to the first n tokens of sequence from.
	CopyPrefix(to, from, n int)
}

// Batch draws the texts of several requests together. A request joins with Add
// between any two steps and takes one of the decoder's sequences until its text
// ends. Its tokens don't depend on what else is in the batch.
//
// A prompt is read once for all requests that begin with it: a sequence keeps its
// tokens when its text ends, and what a new prompt has in common with one of the
// sequences is copied. On GPT-2's smallest shape that takes a twentieth of the time
// (BenchmarkPrefix in package serve: 512 tokens, 0.48 s of CPU time read, 0.022 s known).
//
// A batch must not be used by two goroutines at the same time.
type Batch struct {
	// PromptTokens bounds how many tokens of prompts are read in a step, so that a
	// long prompt doesn't hold up the texts that are being drawn; 0 is no bound.
	PromptTokens int

	decoder   Decoder
	tokenizer tokenizer.Tokenizer // nil: no characters

	running []*sequence // in the order in which they joined
	free    []int       // the decoder's sequences without a request, longest free first

	inputs     []model.Input
	candidates Candidates
	step       Step
}

// sequence is a request in the batch.
type sequence struct {
	Request
	place   int // of the decoder's sequences
	text    *Text
	filters []Filter
	random  *rand.Rand
	history history
	writer  *writer

	unread []int32   // the rest of the prompt, then the token that was drawn last
	next   [1]int32  // holds that token
	reads  int       // how many tokens of unread the present step reads
	leader *sequence // has the same prompt and is reading it; nil: this one reads itself
}

// NewBatch returns an empty batch over all sequences of a decoder. Tokens become
// characters with t, which may be nil.
func NewBatch(d Decoder, t tokenizer.Tokenizer) *Batch {
	b := &Batch{decoder: d, tokenizer: t}
	for i := range d.Sequences() {
		b.free = append(b.free, i)
	}
	return b
}

// Free is how many requests can join.
func (b *Batch) Free() int { return len(b.free) }

// Len is how many requests are in the batch.
func (b *Batch) Len() int { return len(b.running) }

func (b *Batch) check(r *Request) error {
	return r.validate(b.decoder.Config().VocabSize, b.tokenizer != nil)
}

// Add lets a request join. Steps fill the text, whose Finish or Err is set when it
// has ended.
func (b *Batch) Add(r Request) (*Text, error) {
	if err := b.check(&r); err != nil {
		return nil, err
	}
	if len(b.free) == 0 {
		return nil, errors.New("the batch is full")
	}
	c := b.decoder.Config()
	s := &sequence{Request: r, text: &Text{Seed: r.Seed}, random: rand.New(rand.NewPCG(r.Seed, 0)), filters: r.Options.active()}
	s.text.Tokens = make([]int32, 0, min(r.Options.MaxTokens, c.Context))
	s.history.start(c.VocabSize, r.Prompt)
	if b.tokenizer != nil {
		s.writer = newWriter(b.tokenizer, r.Options.Stop)
	}
	// Of a longer prompt the model sees the last tokens.
	s.unread = r.Prompt[max(0, len(r.Prompt)-c.Context):]
	b.place(s)
	b.running = append(b.running, s)
	return s.text, nil
}

// place gives a request a sequence. If one begins with more of the prompt than the
// others, that beginning is copied; if the prompt continues all of it, and it is
// free, the request takes it as it is. Else it takes the one free for longest.
func (b *Batch) place(s *sequence) {
	// The last token has to be read: its logits aren't kept.
	known := s.unread[:len(s.unread)-1]
	from, common := b.free[0], 0
	for i := range b.decoder.Sequences() {
		if s.OnPrompt != nil {
			break // all of its tokens have to be read
		}
		if n := b.decoder.Common(i, known); n > common {
			from, common = i, n
		}
	}
	at := 0
	if common == b.decoder.Length(from) {
		at = max(0, slices.Index(b.free, from))
	}
	s.place = b.free[at]
	b.free = slices.Delete(b.free, at, at+1)
	same := func(r *sequence) bool {
		return r.leader == nil && len(r.text.Tokens) == 0 && r.OnPrompt == nil && s.OnPrompt == nil && slices.Equal(r.Prompt, s.Prompt)
	}
	if i := slices.IndexFunc(b.running, same); i >= 0 {
		s.leader = b.running[i]
		s.text.Cached = len(s.unread)
		return
	}
	b.decoder.CopyPrefix(s.place, from, common)
	s.unread, s.text.Cached = s.unread[common:], common
}

// Step reads with one pass of the model, then draws a token for each text whose
// prompt is read. An error is the decoder's; those of single texts are in Text.Err.
func (b *Batch) Step() error {
	b.leave(func(s *sequence) bool {
		if s.Context != nil {
			s.text.Err = s.Context.Err()
		}
		return s.text.Err != nil
	})
	b.inputs = b.inputs[:0]
	left := b.PromptTokens
	for _, s := range b.running {
		s.reads = 0
		if s.leader != nil || s.Ready != nil && !s.Ready() {
			continue
		}
		s.reads = len(s.unread)
		if s.OnPrompt != nil {
			s.reads = min(s.reads, 1) // the logits of each are wanted
		}
		if b.PromptTokens > 0 && len(s.text.Tokens) == 0 {
			s.reads = min(s.reads, left)
			left -= s.reads
		}
		if s.reads > 0 {
			b.inputs = append(b.inputs, model.Input{Sequence: s.place, Tokens: s.unread[:s.reads]})
		}
	}
	if len(b.inputs) == 0 {
		return nil
	}
	if err := b.decoder.Append(b.inputs); err != nil {
		return err
	}
	for _, s := range b.running {
		s.unread = s.unread[s.reads:]
		if l := s.leader; l != nil && len(l.unread) == 0 {
			b.decoder.Copy(s.place, l.place)
			s.leader, s.unread, s.reads = nil, nil, l.reads
		}
	}
	for _, s := range b.running {
		switch {
		case s.reads > 0 && len(s.unread) == 0:
			b.draw(s)
		case s.reads > 0 && s.OnPrompt != nil:
			b.prompt(s)
		}
	}
	b.leave(func(s *sequence) bool { return s.text.Finish != Unfinished || s.text.Err != nil })
	return nil
}

// Waiting reports whether every text waits for its Ready.
func (b *Batch) Waiting() bool { return len(b.inputs) == 0 }

// prompt reports what the model expected at the next token of a prompt.
func (b *Batch) prompt(s *sequence) {
	logits := b.logits(s)
	if logits == nil {
		return
	}
	b.candidates.start(logits, &s.history)
	b.step = Step{Token: s.unread[0], logits: logits, candidates: &b.candidates, chosen: int(s.unread[0])}
	s.OnPrompt(&b.step)
}

// logits returns the logits of a text's next token; nil, and Text.Err, if one isn't a number.
func (b *Batch) logits(s *sequence) []float32 {
	logits := b.decoder.Logits(s.place)
	if i := kernel.FirstNonFinite(logits); i >= 0 {
		s.text.Err = fmt.Errorf("the model's logit of token %d is %v: its weights are damaged, or its training diverged", i, logits[i])
		return nil
	}
	return logits
}

// draw chooses the next token of a text.
func (b *Batch) draw(s *sequence) {
	logits := b.logits(s)
	if logits == nil {
		return
	}
	c := &b.candidates
	c.start(logits, &s.history)
	for token, bias := range s.LogitBias {
		c.Scores[token] += bias
	}
	for _, f := range s.filters {
		f.Apply(c)
	}
	chosen := draw(c.Probabilities(), s.random.Float64())
	token := c.Tokens[chosen]
	s.history.add(token)
	t := s.text
	t.Tokens = append(t.Tokens, token)
	finish := Unfinished
	switch {
	case slices.Contains(s.End, token):
		finish = End
	case len(t.Tokens) == s.Options.MaxTokens:
		finish = Length
	}
	b.step = Step{Token: token, Finish: finish, logits: logits, candidates: c, chosen: chosen}
	if s.LogProbs {
		t.LogProbs = append(t.LogProbs, float32(b.step.LogProb()))
	}
	if s.writer != nil {
		if t.Err = s.writer.write(&b.step); t.Err != nil {
			return
		}
	}
	if s.OnToken != nil && !s.OnToken(&b.step) && b.step.Finish == Unfinished {
		b.step.Finish = Stopped
	}
	t.Finish = b.step.Finish
	s.next[0] = token
	s.unread = s.next[:]
}

// leave takes out the requests that have ended.
func (b *Batch) leave(ended func(*sequence) bool) {
	var gone []*sequence
	b.running = slices.DeleteFunc(b.running, func(s *sequence) bool {
		if !ended(s) {
			return false
		}
		if s.writer != nil {
			s.text.Text = s.writer.all.String()
		}
		b.free = append(b.free, s.place)
		gone = append(gone, s)
		return true
	})
	for _, s := range gone {
		b.succeed(s)
	}
}

// succeed lets one of the requests that waited for what s reads go on reading.
func (b *Batch) succeed(s *sequence) {
	var next *sequence
	for _, f := range b.running {
		switch {
		case f.leader != s:
		case next == nil:
			next, f.leader = f, nil
			n := len(f.unread) - len(s.unread)
			b.decoder.CopyPrefix(f.place, s.place, n)
			f.unread = f.unread[n:]
		default:
			f.leader = next
		}
	}
}

// Abandon ends all texts with an error.
func (b *Batch) Abandon(err error) {
	b.leave(func(s *sequence) bool { s.text.Err = err; return true })
}
