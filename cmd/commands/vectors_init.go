package commands

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/embedding/format"
	"tinygpt/embedding/tokentable"
	"tinygpt/embedding/training"
	"tinygpt/internal/number"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/tokenizer"
)

func vectorsInitCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "make a GPT whose token table begins with word vectors",
		Description: `The vectors are those of a run of gpt vectors train --tokenizer; the GPT gets that tokenizer, and random weights
elsewhere. Train it with gpt train --from.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "vectors", Usage: "the `FOLDER` of the vectors' run", DefaultText: "the latest"},
			configFlag("the GPT's YAML `FILE` or preset", "small.yaml", "train"),
			setFlag("change a setting of the GPT", "model.layers=6"),
			&cli.StringFlag{Name: "run", Usage: "the new run's `FOLDER`"},
			formatFlag(),
		},
		Action: vectorsInit,
	}
}

func vectorsInit(c *cli.Context) error {
	dir, err := run.OrLatest(c.String("vectors"), run.Vectors)
	if err != nil {
		return err
	}
	var trained training.Config
	if err := run.Read(dir, &trained, run.Vectors); err != nil {
		return err
	}
	if trained.Data.Tokenizer == "" {
		return fmt.Errorf("%s: its vectors are those of words, not of a tokenizer's tokens: train some with %s vectors train --tokenizer RUN", dir, self())
	}
	t, err := tokenizer.Load(trained.Data.Tokenizer)
	if err != nil {
		return err
	}
	path, err := vectorsOf(dir)
	if err != nil {
		return err
	}
	v, _, err := format.Read(path, 0)
	if err != nil {
		return err
	}
	cfg, source, err := configs.Load(c.String("config"))
	if err != nil {
		return err
	}
	if err := set(c, &cfg); err != nil {
		return err
	}
	cfg.Tokenizer = configs.Tokenizer{Kind: configs.Imported, VocabSize: t.VocabSize()}
	cfg.Model.VocabSize = t.VocabSize()
	if err := errors.Join(cfg.Validate(), cfg.Model.Validate()); err != nil {
		return fmt.Errorf("configuration, %s: %w", source, err)
	}
	if cfg.Model.Width != v.Dim {
		return fmt.Errorf("the model of %s is %d wide, the vectors of %s have %d numbers: train vectors with --dim %d, or --set model.width=%d", source, cfg.Model.Width, dir, v.Dim, cfg.Model.Width, v.Dim)
	}
	m, err := model.New(cfg.Model, cfg.Train.Seed)
	if err != nil {
		return err
	}
	filled, err := tokentable.Fill(m.TokenTable().Value.Float32s(), t, v)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	cfg.Weights.From, _ = filepath.Abs(dir)
	r, err := run.Create(c.String("run"), filepath.Base(dir)+"-gpt", run.Imported, cfg, t, m)
	if err != nil {
		return err
	}
	return report(c, struct {
		Run     string `json:"run"`
		Vectors string `json:"vectors"`
		Layers  int    `json:"layers"`
		Width   int    `json:"width"`
		Filled  int    `json:"filled"` // tokens that begin with a vector
		Tokens  int    `json:"tokens"`
	}{r.Dir, dir, cfg.Model.Layers, cfg.Model.Width, filled, t.VocabSize()}, "%s: a GPT of %s × %d; %s of its %s tokens begin with the vectors of %s\ntrain it with: %s\n",
		r.Dir, number.Of(cfg.Model.Layers, "layer"), cfg.Model.Width, number.Thousands(filled), number.Thousands(t.VocabSize()), dir, command("train", "--from", r.Dir, "--config", c.String("config")))
}
