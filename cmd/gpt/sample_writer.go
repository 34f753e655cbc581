package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/sample"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// sampleWriter draws texts and writes them.
type sampleWriter struct {
	out       io.Writer
	decoder   sample.Decoder
	tokenizer tokenizer.Tokenizer
	options   sample.Options
	samples   int
	seed      uint64
	format    string
	show      bool
}

func newSampleWriter(c *cli.Context) (*sampleWriter, error) {
	w := &sampleWriter{
		out: c.App.Writer, samples: c.Int("num-samples"), seed: c.Uint64("seed"), format: c.String("format"), show: c.Bool("show"),
	}
	if w.samples < 1 {
		return nil, usageError{fmt.Errorf("--num-samples is %d: expected 1 or more", w.samples)}
	}
	if w.format != "text" && w.format != "json" {
		return nil, usageError{fmt.Errorf("--format is %q: expected text or json", w.format)}
	}
	return w, nil
}

// shownRows is how many candidates --show lists.
const shownRows = 10

// write draws the texts that continue a prompt, until the context ends.
func (w *sampleWriter) write(ctx context.Context, prompt string) error {
	var err error
	if w.format == "json" {
		err = w.json(ctx, prompt)
	} else {
		err = w.text(ctx, prompt)
	}
	if errors.Is(err, context.Canceled) {
		return train.ErrInterrupted
	}
	return err
}

// text writes the texts as they come: the first that isn't finished to out, the
// others to memory until it is their turn.
func (w *sampleWriter) text(ctx context.Context, prompt string) error {
	queue := inTurn{out: w.out, waiting: make([]bytes.Buffer, w.samples), ended: make([]bool, w.samples)}
	whole := make([]strings.Builder, w.samples) // what was written of each
	steps := make([]int, w.samples)
	begin := func(i int) {
		if i > 0 {
			queue.write(i, "\n---\n")
		}
		if !w.show {
			queue.write(i, prompt)
		}
		whole[i].WriteString(prompt)
	}
	end := func(i int) {
		if w.show {
			queue.write(i, whole[i].String())
		}
		queue.write(i, "\n")
		queue.end(i)
	}
	_, err := sample.Texts(ctx, w.decoder, w.tokenizer, prompt, w.options, w.seed, w.samples, func(s *sample.Step, text string) bool {
		i := s.Text
		if steps[i]++; steps[i] == 1 {
			begin(i)
		}
		if w.show {
			queue.write(i, fmt.Sprintf("step %d, after %s\n%s\n", steps[i], ending(whole[i].String()), s.View(w.tokenizer, shownRows).Table()))
		} else {
			queue.write(i, text)
		}
		whole[i].WriteString(text)
		if s.Finish != sample.Unfinished {
			end(i)
		}
		return queue.err == nil
	})
	for i := range w.samples {
		if steps[i] > 0 && !queue.ended[i] { // interrupted
			end(i)
		}
	}
	return errors.Join(err, queue.err)
}

// ending is the last characters of a text, in quotes.
func ending(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		text = "…" + string(r[len(r)-most:])
	}
	return fmt.Sprintf("%q", text)
}

// inTurn writes texts one after another that come at the same time.
type inTurn struct {
	out     io.Writer
	waiting []bytes.Buffer
	ended   []bool
	turn    int
	err     error
}

func (q *inTurn) write(i int, text string) {
	if i != q.turn {
		q.waiting[i].WriteString(text)
	} else if q.err == nil {
		_, q.err = io.WriteString(q.out, text)
	}
}

func (q *inTurn) end(i int) {
	q.ended[i] = true
	for q.turn < len(q.ended) && q.ended[q.turn] {
		if q.turn++; q.turn < len(q.ended) {
			text := q.waiting[q.turn].String()
			q.waiting[q.turn] = bytes.Buffer{}
			q.write(q.turn, text)
		}
	}
}

// json writes an object for each text.
func (w *sampleWriter) json(ctx context.Context, prompt string) error {
	type object struct {
		Prompt string        `json:"prompt"`
		Text   string        `json:"text"`
		Tokens int           `json:"tokens"`
		Seed   uint64        `json:"seed"`
		Finish sample.Finish `json:"finish"`
		Steps  []sample.View `json:"steps,omitempty"`
	}
	steps := make([][]sample.View, w.samples)
	texts, err := sample.Texts(ctx, w.decoder, w.tokenizer, prompt, w.options, w.seed, w.samples, func(s *sample.Step, _ string) bool {
		if w.show {
			steps[s.Text] = append(steps[s.Text], s.View(w.tokenizer, shownRows))
		}
		return true
	})
	enc := json.NewEncoder(w.out)
	enc.SetEscapeHTML(false)
	for i, t := range texts {
		if t.Tokens > 0 {
			err = errors.Join(err, enc.Encode(object{prompt, t.Text, t.Tokens, t.Seed, t.Finish, steps[i]}))
		}
	}
	return err
}
