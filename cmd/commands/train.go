package commands

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

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
		Description: "The configuration is a YAML file or one of the presets " + strings.Join(presetsFor("train"), ", ") + ".\n" +
			"Everything the run makes goes into its folder, runs/NAME-1 unless --run names another.",
		Flags: []cli.Flag{
			configFlag(yamlFile, "small.yaml", "train"),
			textsFlag("train on", ""),
			encodingFlag(),
			&cli.StringFlag{Name: "tokenizer", Usage: "bpe (learned from the text), gpt2, char, byte, or a tokenizer's `FILE` or folder", DefaultText: "the configuration's"},
			setFlag("change a setting", "model.layers=6"),
			newRunFlag(),
			&cli.StringFlag{Name: "from", Usage: "begin with the weights, model and tokenizer of the run in `FOLDER`, and its settings unless --config gives others"},
			&cli.StringFlag{Name: "on-spike", Usage: "skip leaves out batches whose loss or gradient sticks out", DefaultText: "train on them"},
			resumeFlag(),
			verboseFlag(),
			formatFlag(),
		},
		Action: startOrResume(start, resume),
	}
}

// start begins a run.
func start(c *cli.Context) error {
	asked, err := configuration(c)
	if err != nil {
		return err
	}
	out := narration(c)
	printConfiguration(out, 18, asked.source, &asked.base, &asked.Config)
	if asked.Train, err = forProcesses(out, asked.Train); err != nil {
		return err
	}
	name := c.String("config")
	if asked.parent != nil && !c.IsSet("config") {
		name = asked.parent.Dir
	}
	p := terminal.NewStages(c.App.ErrWriter)
	t, err := run.Start(asked.Config, run.Options{Dir: c.String("run"), Name: name, Learning: learning(p), WidenValidation: !asked.ownSplit})
	p.Clear()
	if err != nil {
		return err
	}
	defer t.Close()
	if t.Read != "" {
		fmt.Fprintf(terminal.Prose(out), "text:             %s\n", t.Read)
	}
	if err := describe(terminal.Prose(out), t, c.Bool("verbose")); err != nil {
		return err
	}
	return trainRun(c, t)
}

// resume goes on with a run.
func resume(c *cli.Context) error {
	if err := ownConfiguration(c, "set", "verbose", "format"); err != nil {
		return err
	}
	settings := c.StringSlice("set")
	for _, s := range settings {
		if !strings.HasPrefix(s, "train.") {
			return usageError{fmt.Errorf("%s: a resumed run can only change train settings", configs.SetFlag(s))}
		}
	}
	t, err := run.Resume(c.String("run"), settings...)
	var finished *run.FinishedError
	if errors.As(err, &finished) {
		if wantsJSON(c) {
			return printJSON(c, finishedRun{finished.Dir, true})
		}
		fmt.Fprintf(c.App.Writer, "%s\ntrain on with: %s\n", finished, command(append([]string{"train", "--resume", "--run", finished.Dir}, finished.TrainOn...)...))
		return nil
	}
	if err != nil {
		return err
	}
	describeProcesses(narration(c))
	if err := t.Config.Train.CheckPeers(peers()); err != nil {
		t.Close()
		return fmt.Errorf("%s: %w", t.Dir, err)
	}
	fmt.Fprintf(narration(c), "resuming %s at step %s of %s\n", t.Dir, number.Thousands(t.First), number.Thousands(t.Config.Train.Steps))
	return trainRun(c, t)
}

