package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/sample"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

func trainCommand() *cli.Command {
	return &cli.Command{
		Name:  "train",
		Usage: "train a model on the built-in stories or on your texts",
		Description: "The configuration is a YAML file or one of the presets " + strings.Join(configs.Presets(), ", ") + ".\n" +
			"Everything the run makes goes into its folder, runs/NAME-1 unless --run names another.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "YAML `FILE` or preset", Value: "small.yaml"},
			&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "train on `FILE`, folder, glob or - (repeatable)"},
			&cli.StringFlag{Name: "tokenizer", Usage: "bpe (learned from the text), gpt2, char, byte, or a tokenizer's `FILE` or folder", DefaultText: "the configuration's"},
			&cli.StringSliceFlag{Name: "set", Usage: "change a setting, as in --set `model.layers=6` (repeatable)"},
			&cli.StringFlag{Name: "run", Usage: "the run's `FOLDER`"},
			&cli.BoolFlag{Name: "resume", Usage: "go on with the run (the latest, or --run) from its last checkpoint"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if c.Bool("resume") {
				for _, flag := range []string{"config", "data", "tokenizer"} {
					if c.IsSet(flag) {
						return usageError{fmt.Errorf("--resume takes the run's own configuration: leave out --%s", flag)}
					}
				}
				return resume(c)
			}
			return start(c)
		},
	}
}

// start begins a run.
func start(c *cli.Context) error {
	cfg, source, err := configs.Load(c.String("config"))
	if err != nil {
		return err
	}
	if files := c.StringSlice("data"); len(files) > 0 {
		cfg.Data.Files, cfg.Data.StoriesBytes = files, 0
	}
	if kind := c.String("tokenizer"); slices.Contains(configs.TokenizerKinds, kind) {
		cfg.Tokenizer.Kind, cfg.Tokenizer.File = kind, ""
	} else if kind != "" {
		cfg.Tokenizer.File = kind
	}
	for _, s := range c.StringSlice("set") {
		if err := cfg.Set(s); err != nil {
			return err
		}
	}
	if cfg.Tokenizer.File != "" {
		cfg.Tokenizer.Kind, cfg.Tokenizer.VocabSize = "", 0
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("%s: %w", c.String("config"), err)
	}
	fmt.Fprintf(c.App.Writer, "configuration: %s\n", source)
	texts, err := run.LoadTexts(cfg.Data)
	if err != nil {
		return err
	}
	p := newProgress(c.App.ErrWriter)
	tok, err := run.NewTokenizer(cfg.Tokenizer, texts, p.options(texts.Training.Bytes())...)
	p.close()
	if err != nil {
		return err
	}
	cfg.Data.SHA256, cfg.Model.VocabSize = texts.SHA256, tok.VocabSize()
	training, validation, err := texts.Streams(tok, cfg.Model.Context)
	if err != nil {
		return err
	}
	for i, f := range cfg.Data.Files {
		if f != "-" {
			cfg.Data.Files[i], _ = filepath.Abs(f)
		}
	}
	if cfg.Tokenizer.File != "" {
		cfg.Tokenizer.File, _ = filepath.Abs(cfg.Tokenizer.File)
	}
	r, err := run.Create(c.String("run"), c.String("config"), cfg, tok)
	if err != nil {
		return err
	}
	if err := r.Cache(texts, training, validation); err != nil {
		return err
	}
	m, err := model.New(cfg.Model, cfg.Train.Seed)
	if err != nil {
		return err
	}
	return trainRun(c, r, m, texts, training, validation, false)
}

// resume goes on with a run.
func resume(c *cli.Context) error {
	r, err := run.Open(c.String("run"))
	if err != nil {
		return err
	}
	for _, s := range c.StringSlice("set") {
		if !strings.HasPrefix(s, "train.") {
			return usageError{fmt.Errorf("--set %s: a resumed run can only change train settings", s)}
		}
		if err := r.Config.Set(s); err != nil {
			return err
		}
	}
	if err := r.Config.Validate(); err != nil {
		return err
	}
	texts, err := run.LoadTexts(r.Config.Data)
	if err != nil {
		return err
	}
	if texts.SHA256 != r.Config.Data.SHA256 {
		return fmt.Errorf("%s: the texts are not those that the run began with (sha256 %.12s…, now %.12s…): restore them, or start a new run", r.Dir, r.Config.Data.SHA256, texts.SHA256)
	}
	training, validation, err := r.Streams(texts)
	if err != nil {
		return err
	}
	m, err := model.New(r.Config.Model, r.Config.Train.Seed)
	if err != nil {
		return err
	}
	return trainRun(c, r, m, texts, training, validation, true)
}

