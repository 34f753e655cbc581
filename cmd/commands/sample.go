package commands

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
	"tinygpt/run"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

func sampleCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "prompt", Aliases: []string{"p"}, Usage: "`TEXT` to continue, instead of the argument"},
		&cli.StringFlag{Name: "prompt-file", Usage: "continue the text of `FILE`, without its last line end; - for standard input"},
		encodingFlag(),
		runFlag(),
		checkpointFlag(),
	}
	flags = append(flags, optionFlags("a text")...)
	flags = append(flags,
		&cli.BoolFlag{Name: "no-bos", Usage: "begin with the prompt itself, for models that were trained without an end of text before each document"},
		&cli.IntFlag{Name: "num-samples", Aliases: []string{"n"}, Usage: "write `N` texts", Value: 1},
		&cli.Uint64Flag{Name: "seed", Usage: "of the choices; text i takes seed+i", Value: 1},
		weightsFlag(" (see eval)"),
		formatFlag(),
		&cli.BoolFlag{Name: "show", Usage: "show what each token was chosen from: probabilities before and after temperature and filters, entropy"},
	)
	return &cli.Command{
		Name:      "sample",
		Usage:     "write with a trained model",
		ArgsUsage: "[PROMPT]",
		Description: `PROMPT is the text to continue, in quotes; - reads it from standard input, as a pipe without PROMPT does.
Without a prompt the model writes a text from its beginning, or on a terminal asks for one after the other.
A checkpoint from a stage of training with a shorter context (train.stages) keeps to that context.`,
		Flags:  flags,
		Action: sampleAction,
	}
}

func sampleAction(c *cli.Context) error {
	p, err := promptOf(c)
	if err != nil {
		return err
	}
	w, err := newSampleWriter(c)
	if err != nil {
		return err
	}
	r, precision, err := openRun(c)
	if err != nil {
		return err
	}
	if r.Kind == run.Reward { // it has forgotten how to write
		return writes(r)
	}
	w.tokenizer, w.options = r.Tokenizer, r.Config.Sample
	if err := setOptions(c, &w.options); err != nil {
		return usageError{err}
	}
	if c.Bool("no-bos") {
		if w.tokenizer, err = tokenizer.WithBegin(w.tokenizer, -1); err != nil {
			return err
		}
	}
	text, err := p.read(c.App.Reader)
	if err != nil {
		return err
	}
	weights, err := trainedWeights(c, r, precision)
	if err != nil {
		return err
	}
	w.decoder = weights.NewDecoder(min(w.samples, manyTexts))
	if !p.set && w.format == "text" && terminal.Is(c.App.Reader) && terminal.Is(c.App.Writer) {
		read, end := editLines(nil)
		defer end()
		return w.session(c.Context, read, untilInterrupt)
	}
	// Ctrl-C ends the texts where they are.
	ctx, stop := interruptible(c)
	defer stop()
	return w.write(ctx, text)
}

// manyTexts is the maximum number of texts that are drawn together: more of them are
// hardly faster, and take more memory.
const manyTexts = 16

// optionFlags are the options that setOptions takes from the command line, of what is written.
func optionFlags(what string) (flags []cli.Flag) {
	for _, s := range new(sample.Options).Filters() {
		flags = append(flags, &cli.StringFlag{Name: s.Flag(), Usage: s.Filter.Usage(), DefaultText: "the run's"})
	}
	return append(flags,
		&cli.IntFlag{Name: "max-tokens", Usage: "end " + what + " after `N` tokens", DefaultText: "the run's"},
		&cli.StringSliceFlag{Name: "stop", KeepSpace: true, Usage: "end " + what + " before this `TEXT`; \\n is a line end, \\t a tab (repeatable)", DefaultText: "the run's"},
	)
}

// setOptions replaces options of the run by those of the command line.
func setOptions(c *cli.Context, o *sample.Options) error {
	for _, s := range o.Filters() {
		if c.IsSet(s.Flag()) {
			if err := s.Set(c.String(s.Flag())); err != nil {
				return fmt.Errorf("--%s %s: %w", s.Flag(), c.String(s.Flag()), err)
			}
		}
	}
	if c.IsSet("max-tokens") {
		o.MaxTokens = c.Int("max-tokens")
	}
	if c.IsSet("stop") {
		o.Stop = nil
		for _, s := range c.StringSlice("stop") {
			o.Stop = append(o.Stop, unescape(s))
		}
	}
	return o.Validate()
}

// unescape reads \n as a line end, \t as a tab and \\ as \ in the value of a flag.
func unescape(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t").Replace(text)
}
