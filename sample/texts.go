package sample

import (
	"context"
	"fmt"
	"strings"

	"tinygpt/tokenizer"
)

// Text is a text that was drawn.
type Text struct {
	Text   string // without the prompt, and without the stop that ended it
	Tokens int    // that were drawn, the end of text included
	Seed   uint64
	Finish Finish
}

// Prompt encodes a prompt as a model reads it: behind an end-of-text token, as a document
// in training, if there is one. It is never empty.
func Prompt(t tokenizer.Tokenizer, prompt string) ([]int32, error) {
	ids, err := t.Encode(prompt)
	if err != nil {
		return nil, fmt.Errorf("prompt: %w", err)
	}
	if end := t.EndOfText(); end >= 0 {
		ids = append([]int32{end}, ids...)
	} else if len(ids) == 0 {
		return nil, fmt.Errorf("prompt: tokenizer %s has no end of text that a text could begin with: give the beginning with --prompt", t.Name())
	}
	return ids, nil
}

// Texts draws n texts that continue prompt, text i with seed+i. hear, unless nil, is passed each
// step and the characters that became certain with it: whole ones, and not those
// that may begin a stop text; at the last step of a text Finish is set. If it returns
// false the text ends there. The prompt is read as by Prompt. An error comes with what was drawn up to it.
func Texts(ctx context.Context, d Decoder, t tokenizer.Tokenizer, prompt string, o Options, seed uint64, n int, hear func(s *Step, text string) bool) ([]Text, error) {
	ids, err := Prompt(t, prompt)
	if err != nil {
		return nil, err
	}
	texts := make([]Text, n)
	requests := make([]Request, n)
	writers := make([]writer, n)
	for i := range n {
		texts[i].Seed = seed + uint64(i)
		requests[i] = Request{ids, texts[i].Seed}
		writers[i] = writer{characters: tokenizer.NewStream(t), stops: NewStops(o.Stop)}
	}
	var failed error
	finished, err := Generate(ctx, d, requests, o, t.EndOfText(), func(s *Step) bool {
		w := &writers[s.Text]
		text, more, err := w.next(s)
		if err != nil {
			failed = err
			return false
		}
		w.all.WriteString(text)
		texts[s.Text].Tokens++
		if !more {
			s.Finish = Stopped
		}
		return (hear == nil || hear(s, text)) && more
	})
	for i, f := range finished {
		texts[i].Text, texts[i].Finish = writers[i].all.String(), f
	}
	if err == nil {
		err = failed
	}
	return texts, err
}

// writer turns the tokens of a text into characters.
type writer struct {
	characters *tokenizer.Stream
	stops      *Stops
	all        strings.Builder
}

// next returns what is certain with a step, and whether the text may go on.
func (w *writer) next(s *Step) (text string, more bool, err error) {
	if text, err = w.characters.Next(s.Token); err != nil {
		return "", false, err
	}
	if s.Finish != Unfinished {
		text += w.characters.Flush()
	}
	text, found := w.stops.Next(text)
	if s.Finish != Unfinished && !found {
		text += w.stops.Rest()
	}
	return text, !found, nil
}
