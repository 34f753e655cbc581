package commands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/embedding"
	"tinygpt/embedding/corpus"
	"tinygpt/embedding/format"
	"tinygpt/embedding/query"
	"tinygpt/embedding/training"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/run"
	"tinygpt/train"
)

// vectorSettings are flags that stand for a setting, under the names that users of gensim
// know.
var vectorSettings = []struct{ flag, setting, usage string }{
	{"model", "vectors.model", "`MODEL`: " + strings.Join(training.Models, ", ")},
	{"dim", "vectors.dim", "length of a vector"},
	{"window", "vectors.window", "words of context on each side, at most"},
	{"negative", "vectors.negative", "noise words for each example"},
	{"epochs", "vectors.epochs", "times through the text"},
	{"min-count", "data.min_count", "leave out words that occur fewer than `N` times"},
	{"sample", "vectors.sample", "threshold of subsampling, 0 for none"},
	{"seed", "vectors.seed", "of all that is drawn"},
	{"engine", "vectors.engine", "`ENGINE`: " + strings.Join(training.Engines, " or ") + ", Gorgonia's graph of the objective, which is slow"},
	{"encoding", "data.encoding", "the character encoding `NAME` of the texts: gb18030, shift_jis, windows-1252, …"},
	{"words", "data.words", "how text is cut: " + strings.Join(corpus.Splitters, ", ")},
}

func vectorsTrainCommand() *cli.Command {
	flags := []cli.Flag{
		configFlag(yamlFile, "vectors.yaml", "vectors train"),
		textsFlag("train on", ""),
	}
	for _, s := range vectorSettings {
		flags = append(flags, &cli.StringFlag{Name: s.flag, Usage: s.usage, DefaultText: "the configuration's " + s.setting})
	}
	flags = append(flags,
		&cli.StringFlag{Name: "tokenizer", Usage: "the words are the tokens of the tokenizer in `FILE` or folder: see gpt vectors init"},
		setFlag("change a setting", "vectors.dim=50"),
		newRunFlag(),
		resumeFlag(),
		formatFlag(),
		&cli.BoolFlag{Name: "force", Usage: fmt.Sprintf("train on a vocabulary of fewer than %d words", corpus.Smallest)})
	return &cli.Command{
		Name:  "train",
		Usage: "train word vectors on the built-in stories or on your texts",
		Description: "The configuration is a YAML file or one of the presets " + strings.Join(training.PresetNames(), ", ") + ".\n" +
			"Everything the run makes goes into its folder, runs/NAME-1 unless --run names another.",
		Flags:  flags,
		Action: vectorsTrain,
	}
}

func vectorsTrain(c *cli.Context) error {
	var s *training.Session
	var dir string
	var err error
	if c.Bool("resume") {
		s, dir, err = resumeVectors(c)
	} else {
		s, dir, err = startVectors(c)
	}
	var finished *run.FinishedError
	if errors.As(err, &finished) {
		if wantsJSON(c) {
			return printJSON(c, finishedRun{finished.Dir, true})
		}
		fmt.Fprintln(c.App.Writer, finished)
		return nil
	}
	if err != nil {
		return err
	}
	return runVectors(c, s, dir)
}

// startVectors makes the folder of a new run.
func startVectors(c *cli.Context) (*training.Session, string, error) {
	cfg := training.Default()
	text, source, err := configs.Find(training.Presets, c.String("config"))
	if err == nil {
		err = configs.Decode(text, c.String("config"), &cfg)
	}
	if err != nil {
		return nil, "", err
	}
	base := cfg
	if files := c.StringSlice("data"); len(files) > 0 {
		cfg.Data.Files, cfg.Data.StoriesBytes = files, 0
	}
	if t := c.String("tokenizer"); t != "" {
		if cfg.Data.Tokenizer, err = tokenizerNamed(t); err != nil {
			return nil, "", err
		}
	}
	if err := setVectors(c, &cfg); err != nil {
		return nil, "", err
	}
	printConfiguration(narration(c), 15, source, &base, &cfg)
	cfg = cfg.Completed()
	if err := cfg.Validate(); err != nil {
		return nil, "", fmt.Errorf("configuration, %s: %w", source, err)
	}
	s, err := newVectors(c, cfg, c.Bool("force"))
	if err != nil {
		return nil, "", err
	}
	if t := cfg.Data.Tokenizer; t != "" {
		cfg.Data.Tokenizer, _ = filepath.Abs(t)
	}
	cfg.Data.Files = run.SettleFiles(cfg.Data.Files)
	dir, err := run.Make(c.String("run"), c.String("config"), run.Vectors, cfg, nil)
	return s, dir, err
}

// setVectors changes the settings that flags name.
func setVectors(c *cli.Context, cfg *training.Config) error {
	for _, s := range vectorSettings {
		if c.IsSet(s.flag) {
			section, key, _ := strings.Cut(s.setting, ".")
			if err := configs.Decode(fmt.Appendf(nil, "%s: {%s: %s}", section, key, c.String(s.flag)), "--"+s.flag, cfg); err != nil {
				return usageError{err}
			}
		}
	}
	return set(c, cfg)
}

