package commands

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "measure how well a trained model predicts its validation split, or any text",
		Description: `Each token is predicted once, from its document's beginning where that fits into the context.
With --stride the context slides over the text instead, documents or not, as in Hugging Face's guide to
perplexity: its windows begin N tokens apart and predict what is new in them.
The end-of-text token after each document is predicted too, and counts.`,
		Flags: []cli.Flag{
			runFlag(),
			checkpointFlag(),
			textsFlag("measure on", "the validation split"),
			encodingFlag(),
			&cli.IntFlag{Name: "stride", Usage: "slide the context by `N` tokens, 1 to all of it; smaller is slower and more favourable", DefaultText: "by documents"},
			weightsFlag("; the result is compared with float32"),
			formatFlag(),
		},
		Action: evalAction,
	}
}

func evalAction(c *cli.Context) error {
	r, precision, err := openRun(c)
	if err != nil {
		return err
	}
	stride, context := c.Int("stride"), r.Config.Model.Context
	if c.IsSet("stride") && (stride < 1 || stride > context) {
		return usageError{fmt.Errorf("--stride is %d: expected 1 to %d, the model's context", stride, context)}
	}
	stream, floor, err := evalText(c, r)
	if err != nil {
		return err
	}
	m, state, err := r.Model(c.String("checkpoint"))
	if err != nil {
		return err
	}
	trained := r.Config.Train.ContextAt(m.Config, state)
	report := evalReport{Run: r.Dir, Step: state.Step, Windows: "documents, up to " + number.Thousands(trained) + " tokens", Floor: floor}
	if trained < context {
		report.Windows += ", as trained so far"
	}
	measure := func(p model.Precision) (measured, error) {
		weights, err := m.Weights(p)
		if err != nil {
			return measured{}, err
		}
		e := train.NewEvaluator(weights, stream)
		e.Windows = stream.DocumentWindows(trained)
		if stride > 0 {
			report.Windows = fmt.Sprintf("%s tokens, stride %s", number.Thousands(context), number.Thousands(stride))
			e.Windows = stream.SlidingWindows(context, stride)
			e.Bytes -= unpredicted(stream, context, stride, r.Tokenizer)
		}
		result, err := evaluate(c, e, len(stream.Tokens))
		report.Bytes, report.Tokens = result.Bytes, result.Tokens
		return measured{p, result.Loss, result.Perplexity(), result.BitsPerByte()}, err
	}
	if report.measured, err = measure(model.Float32); err != nil {
		return err
	}
	if precision != model.Float32 {
		before := report.measured
		report.Before = &before
		if report.measured, err = measure(precision); err != nil {
			return err
		}
	}
	if wantsJSON(c) {
		return printJSON(c, report)
	}
	report.print(c.App.Writer)
	return nil
}

// evalText is the text to measure on, and the least bits per byte that it can
// cost, 0 if unknown.
func evalText(c *cli.Context, r *run.Run) (*data.Stream, float64, error) {
	if files := c.StringSlice("data"); len(files) > 0 {
		corpus, err := readTexts(c, files)
		if err != nil {
			return nil, 0, err
		}
		for _, note := range corpus.Report.Notes() {
			fmt.Fprintln(c.App.ErrWriter, "gpt:", note)
		}
		stream, err := data.Tokenize(corpus, tokenizer.ForTexts(r.Tokenizer))
		if err != nil {
			return nil, 0, err
		}
		if note := tokenizer.UnknownNote(r.Tokenizer, stream.Tokens); note != "" {
			fmt.Fprintln(c.App.ErrWriter, "gpt:", note)
		}
		return stream, 0, nil
	}
	return r.ValidationTokens()
}

// unpredicted is the number of bytes of the tokens that sliding windows leave out.
func unpredicted(stream *data.Stream, context, stride int, t tokenizer.Tokenizer) int {
	bytes, next := 0, 0
	for w := range stream.SlidingWindows(context, stride) {
		for ; next < w.From; next++ {
			bytes += len(t.Bytes(stream.Tokens[next]))
		}
		next = w.End
	}
	return bytes
}

// evaluate runs e with a progress bar on a terminal.
func evaluate(c *cli.Context, e *train.Evaluator, tokens int) (train.Evaluation, error) {
	p := terminal.NewStages(c.App.ErrWriter)
	defer p.Clear()
	e.Progress = func(done int) { p.Show("tokens", done, tokens) }
	ctx, stop := interruptible(c)
	defer stop()
	result, err := e.Run(ctx)
	return result, interrupted(err)
}

// evalReport is what eval has found.
type evalReport struct {
	Run     string  `json:"run"`
	Step    int     `json:"step"`
	Windows string  `json:"windows"`
	Bytes   int     `json:"bytes"`
	Tokens  int     `json:"tokens"`
	Floor   float64 `json:"floor_bits_per_byte,omitempty"`
	measured
	// Before is the same with the weights as they were trained.
	Before *measured `json:"before,omitempty"`
}

type measured struct {
	Weights     model.Precision `json:"weights"`
	Loss        float64         `json:"loss"` // nats per token
	Perplexity  float64         `json:"perplexity"`
	BitsPerByte float64         `json:"bits_per_byte"`
}

func (r evalReport) print(out io.Writer) {
	fmt.Fprintf(out, "model:          %s, step %d\n", r.Run, r.Step)
	fmt.Fprintf(out, "text:           %s bytes, %s predicted tokens\n", number.Thousands(r.Bytes), number.Thousands(r.Tokens))
	fmt.Fprintf(out, "windows:        %s\n", r.Windows)
	var loss, perplexity, bits string
	if b := r.Before; b != nil {
		fmt.Fprintf(out, "weights:        %s; in brackets: %s\n", r.Weights, b.Weights)
		loss, bits = fmt.Sprintf(" (%.4f)", b.Loss), fmt.Sprintf(" (%.4f)", b.BitsPerByte)
		perplexity = fmt.Sprintf(" (%.3f, a change of %+.2f %%)", b.Perplexity, 100*(r.Perplexity/b.Perplexity-1))
	}
	fmt.Fprintf(out, "loss:           %.4f nats per token%s\n", r.Loss, loss)
	fmt.Fprintf(out, "perplexity:     %.3f%s\n", r.Perplexity, perplexity)
	fmt.Fprintf(out, "bits per byte:  %.4f%s\n", r.BitsPerByte, bits)
	if r.Floor > 0 {
		fmt.Fprintf(out, "floor:          %.4f bits per byte, the exact entropy of this text\n", r.Floor)
	}
}
