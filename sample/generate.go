package sample

import (
	"context"
	"fmt"

	"tinygpt/tokenizer"
)

// Generate draws the texts of all requests, as many at a time as the decoder holds
// sequences. When one ends, the next takes its place. Tokens become characters with
// t; without it (nil) Text.Text stays empty and stop texts are refused.
//
// The same requests and model give the same texts, whatever the number of
// sequences. If ctx ends or a text fails, the error comes with what was drawn
// until then.
func Generate(ctx context.Context, d Decoder, t tokenizer.Tokenizer, requests []Request) ([]Text, error) {
	b := NewBatch(d, t)
	for i := range requests {
		if err := b.check(&requests[i]); err != nil {
			return nil, fmt.Errorf("request %d: %w", i, err)
		}
	}
	running := make([]*Text, 0, len(requests))
	var err error
	for err == nil && (len(running) < len(requests) || b.Len() > 0) {
		for err == nil && b.Free() > 0 && len(running) < len(requests) {
			var text *Text
			if text, err = b.Add(requests[len(running)]); err == nil {
				running = append(running, text)
			}
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = b.Step()
		}
	}
	b.Abandon(err)
	texts := make([]Text, len(requests))
	for i := range texts {
		if i >= len(running) {
			texts[i] = Text{Seed: requests[i].Seed, Err: err}
			continue
		}
		texts[i] = *running[i]
		if err == nil {
			err = texts[i].Err
		}
	}
	return texts, err
}
