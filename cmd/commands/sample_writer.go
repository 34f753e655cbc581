package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
	"tinygpt/sample"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// sampleWriter draws texts and writes them.
type sampleWriter struct {
	out       io.Writer
	notes     io.Writer // what the user should know about the texts
	decoder   sample.Decoder
	tokenizer tokenizer.Tokenizer
	options   sample.Options
	samples   int
	seed      uint64
	format    string
	show      bool
	result    func(any) error // prints a text as JSON
}

// maxSamples bounds --num-samples: texts wait in memory until it is their turn.
const maxSamples = 100_000

func newSampleWriter(c *cli.Context) (*sampleWriter, error) {
	w := &sampleWriter{
		out: terminal.Prose(c.App.Writer), notes: terminal.Prose(c.App.ErrWriter),
		samples: c.Int("num-samples"), seed: c.Uint64("seed"), format: c.String("format"), show: c.Bool("show"),
		result: func(text any) error { return printJSON(c, text) },
	}
	if w.samples < 1 || w.samples > maxSamples {
		return nil, usageError{fmt.Errorf("--num-samples is %d: expected 1 to %d; for more, call again with another --seed", w.samples, maxSamples)}
	}
	return w, nil
}

// shownRows is how many candidates --show lists.
const shownRows = 10

// write draws the texts that continue a prompt, until the context ends.
func (w *sampleWriter) write(ctx context.Context, prompt string) error {
	requests, err := sample.Continue(w.tokenizer, prompt, w.options, w.seed, w.samples)
	if err != nil {
		return err
	}
	w.noteContext(requests)
	if w.format == "json" {
		err = w.json(ctx, prompt, requests)
	} else {
		err = w.text(ctx, prompt+w.blankAfter(prompt, requests[0].Prompt), requests)
	}
	if errors.Is(err, context.Canceled) {
		return train.ErrInterrupted
	}
	return err
}

// blankAfter is the blank between a prompt and what continues it, if the prompt's last token
// stands for one that isn't in the prompt: GPT-1's tokens end words.
func (w *sampleWriter) blankAfter(prompt string, ids []int32) string {
	if last := w.tokenizer.Bytes(ids[len(ids)-1]); prompt != "" && !strings.HasSuffix(prompt, " ") && bytes.HasSuffix(last, []byte(" ")) {
		return " "
	}
	return ""
}

// noteContext warns if a prompt is longer than the model's context, and arranges a
// warning for when the first text grows longer.
func (w *sampleWriter) noteContext(requests []sample.Request) {
	context, read := w.decoder.Config().Context, len(requests[0].Prompt)
	if read > context {
		fmt.Fprintf(w.notes, "gpt: the prompt has %d tokens: the model sees the last %d, its context\n", read, context)
		return
	}
	said := false
	for i := range requests {
		drawn := 0
		requests[i].OnToken = func(*sample.Step) bool {
			if drawn++; read+drawn > context && !said {
				said = true
				fmt.Fprintf(w.notes, "\ngpt: the text is longer than the model's context of %d tokens: from here on the model reads the last %d tokens again for each new one, which is slow; --max-tokens %d ends texts before\n", context, context, max(1, context-read))
			}
			return true
		}
	}
}

// text writes the texts as they come: the first that isn't finished to out, the
// others to memory until it is their turn.
func (w *sampleWriter) text(ctx context.Context, prompt string, requests []sample.Request) error {
	queue := inTurn{out: w.out, waiting: make([]bytes.Buffer, len(requests)), ended: make([]bool, len(requests))}
	texts := make([]shownText, len(requests))
	for i := range requests {
		t, note := &texts[i], requests[i].OnToken
		requests[i].OnToken = func(s *sample.Step) bool {
			if note != nil {
				note(s)
			}
			if t.steps++; t.steps == 1 {
				if i > 0 {
					queue.write(i, "\n---\n")
				}
				if !w.show {
					queue.write(i, prompt)
				}
				t.whole.WriteString(prompt)
			}
			if w.show {
				queue.write(i, fmt.Sprintf("step %d, after %s\n%s\n", t.steps, ending(t.whole.String()), s.View(w.tokenizer, shownRows).Table()))
			} else {
				queue.write(i, s.Text)
			}
			t.whole.WriteString(s.Text)
			if s.Finish != sample.Unfinished {
				w.end(&queue, i, t)
			}
			return queue.err == nil
		}
	}
	_, err := sample.Generate(ctx, w.decoder, w.tokenizer, requests)
	for i := range texts {
		if texts[i].steps > 0 && !queue.ended[i] { // interrupted
			w.end(&queue, i, &texts[i])
		}
	}
	return errors.Join(err, queue.err)
}

// shownText is a text that is being written.
type shownText struct {
	whole strings.Builder // the prompt and what was drawn
	steps int
}

func (w *sampleWriter) end(queue *inTurn, i int, t *shownText) {
	if w.show {
		queue.write(i, t.whole.String())
	}
	queue.write(i, "\n")
	queue.end(i)
}

// ending returns the last characters of a text, in quotes.
func ending(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		text = "…" + string(r[len(r)-most:])
	}
	return fmt.Sprintf("%q", text)
}

// inTurn writes texts one after another, although they are drawn at the same time.
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
func (w *sampleWriter) json(ctx context.Context, prompt string, requests []sample.Request) error {
	type object struct {
		Prompt string        `json:"prompt"`
		Text   string        `json:"text"`
		Tokens int           `json:"tokens"`
		Seed   uint64        `json:"seed"`
		Finish sample.Finish `json:"finish"`
		Steps  []sample.View `json:"steps,omitempty"`
	}
	steps := make([][]sample.View, len(requests))
	if w.show {
		for i := range requests {
			note := requests[i].OnToken
			requests[i].OnToken = func(s *sample.Step) bool {
				steps[i] = append(steps[i], s.View(w.tokenizer, shownRows))
				return note == nil || note(s)
			}
		}
	}
	blank := w.blankAfter(prompt, requests[0].Prompt)
	texts, err := sample.Generate(ctx, w.decoder, w.tokenizer, requests)
	for i, t := range texts {
		if n := len(t.Tokens); n > 0 {
			err = errors.Join(err, w.result(object{prompt, blank + t.Text, n, t.Seed, t.Finish, steps[i]}))
		}
	}
	return err
}