// trainRun wires a trainer to a run's folder and to the terminal.
func trainRun(c *cli.Context, r *run.Run, m *model.Model, texts *run.Texts, training, validation *data.Stream, resume bool) error {
	cfg, out := r.Config, c.App.Writer
	evaluator, err := train.NewEvaluator(m, validation)
	if err != nil {
		return err
	}
	t := &train.Trainer{
		Config: cfg.Train, Model: m, Dir: r.Dir,
		Objective: &train.LanguageModel{Batches: data.NewSampler(training, data.Order(cfg.Data.Windows), cfg.Train.Seed,
			cfg.Train.BatchSize, cfg.Train.GradientAccumulationSteps, cfg.Model.Context)},
		Validate: evaluator.Run,
		Sample:   func() (string, error) { return write(m, r.Tokenizer, "", cfg.Sample, cfg.Train.Seed) },
		Floor:    texts.FloorLoss(len(validation.Tokens) - 1),
	}
	first := 0
	if resume {
		if first, err = t.Resume(); err != nil {
			return err
		}
		if first >= cfg.Train.Steps {
			return fmt.Errorf("%s has made all its %d steps: to train on, add --set train.steps=N", r.Dir, first)
		}
		fmt.Fprintf(out, "resuming %s at step %d of %d\n", r.Dir, first, cfg.Train.Steps)
	}
	if err := describe(out, r, m, texts, training, validation); err != nil {
		return err
	}
	t.Report = train.NewReport(out, isTerminal(out), first, cfg.Train.Steps)
	// The texts' garbage goes now, and what comes is little: without this the
	// collector would let the process grow to twice what lives.
	debug.FreeOSMemory()
	debug.SetGCPercent(10)
	// The first signal ends the run after its step; a second one kills, as usual.
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	result, err := t.Run(ctx)
	if errors.Is(err, train.ErrInterrupted) {
		fmt.Fprintf(out, "stopped after step %d; saved in %s\ngo on with: %s train --resume --run %s\n", result.State.Step, r.Dir, self(), r.Dir)
		return err
	}
	if err != nil {
		return err
	}
	e := result.Final
	fmt.Fprintf(out, "\ndone: %d steps in %s; validation loss %.4f, perplexity %.2f, %.4f bits per byte; best loss %.4f at step %d\n",
		result.State.Step, train.Short(result.State.Elapsed), e.Loss, e.Perplexity(), e.BitsPerByte(), result.State.BestLoss, result.State.BestStep)
	if floor := texts.FloorBitsPerByte(); floor > 0 {
		fmt.Fprintf(out, "floor: %.4f bits per byte is the exact entropy of this text; the model is %.4f above it\n", floor, e.BitsPerByte()-floor)
	}
	fmt.Fprintf(out, "loss curve: %s\nwrite with: %s sample --run %s --prompt \"%s\"\n", filepath.Join(r.Dir, train.LossCurveFile), self(), r.Dir, beginning(texts.Validation.Documents[0].Text))
	return nil
}

// describe prints what a run is about to do.
func describe(out io.Writer, r *run.Run, m *model.Model, texts *run.Texts, training, validation *data.Stream) error {
	text, err := r.Config.Marshal()
	if err != nil {
		return err
	}
	cfg := r.Config
	perStep := cfg.Train.BatchSize * cfg.Train.GradientAccumulationSteps * cfg.Model.Context
	params := cfg.Model.ParameterCount()
	seen := float64(perStep) * float64(cfg.Train.Steps)
	fmt.Fprintf(out, "%s\nrun folder:       %s\n", text, r.Dir)
	fmt.Fprintf(out, "text:             %s bytes for training (%s tokens of %s), %s for validation (%s tokens)\n",
		train.Thousands(training.Bytes), train.Thousands(len(training.Tokens)), r.Tokenizer.Name(), train.Thousands(validation.Bytes), train.Thousands(len(validation.Tokens)))
	fmt.Fprintf(out, "parameters:       %s\n", train.Thousands(int(params)))
	fmt.Fprintf(out, "tokens per step:  %s; in all %s, %.1f per parameter, %.2f epochs\n",
		train.Thousands(perStep), train.Thousands(int(seen)), seen/float64(params), seen/float64(len(training.Tokens)))
	activations, evaluation := m.Config.ActivationBytes(cfg.Train.BatchSize, cfg.Model.Context), m.Config.ForwardBytes(train.EvalBatch(m.Config), cfg.Model.Context)
	fmt.Fprintf(out, "memory:           about %s beside the texts (weights, gradients and AdamW %s, activations %s, evaluation %s)\n",
		train.Mebibytes(16*params+activations+evaluation), train.Mebibytes(16*params), train.Mebibytes(activations), train.Mebibytes(evaluation))
	fmt.Fprintf(out, "loss at step 0:   about %.3f if the start is sound: ln %d is %.3f, the rest comes of random logits\n", cfg.Model.LossAtStart(), cfg.Model.VocabSize, math.Log(float64(cfg.Model.VocabSize)))
	if floor := texts.FloorBitsPerByte(); floor > 0 {
		fmt.Fprintf(out, "loss to approach: %.4f (%.4f bits per byte), the exact entropy of the validation text\n", texts.FloorLoss(len(validation.Tokens)-1), floor)
	}
	fmt.Fprintln(out)
	return nil
}

// beginning is the first words of a text, fit for a prompt in quotes.
func beginning(text string) string {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"\\$`!", r) {
			return ' '
		}
		return r
	}, text)
	words := strings.Fields(plain)
	short := []rune(strings.Join(words[:min(3, len(words))], " "))
	return string(short[:min(24, len(short))])
}

// write lets the model continue a prompt.
func write(m *model.Model, tok tokenizer.Tokenizer, prompt string, o sample.Options, seed uint64) (string, error) {
	var text strings.Builder
	err := stream(&text, m, tok, prompt, o, seed)
	return text.String(), err
}

// stream writes the prompt's continuation to w as it comes.
func stream(w io.Writer, m *model.Model, tok tokenizer.Tokenizer, prompt string, o sample.Options, seed uint64) error {
	ids, err := tok.Encode(prompt)
	if err != nil {
		return fmt.Errorf("prompt: %w", err)
	}
	// A document follows an end-of-text token; so does a text without a prompt.
	if end := tok.EndOfText(); end >= 0 {
		ids = append([]int32{end}, ids...)
	} else if len(ids) == 0 {
		return fmt.Errorf("prompt: tokenizer %s has no end of text that a text could begin with: give the beginning with --prompt", tok.Name())
	}
	characters := tokenizer.NewStream(tok)
	var failed error
	err = sample.Generate(m.NewDecoder(), ids, o, seed, tok.EndOfText(), func(token int32) bool {
		text, err := characters.Next(token)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		failed = err
		return err == nil
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	_, err = io.WriteString(w, characters.Flush())
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
