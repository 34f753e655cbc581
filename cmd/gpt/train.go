package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/internal/number"
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
			encodingFlag(),
			&cli.StringFlag{Name: "tokenizer", Usage: "bpe (learned from the text), gpt2, char, byte, or a tokenizer's `FILE` or folder", DefaultText: "the configuration's"},
			&cli.StringSliceFlag{Name: "set", Usage: "change a setting, as in --set `model.layers=6` (repeatable)"},
			&cli.StringFlag{Name: "run", Usage: "the run's `FOLDER`"},
			&cli.StringFlag{Name: "from", Usage: "begin with the weights, model and tokenizer of the run in `FOLDER`, and its settings unless --config gives others"},
			&cli.BoolFlag{Name: "resume", Usage: "go on with the run (the latest, or --run) from its last checkpoint"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if c.Bool("resume") {
				for _, flag := range []string{"config", "data", "encoding", "tokenizer", "from"} {
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
	cfg, source, parent, err := configuration(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "configuration: %s\n", source)
	texts, err := run.LoadTexts(cfg.Data)
	if err != nil {
		return err
	}
	if len(cfg.Data.Files) > 0 {
		fmt.Fprintf(c.App.Writer, "text: %s\n", texts.Whole.Report)
	}
	p := newProgress(c.App.ErrWriter)
	tok, err := tokenizerOf(parent, cfg, texts, p)
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
	name := c.String("config")
	if parent != nil && !c.IsSet("config") {
		name = parent.Dir
	}
	var m *model.Model
	if parent != nil {
		m, err = parent.SuccessorModel(cfg)
	} else {
		m, err = model.New(cfg.Model, cfg.Train.Seed)
	}
	if err != nil {
		return err
	}
	r, err := run.Create(c.String("run"), name, run.Text, cfg, tok, nil)
	if err != nil {
		return err
	}
	err = r.Cache(texts, training, validation)
	if err != nil {
		return err
	}
	return trainRun(c, r, m, texts, training, validation, false)
}

// configuration puts together what the flags ask for. parent is the run to begin
// from, if there is one; source says in words where the settings are from.
func configuration(c *cli.Context) (cfg configs.Config, source string, parent *run.Run, err error) {
	fail := func(err error) (configs.Config, string, *run.Run, error) { return cfg, "", nil, err }
	from, by := c.String("from"), "--from"
	if c.IsSet("config") || from == "" {
		if cfg, source, err = configs.Load(c.String("config")); err != nil {
			return fail(err)
		}
	}
	if from == "" {
		from, by = cfg.Weights.From, "weights.from of the configuration"
	}
	if from != "" {
		if parent, err = run.Open(from); err != nil {
			return fail(fmt.Errorf("%s: %w", by, err))
		}
		if source == "" {
			cfg, source = parent.Config, "that of "+parent.Dir
		}
		cfg = parent.Successor(cfg)
	}
	if files := c.StringSlice("data"); len(files) > 0 {
		cfg.Data.Files, cfg.Data.StoriesBytes = files, 0
	}
	if c.IsSet("encoding") {
		cfg.Data.Encoding = c.String("encoding")
	}
	switch kind := c.String("tokenizer"); {
	case kind != "" && parent != nil:
		return fail(usageError{fmt.Errorf("--tokenizer: a run from %s has that run's tokenizer", parent.Dir)})
	case slices.Contains(configs.TokenizerKinds, kind):
		cfg.Tokenizer.Kind, cfg.Tokenizer.File = kind, ""
	case kind != "":
		cfg.Tokenizer.File = kind
	}
	for _, s := range c.StringSlice("set") {
		if err := cfg.Set(s); err != nil {
			return fail(err)
		}
	}
	if cfg.Tokenizer.File != "" {
		cfg.Tokenizer.Kind, cfg.Tokenizer.VocabSize = "", 0
	}
	if err := cfg.Validate(); err != nil {
		return fail(fmt.Errorf("configuration, %s: %w", source, err))
	}
	if parent != nil {
		err = parent.CheckSuccessor(cfg)
	}
	return cfg, source, parent, err
}

// tokenizerOf is the parent's tokenizer, or without a parent a new one.
func tokenizerOf(parent *run.Run, cfg configs.Config, texts *run.Texts, p *progress) (tokenizer.Tokenizer, error) {
	if parent != nil {
		return parent.Tokenizer, nil
	}
	return run.NewTokenizer(cfg.Tokenizer, texts, p.options(texts.Training.Bytes())...)
}

// resume goes on with a run.
func resume(c *cli.Context) error {
	r, err := run.Open(c.String("run"))
	if err != nil {
		return err
	}
	if r.Kind == run.Imported {
		return fmt.Errorf("%s was imported, and there is no training to resume: begin a run with its weights by %s train --from %s --data FILE", r.Dir, self(), r.Dir)
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
	t, err := r.Trainer(m, texts, training, validation)
	if err != nil {
		return err
	}
	opening := "" // samples are texts from their beginning, if the tokenizer has a token for that
	if r.Tokenizer.EndOfText() < 0 {
		opening = beginning(texts.Validation.Documents[0].Text)
	}
	t.Sample = func() (string, error) {
		o := cfg.Sample
		o.MaxTokens = min(o.MaxTokens, t.Context()-1) // later positions aren't trained yet
		requests, err := sample.Continue(r.Tokenizer, opening, o, cfg.Train.Seed, 1)
		if err != nil {
			return "", err
		}
		texts, err := sample.Generate(context.Background(), m.NewDecoder(1), r.Tokenizer, requests)
		if err != nil {
			return "", err
		}
		return texts[0].Text, nil
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
	// The texts' garbage goes now, and what comes is little: without this the
	// collector would let the process grow to twice what lives.
	debug.FreeOSMemory()
	debug.SetGCPercent(10)
	memory := watchMemory(newTrainReport(out))
	t.Report = memory
	ctx, stop := interruptible(c)
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
		result.State.Step, number.Short(result.State.Elapsed), e.Loss, e.Perplexity(), e.BitsPerByte(), result.State.BestLoss, result.State.BestStep)
	if floor := texts.FloorBitsPerByte(); floor > 0 {
		fmt.Fprintf(out, "floor: %.4f bits per byte is the exact entropy of this text; the model is %.4f above it\n", floor, e.BitsPerByte()-floor)
	}
	memory.write(out, firstStep(m.Config, cfg.Train))
	fmt.Fprintf(out, "loss curve: %s\nwrite with: %s sample --run %s --prompt \"%s\"\n", filepath.Join(r.Dir, run.LossCurveFile), self(), r.Dir, beginning(texts.Validation.Documents[0].Text))
	return nil
}

// firstStep returns the memory of the first step, which in the first of several stages may
// train only some of the layers.
func firstStep(m model.Config, c train.Config) train.Memory {
	p := c.Phases(m)[0]
	whole := train.MemoryOf(m, c.BatchSize)
	m.Layers, m.Context = p.Layers, p.Context
	first := train.MemoryOf(m, p.Batch)
	first.Weights = whole.Weights
	return first
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
	phases := cfg.Train.Phases(cfg.Model)
	seen := 0.0
	for _, p := range phases {
		seen += float64(p.Steps * p.Batch * p.Context * cfg.Train.GradientAccumulationSteps)
	}
	fmt.Fprintf(out, "%s\nrun folder:       %s\n", text, r.Dir)
	fmt.Fprintf(out, "text:             %s bytes for training (%s tokens of %s), %s for validation (%s tokens)\n",
		number.Thousands(training.Bytes), number.Thousands(len(training.Tokens)), r.Tokenizer.Name(), number.Thousands(validation.Bytes), number.Thousands(len(validation.Tokens)))
	fmt.Fprintf(out, "parameters:       %s\n", number.Thousands(int(params)))
	fmt.Fprintf(out, "tokens per step:  %s; in all %s, %.1f per parameter, %.2f epochs\n",
		number.Thousands(perStep), number.Thousands(int(seen)), seen/float64(params), seen/float64(len(training.Tokens)))
	for i, p := range phases[:len(phases)-1] {
		fmt.Fprintf(out, "stage %d:          %d steps, %d of %d layers, batches of %d × %d tokens\n", i+1, p.Steps, p.Layers, cfg.Model.Layers, p.Batch, p.Context)
	}
	memory := train.MemoryOf(m.Config, cfg.Train.BatchSize)
	fmt.Fprintf(out, "memory:           about %s beside the texts (weights, gradients and AdamW %s, activations %s, packed operands %s, evaluation %s)\n",
		number.Mebibytes(memory.Total()), number.Mebibytes(memory.Parameters()), number.Mebibytes(memory.Activations), number.Mebibytes(memory.Packed), number.Mebibytes(memory.Evaluation))
	if cfg.Weights.From != "" {
		fmt.Fprintf(out, "weights:          those of %s at the start\n", cfg.Weights.From)
	} else {
		fmt.Fprintf(out, "loss at step 0:   about %.3f if the start is sound: ln %d is %.3f, the rest comes of random logits\n", cfg.Model.LossAtStart(), cfg.Model.VocabSize, math.Log(float64(cfg.Model.VocabSize)))
	}
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

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