// trainRun trains on the terminal.
func trainRun(c *cli.Context, t *run.Training) error {
	defer t.Close()
	cfg, out := t.Config, narration(c)
	for _, note := range t.Notes {
		fmt.Fprintln(terminal.Prose(out), "note:", note)
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
	if wantsJSON(c) {
		return printJSON(c, struct {
			Run         string  `json:"run"`
			Steps       int     `json:"steps"`
			Seconds     float64 `json:"seconds"`
			Loss        float64 `json:"loss"` // nats per token of the validation split
			Perplexity  float64 `json:"perplexity"`
			BitsPerByte float64 `json:"bits_per_byte"`
			Floor       float64 `json:"floor_bits_per_byte,omitempty"`
			BestLoss    float64 `json:"best_loss"`
			BestStep    int     `json:"best_step"`
			LeftOut     int     `json:"batches_left_out,omitempty"`
			Early       bool    `json:"stopped_early,omitempty"`
		}{t.Dir, result.State.Step, result.State.Elapsed.Seconds(), e.Loss, e.Perplexity(), e.BitsPerByte(), t.FloorBitsPerByte(),
			result.State.BestLoss, result.State.BestStep, result.State.Spikes.Skipped, t.Trainer.StoppedEarly()})
	}
	fmt.Fprintf(out, "\ndone: %s steps in %s\nvalidation: loss %.4f, perplexity %.2f, %.4f bits per byte%s\n",
		number.Thousands(result.State.Step), number.Short(result.State.Elapsed), e.Loss, e.Perplexity(), e.BitsPerByte(), best(result.State))
	writeLeftOut(out, result.State)
	if t.Trainer.StoppedEarly() {
		fmt.Fprintf(out, "stopped early, at step %d of %d: %d evaluations in a row brought nothing better (train.patience)\n", result.State.Step, cfg.Train.Steps, cfg.Train.Patience)
	}
	if floor := t.FloorBitsPerByte(); floor > 0 {
		fmt.Fprintf(out, "floor:      %.4f bits per byte, the text's entropy; the model is %.4f above\n", floor, e.BitsPerByte()-floor)
	}
	if c.Bool("verbose") {
		memory.write(out, firstStep(t.Model.Config, cfg.Train))
	}
	fmt.Fprintf(out, "loss curve: %s\nwrite with: %s\n", filepath.Join(t.Dir, run.LossCurveFile), command("sample", "--run", t.Dir, "--prompt", beginning(t.Opening(200))))
	return nil
}

// finishedRun is the result of resuming a run that is finished.
type finishedRun struct {
	Run      string `json:"run"`
	Finished bool   `json:"finished"`
}

// firstStep returns the memory of the first step, which in the first of several stages may
// train only some of the layers.
func firstStep(m model.Config, c train.Config) train.Memory {
	p := c.Phases(m)[0]
	whole := c.Memory(m)
	m.Layers, m.Context, c.BatchSize = p.Layers, p.Context, p.Batch
	first := c.Memory(m)
	first.Weights = whole.Weights
	return first
}

// best says where the best checkpoint is from, unless it is the last one.
func best(s train.State) string {
	if s.BestStep == s.Step {
		return ""
	}
	return fmt.Sprintf("\nbest:       loss %.4f at step %s", s.BestLoss, number.Thousands(s.BestStep))
}

// describe prints what a run is about to do; all of its configuration if verbose, which is
// in its folder too.
func describe(out io.Writer, t *run.Training, verbose bool) error {
	training, validation, cfg := t.Material.Training, t.Validation, t.Config
	if verbose {
		text, err := cfg.Marshal()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\n", text)
	}
	perStep := cfg.Train.BatchSize * cfg.Train.GradientAccumulationSteps * cfg.Model.Context
	params := cfg.Model.ParameterCount()
	phases := cfg.Train.Phases(cfg.Model)
	seen := 0.0
	for _, p := range phases {
		seen += float64(p.Steps * p.Batch * p.Context * cfg.Train.GradientAccumulationSteps)
	}
	fmt.Fprintf(out, "run folder:       %s\n", t.Dir)
	fmt.Fprintf(out, "training:         %s bytes, %s tokens of %s\n", number.Thousands(training.Bytes), number.Thousands(len(training.Tokens)), t.Run.Tokenizer.Name())
	fmt.Fprintf(out, "validation:       %s bytes, %s tokens\n", number.Thousands(validation.Bytes), number.Thousands(len(validation.Tokens)))
	fmt.Fprintf(out, "parameters:       %s\n", number.Thousands(int(params)))
	fmt.Fprintf(out, "steps:            %s, each of %s tokens\n", number.Thousands(cfg.Train.Steps), number.Thousands(perStep))
	for i, p := range phases[:len(phases)-1] {
		fmt.Fprintf(out, "stage %d:          %s steps, %d of %d layers, batches of %d × %d tokens\n", i+1, number.Thousands(p.Steps), p.Layers, cfg.Model.Layers, p.Batch, p.Context)
	}
	fmt.Fprintf(out, "in all:           %s tokens, %.1f per parameter, %.2f epochs\n", number.Thousands(int(seen)), seen/float64(params), seen/float64(len(training.Tokens)))
	memory := cfg.Train.Memory(t.Model.Config)
	fmt.Fprintf(out, "memory:           about %s apart from the texts\n", number.Mebibytes(memory.Total()))
	if verbose {
		fmt.Fprintf(out, "  of it           weights, gradients and optimiser %s, activations %s,\n                  packed operands %s, evaluation %s\n",
			number.Mebibytes(memory.Parameters()), number.Mebibytes(memory.Activations), number.Mebibytes(memory.Packed), number.Mebibytes(memory.Evaluation))
	}
	if cfg.Weights.From != "" {
		fmt.Fprintf(out, "weights:          those of %s at the start\n", cfg.Weights.From)
	} else {
		fmt.Fprintf(out, "loss at step 0:   about %.3f if the start is sound (ln %d is %.3f)\n", cfg.Model.LossAtStart(), cfg.Model.VocabSize, math.Log(float64(cfg.Model.VocabSize)))
	}
	if floor := t.FloorBitsPerByte(); floor > 0 {
		fmt.Fprintf(out, "loss to approach: %.4f (%.4f bits per byte), the text's exact entropy\n", t.FloorLoss(), floor)
	}
	fmt.Fprintln(out)
	return nil
}

// beginning is the first words of a text's first line, fit for a prompt: up to three words
// and 24 characters; of a script without blanks eight characters.
func beginning(text string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	// Nobody types a word with control characters.
	words := slices.DeleteFunc(strings.Fields(line), func(word string) bool { return terminal.Visible(word) != word })
	short := ""
	for _, w := range words[:min(3, len(words))] {
		if more := strings.TrimPrefix(short+" "+w, " "); utf8.RuneCountInString(more) <= 24 {
			short = more
		} else {
			break
		}
	}
	if short == "" && len(words) > 0 {
		short = string([]rune(words[0])[:8]) // it has more than 24
	}
	return short
}

// verboseFlag prints what the run's folder has in any case.
func verboseFlag() cli.Flag {
	return &cli.BoolFlag{Name: "verbose", Usage: "print all of the configuration, and where memory goes"}
}
