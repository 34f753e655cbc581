package commands

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/configs/manual"
	"tinygpt/data/world"
	"tinygpt/run"
	"tinygpt/study/scaling"
)

func planCommand() *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "what training with a configuration takes, and whether this computer has it",
		Description: `Counts parameters, memory and operations, measures this computer on steps of that model (of
fewer layers if it is large) in seconds, and says what to change when memory won't do.`,
		Flags: append([]cli.Flag{
			configFlag(yamlFile, "small.yaml", "train", "finetune"),
			&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "the texts, for a vocabulary of their characters (repeatable)"},
			setFlag("change a setting", "model.layers=6"),
			&cli.IntFlag{Name: "processes", Usage: "also what `N` computers like this one would make of it (mpirun -np N gpt train)"},
			&cli.Float64Flag{Name: "network", Usage: "`GBIT` a second between these computers", Value: 10},
		}, estimateFlags()...),
		Action: func(c *cli.Context) error {
			r, err := newReport(c)
			if err != nil {
				return err
			}
			n := scaling.Network{Processes: c.Int("processes"), Gbit: c.Float64("network")}
			if n.Processes < 0 || !(n.Gbit > 0) {
				return usageError{fmt.Errorf("--processes is %d and --network %g: expected more than 0", n.Processes, n.Gbit)}
			}
			asked, err := configuration(c)
			if err != nil {
				return err
			}
			cfg, source := asked.Config, asked.source
			if cfg.Finetunes() {
				return fmt.Errorf("%s fine-tunes the model of a run: plan the configuration that the run is trained with", source)
			}
			if err := world.CheckSize(cfg.Data.StoriesBytes); err != nil {
				return err
			}
			size, note, err := vocabulary(cfg)
			if err != nil {
				return err
			}
			cfg.Model.VocabSize = size
			if err := cfg.Model.Validate(); err != nil {
				return err
			}
			ctx, stop := interruptible(c)
			defer stop()
			if r.Speed, err = scaling.Measure(ctx, cfg.Model, cfg.Train.BatchSize); err != nil {
				return interrupted(err)
			}
			for _, change := range manual.Changes(&asked.base, &asked.Config) {
				source += ", with " + change
			}
			s := scaling.PlanSection(c.String("config"), source, cfg, r.Speed, r.Accelerator, r.Machine)
			if note != "" {
				s.Notes = append(s.Notes, note)
			}
			if n.Processes > 0 {
				s = s.Spread(cfg, r.Speed, n)
			}
			r.Add(s)
			return writeReport(c, r)
		},
	}
}

// assumedCharacters is the vocabulary of characters while there is no text to take it
// from: the printable ones of ASCII, and the end of a line.
const assumedCharacters = 96

// vocabulary returns the size of the vocabulary, which a training takes from its tokenizer.
// note says what was assumed.
func vocabulary(cfg configs.Config) (size int, note string, err error) {
	t := cfg.Tokenizer
	switch {
	case cfg.Model.VocabSize > 0:
		return cfg.Model.VocabSize, "", nil
	case t.Kind == "bpe" && t.File == "":
		return t.VocabSize, "", nil
	case t.Kind == "char" && t.File == "" && len(cfg.Data.Files) == 0:
		return assumedCharacters, fmt.Sprintf("A vocabulary of %d characters is assumed: with --data FILE it is counted.", assumedCharacters), nil
	}
	var texts *run.Texts
	if len(cfg.Data.Files) > 0 {
		if texts, err = run.LoadTexts(cfg.Data); err != nil {
			return 0, "", err
		}
	}
	if texts == nil && t.Kind == configs.Imported && t.File == "" {
		return 0, "", errors.New("tokenizer.kind is imported, and the configuration doesn't say its size: add --set model.vocab_size=N")
	}
	tok, err := run.NewTokenizer(t, texts)
	if err != nil {
		return 0, "", err
	}
	return tok.VocabSize(), "", nil
}
