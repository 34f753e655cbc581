package sample

import (
	"context"
	"errors"
	"fmt"

	"tinygpt/tokenizer"
)

// Request asks for one text.
type Request struct {
	Prompt  []int32 // what the text continues, at least one token; see Prompt
	Options Options
	Seed    uint64
	// End lists the tokens that end the text. The one that was drawn counts as a
	// token of the text but adds no characters.
	End []int32
	// LogitBias is added to the logits of these tokens before the filters.
	LogitBias map[int32]float32
	// LogProbs asks for Text.LogProbs.
	LogProbs bool
	// OnPrompt, unless nil, is called for each token of the prompt but the first one,
	// with what the model expected in its place. The prompt is then read token by
	// token, which takes longer. Only the last Context tokens of a prompt are read.
	OnPrompt func(*Step)
	// OnToken, unless nil, is called after each drawn token. If it returns false
	// the text ends there.
	OnToken func(*Step) bool
	// Ready, unless nil, is asked before each pass of the model. While it returns
	// false the text waits and the others go on.
	Ready func() bool
	// Context, unless nil, ends the text when it is cancelled.
	Context context.Context
}

// Finish is why a text ended.
type Finish string

const (
	Unfinished Finish = ""       // it didn't: it goes on, or Text.Err says what broke it off
	End        Finish = "end"    // the model drew one of Request.End
	Length     Finish = "length" // Options.MaxTokens are drawn
	Stopped    Finish = "stop"   // a stop text appeared, or OnToken returned false
)

// Text is what became of a request.
type Text struct {
	Text     string    // without the prompt, and without the stop text that ended it
	Tokens   []int32   // that were drawn, with the one that ended the text
	LogProbs []float32 // natural, of Tokens under the model before temperature and filters; see Request.LogProbs
	Cached   int       // tokens of the prompt that an earlier request had read already
	Seed     uint64
	Finish   Finish
	Err      error // why the text broke off
}

// Prompt encodes a prompt as a model reads it: after the token that begins a text
// (tokenizer.Begin), the end of text for models trained here, like a document in training.
// An empty prompt of a tokenizer without a beginning is its end of text. Names of special
// tokens of the user's own stand for these. The result is never empty.
func Prompt(t tokenizer.Tokenizer, prompt string) ([]int32, error) {
	ids, err := tokenizer.ForTexts(t).Encode(prompt)
	if err != nil {
		return nil, fmt.Errorf("prompt: %w", err)
	}
	begin := tokenizer.Begin(t)
	if len(ids) == 0 && begin < 0 {
		begin = t.EndOfText()
	}
	if begin >= 0 {
		ids = append([]int32{begin}, ids...)
	} else if len(ids) == 0 {
		return nil, fmt.Errorf("prompt: tokenizer %s has no end of text that a text could begin with: give the beginning with --prompt", t.Name())
	}
	return ids, nil
}

// Continue returns requests for n texts that continue prompt: request i has seed+i.
// They end with the tokenizer's end of text.
func Continue(t tokenizer.Tokenizer, prompt string, o Options, seed uint64, n int) ([]Request, error) {
	ids, err := Prompt(t, prompt)
	if err != nil {
		return nil, err
	}
	requests := make([]Request, n)
	for i := range requests {
		requests[i] = Request{Prompt: ids, Options: o, Seed: seed + uint64(i)}
		if end := t.EndOfText(); end >= 0 {
			requests[i].End = []int32{end}
		}
	}
	return requests, nil
}

// validate says what is wrong with a request to a model of that many tokens.
func (r *Request) validate(vocabulary int, characters bool) error {
	if err := r.Options.Validate(); err != nil {
		return err
	}
	if len(r.Prompt) == 0 {
		return errors.New("the prompt has no token: expected at least one")
	}
	if len(r.Options.Stop) > 0 && !characters {
		return errors.New("stop texts need a tokenizer")
	}
	for _, token := range r.Prompt {
		if token < 0 || int(token) >= vocabulary {
			return fmt.Errorf("the prompt holds token %d: expected 0 to %d", token, vocabulary-1)
		}
	}
	for token := range r.LogitBias {
		if token < 0 || int(token) >= vocabulary {
			return fmt.Errorf("the logit bias is for token %d: expected 0 to %d", token, vocabulary-1)
		}
	}
	return nil
}