// resumeVectors opens a run that was stopped.
func resumeVectors(c *cli.Context) (*training.Session, string, error) {
	if err := ownConfiguration(c, "force", "format"); err != nil {
		return nil, "", err
	}
	dir, err := run.OrLatest(c.String("run"), run.Vectors)
	if err != nil {
		return nil, "", err
	}
	var cfg training.Config // the run's has every setting; what isn't there is 0
	if err := run.Read(dir, &cfg, run.Vectors); err != nil {
		return nil, "", err
	}
	if err := run.CheckReadable(dir, "texts", cfg.Data.Files...); err != nil {
		return nil, "", err
	}
	s, err := newVectors(c, cfg, true) // as it was when the run began
	if err == nil {
		err = s.Resume(dir)
	}
	if err == nil {
		for _, note := range run.OtherInstructions(s.Instructions) {
			fmt.Fprintln(narration(c), "note:", note)
		}
	}
	if _, unwritten := os.Stat(filepath.Join(dir, vectorsFile)); err == nil && unwritten == nil && s.Step() == s.Steps() {
		err = &run.FinishedError{Dir: dir, Reason: fmt.Sprintf("it has made all its %d epochs", cfg.Vectors.Epochs)}
	}
	return s, dir, err
}

// newVectors reads the text, says what it holds, and prepares the training. force allows a
// small vocabulary.
func newVectors(c *cli.Context, cfg training.Config, force bool) (*training.Session, error) {
	text, read, err := training.ReadText(cfg.Data, force)
	if err != nil {
		return nil, err
	}
	if read.Files > 0 {
		fmt.Fprintf(narration(c), "files:       %s\n", read)
	}
	debug.SetGCPercent(10) // little is allocated from here on, compared with the live memory
	s, err := training.NewSession(cfg, text)
	if err == nil {
		s.Describe(terminal.Prose(narration(c)))
	}
	return s, err
}

// runVectors trains, and writes the vectors.
func runVectors(c *cli.Context, s *training.Session, dir string) error {
	out := narration(c)
	fmt.Fprintf(out, "run folder:  %s\n\n", dir)
	unlock, err := run.Lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	bar := newVectorsReport(out, s)
	s.Progress = bar.show
	ctx, stop := interruptible(c)
	defer stop()
	defer s.Close()
	err = s.Run(ctx, dir)
	bar.close()
	if errors.Is(err, training.ErrStopped) {
		fmt.Fprintf(out, "stopped after step %d of %d; saved in %s\n", s.Step(), s.Steps(), dir)
		if run.CheckReadable(dir, "texts", s.Config.Data.Files...) == nil {
			fmt.Fprintf(out, "go on with: %s\n", command("vectors", "train", "--resume", "--run", dir))
		} else {
			fmt.Fprintln(out, "its texts came through a pipe and can't be read again: keep them in a file to be able to resume")
		}
		return train.ErrInterrupted
	}
	if err != nil {
		return err
	}
	steps := s.Steps()
	v := s.Finish()
	if err := format.Write(filepath.Join(dir, vectorsFile), v); err != nil {
		return err
	}
	if wantsJSON(c) {
		return printJSON(c, struct {
			Run     string  `json:"run"`
			Words   int     `json:"words"`
			Dim     int     `json:"dim"`
			Steps   int     `json:"steps"`
			Seconds float64 `json:"seconds"`
		}{dir, len(v.Words), v.Dim, steps, s.Elapsed().Seconds()})
	}
	fmt.Fprintf(out, "\ndone in %s: %s vectors of %d numbers\n\n", number.Short(s.Elapsed()), number.Thousands(len(v.Words)), v.Dim)
	if err := printNeighbours(out, v); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nloss curve: %s\nask with:   %s\n", filepath.Join(dir, training.LossCurveFile), command("vectors", "neighbours", "--run", dir, v.Words[middle(len(v.Words))]))
	if len(s.Config.Data.Files) == 0 {
		fmt.Fprintf(out, "analogies:  %s\n", command("vectors", "score", "--run", dir, "--analogies", storiesName(s.Config.Data.StoriesLanguage)))
	}
	return nil
}

// middle is the row of a word of medium frequency in a vocabulary of n words.
func middle(n int) int { return min(n-1, 100) }

// printNeighbours shows the nearest words of some words from frequent to rare.
func printNeighbours(out io.Writer, v *embedding.Vectors) error {
	s := query.New(v)
	var t terminal.Table
	for i := 40; i < len(v.Words); i = i * 8 / 5 {
		answers, err := s.Neighbours(v.Words[i], 5)
		if err != nil {
			return err
		}
		cells := []string{terminal.Visible(v.Words[i]) + ":"}
		for _, a := range answers {
			cells = append(cells, fmt.Sprintf("%s %.2f", terminal.Visible(a.Word), a.Score))
		}
		t.Row(cells...)
	}
	_, err := io.WriteString(out, t.Text())
	return err
}
