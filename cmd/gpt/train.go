package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/train"
)

func trainCommand() *cli.Command {
	return &cli.Command{
		Name:  "train",
		Usage: "train a model on the built-in stories or on your texts",
		Description: "The configuration is a YAML file or one of the presets " + strings.Join(configs.Presets(), ", ") + ".\n" +
			"Everything the run makes goes into its folder, runs/NAME-1 unless --run names another.",
		Flags: []cli.Flag{
			configFlag("small.yaml"),
			textsFlag("train on", ""),
			encodingFlag(),
			&cli.StringFlag{Name: "tokenizer", Usage: "bpe (learned from the text), gpt2, char, byte, or a tokenizer's `FILE` or folder", DefaultText: "the configuration's"},
			setFlag("change a setting", "model.layers=6"),
			newRunFlag(),
			&cli.StringFlag{Name: "from", Usage: "begin with the weights, model and tokenizer of the run in `FOLDER`, and its settings unless --config gives others"},
			resumeFlag(),
		},
		Action: func(c *cli.Context) error {
			if c.Bool("resume") {
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
	if cfg.Train, err = forProcesses(c.App.Writer, cfg.Train); err != nil {
		return err
	}
	name := c.String("config")
	if parent != nil && !c.IsSet("config") {
		name = parent.Dir
	}
	p := terminal.NewStages(c.App.ErrWriter)
	t, err := run.Start(cfg, run.Options{Dir: c.String("run"), Name: name, Learning: learning(p)})
	p.Clear()
	if err != nil {
		return err
	}
	if t.Read != "" {
		fmt.Fprintf(terminal.Shown(c.App.Writer), "text: %s\n", t.Read)
	}
	return trainRun(c, t)
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
		cfg = parent.Continue(cfg)
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
		err = parent.CheckContinued(cfg)
	}
	return cfg, source, parent, err
}

// resume goes on with a run.
func resume(c *cli.Context) error {
	if err := ownConfiguration(c, "set"); err != nil {
		return err
	}
	settings := c.StringSlice("set")
	for _, s := range settings {
		if !strings.HasPrefix(s, "train.") {
			return usageError{fmt.Errorf("--set %s: a resumed run can only change train settings", s)}
		}
	}
	t, err := run.Resume(c.String("run"), settings...)
	if err != nil {
		return err
	}
	describeProcesses(c.App.Writer)
	if err := t.Config.Train.CheckPeers(peers()); err != nil {
		t.Close()
		return fmt.Errorf("%s: %w", t.Dir, err)
	}
	fmt.Fprintf(c.App.Writer, "resuming %s at step %d of %d\n", t.Dir, t.First, t.Config.Train.Steps)
	return trainRun(c, t)
}

// trainRun trains on the terminal.
func trainRun(c *cli.Context, t *run.Training) error {
	defer t.Close()
	cfg, out := t.Config, c.App.Writer
	if err := describe(terminal.Shown(out), t); err != nil {
		return err
	}
	for _, note := range t.Notes {
		fmt.Fprintln(out, "note:", note)
	}
	settleMemory()
	memory := watchMemory(newTrainReport(out))
	t.Trainer.Report, t.Team = memory, team
	ctx, stop := interruptible(c)
	defer stop()
	result, err := t.Train(ctx)
	if errors.Is(err, train.ErrInterrupted) {
		fmt.Fprintf(out, "stopped after step %d; saved in %s\ngo on with: %s\n", result.State.Step, t.Dir, command("train", "--resume", "--run", t.Dir))
		return err
	}
	if err != nil {
		return err
	}
	e := result.Final
	fmt.Fprintf(out, "\ndone: %d steps in %s; validation loss %.4f, perplexity %.2f, %.4f bits per byte; best loss %.4f at step %d\n",
		result.State.Step, number.Short(result.State.Elapsed), e.Loss, e.Perplexity(), e.BitsPerByte(), result.State.BestLoss, result.State.BestStep)
	if t.Trainer.StoppedEarly() {
		fmt.Fprintf(out, "stopped early, at step %d of %d: %d evaluations in a row brought nothing better (train.patience)\n", result.State.Step, cfg.Train.Steps, cfg.Train.Patience)
	}
	if floor := t.FloorBitsPerByte(); floor > 0 {
		fmt.Fprintf(out, "floor: %.4f bits per byte is the exact entropy of this text; the model is %.4f above it\n", floor, e.BitsPerByte()-floor)
	}
	memory.write(out, firstStep(t.Model.Config, cfg.Train))
	fmt.Fprintf(out, "loss curve: %s\nwrite with: %s\n", filepath.Join(t.Dir, run.LossCurveFile), command("sample", "--run", t.Dir, "--prompt", beginning(t.Beginning(200))))
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
func describe(out io.Writer, t *run.Training) error {
	training, validation := t.Material.Training, t.Validation
	text, err := t.Config.Marshal()
	if err != nil {
		return err
	}
	cfg := t.Config
	perStep := cfg.Train.BatchSize * cfg.Train.GradientAccumulationSteps * cfg.Model.Context
	params := cfg.Model.ParameterCount()
	phases := cfg.Train.Phases(cfg.Model)
	seen := 0.0
	for _, p := range phases {
		seen += float64(p.Steps * p.Batch * p.Context * cfg.Train.GradientAccumulationSteps)
	}
	fmt.Fprintf(out, "%s\nrun folder:       %s\n", text, t.Dir)
	fmt.Fprintf(out, "text:             %s bytes for training (%s tokens of %s), %s for validation (%s tokens)\n",
		number.Thousands(training.Bytes), number.Thousands(len(training.Tokens)), t.Run.Tokenizer.Name(), number.Thousands(validation.Bytes), number.Thousands(len(validation.Tokens)))
	fmt.Fprintf(out, "parameters:       %s\n", number.Thousands(int(params)))
	fmt.Fprintf(out, "tokens per step:  %s; in all %s, %.1f per parameter, %.2f epochs\n",
		number.Thousands(perStep), number.Thousands(int(seen)), seen/float64(params), seen/float64(len(training.Tokens)))
	for i, p := range phases[:len(phases)-1] {
		fmt.Fprintf(out, "stage %d:          %d steps, %d of %d layers, batches of %d × %d tokens\n", i+1, p.Steps, p.Layers, cfg.Model.Layers, p.Batch, p.Context)
	}
	memory := train.MemoryOf(t.Model.Config, cfg.Train.BatchSize)
	fmt.Fprintf(out, "memory:           about %s apart from the texts (weights, gradients and AdamW %s, activations %s, packed operands %s, evaluation %s)\n",
		number.Mebibytes(memory.Total()), number.Mebibytes(memory.Parameters()), number.Mebibytes(memory.Activations), number.Mebibytes(memory.Packed), number.Mebibytes(memory.Evaluation))
	if cfg.Weights.From != "" {
		fmt.Fprintf(out, "weights:          those of %s at the start\n", cfg.Weights.From)
	} else {
		fmt.Fprintf(out, "loss at step 0:   about %.3f if the start is sound: ln %d is %.3f, the rest comes from random logits\n", cfg.Model.LossAtStart(), cfg.Model.VocabSize, math.Log(float64(cfg.Model.VocabSize)))
	}
	if floor := t.FloorBitsPerByte(); floor > 0 {
		fmt.Fprintf(out, "loss to approach: %.4f (%.4f bits per byte), the exact entropy of the validation text\n", t.FloorLoss(), floor)
	}
	fmt.Fprintln(out)
	return nil
}

// beginning is the first words of a text, fit for a prompt.
func beginning(text string) string {
	// A word with control characters is none to type.
	words := slices.DeleteFunc(strings.Fields(text), func(word string) bool { return terminal.Visible(word) != word })
	short := []rune(strings.Join(words[:min(3, len(words))], " "))
	return string(short[:min(24, len(short))])
}
