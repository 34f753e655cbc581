package commands

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
)

// finetuneFlags are those that say what is fine-tuned from what.
func finetuneFlags() []cli.Flag {
	flags := append([]cli.Flag{configFlag(yamlFile, "finetune.yaml", "finetune")},
		exampleFlags("train on the examples of `FILE`", "stop early by the examples of `FILE`", "measure the best checkpoint, once, on the examples of `FILE`")...)
	return append(flags,
		&cli.StringFlag{Name: "from", Usage: "start from the weights of the run in `FOLDER`", DefaultText: "the latest run of gpt train"},
		&cli.BoolFlag{Name: "scratch", Usage: "start from random weights, with that run's tokenizer and shape"},
		&cli.IntFlag{Name: "adapt", Usage: "first make `N` steps of next-token prediction on the texts of the training examples", DefaultText: "none"},
		&cli.StringFlag{Name: "task", Usage: strings.Join(finetune.Tasks(), ", ")},
		&cli.StringFlag{Name: "metric", Usage: "the best checkpoint is the one with the highest " + strings.Join(finetune.Metrics, ", "), DefaultText: "what fits the task"},
		&cli.StringSliceFlag{Name: "choices", Usage: "`COLUMN` of a choice (repeatable), or of a list of them"},
		&cli.IntFlag{Name: "examples", Usage: "train on `N` examples, drawn for the seed", DefaultText: "all"},
		&cli.Float64Flag{Name: "lambda", Usage: "weight of the language model's loss in L2 + λ·L1; 0 leaves it out", DefaultText: "0.5"},
		&cli.IntFlag{Name: "epochs", Usage: "see each example `N` times", DefaultText: "3"},
		&cli.IntFlag{Name: "freeze-layers", Usage: "leave the embeddings and the lower `N` layers as they are; with all of them it is a linear probe"},
		&cli.BoolFlag{Name: "freeze-embeddings", Usage: "leave the embeddings as they are"},
		&cli.BoolFlag{Name: "ngrams", Usage: "predict together with a linear model over n-grams, fitted to the same examples"},
		&cli.StringFlag{Name: "truncate", Usage: "where long examples are cut: middle, start or end", DefaultText: "middle"},
		setFlag("change a setting", "train.batch_size=16"),
	)
}

// exampleFlags name files of labelled examples, and what is in them.
func exampleFlags(train, dev, test string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "data", Aliases: []string{"d"}, Usage: train},
		&cli.StringFlag{Name: "dev", Usage: dev, DefaultText: "a tenth of the training examples"},
		&cli.StringFlag{Name: "test", Usage: test},
		encodingFlag(),
		headerFlag("the files"),
		fileFormatFlag("of the files"),
		&cli.StringSliceFlag{Name: "text", Usage: "`COLUMN` of the text: premise, context, tokens (repeatable: joined)"},
		&cli.StringSliceFlag{Name: "second", Usage: "`COLUMN` of the second text: hypothesis (repeatable: joined)"},
		&cli.StringFlag{Name: "label", Usage: "`COLUMN` of the label"},
		&cli.StringFlag{Name: "head", Usage: "classes, or regression if the labels are grades"},
	}
}

// fileFormatFlag is the format of files of labelled examples.
func fileFormatFlag(of string) cli.Flag {
	return choice("file-format", of+": tsv, csv, jsonl or conll", "", labelled.Formats...).by("by name")
}

// finetuneConfig is the configuration that the flags make of base, which is from source.
func finetuneConfig(c *cli.Context) (cfg, base configs.Config, source string, err error) {
	if base, source, err = configs.Load(c.String("config")); err != nil {
		return cfg, base, source, err
	}
	cfg = base
	if !cfg.Finetunes() {
		return cfg, base, source, fmt.Errorf("%s: no finetune section with a task in it: expected one, as the presets %s have it; what a run starts from is named with --from", c.String("config"), strings.Join(configs.Finetuning(), ", "))
	}
	f := &cfg.Finetune
	for flag, to := range map[string]*string{
		"data": &f.Train, "encoding": &f.Encoding, "header": &f.Header, "file-format": &f.Format, "dev": &f.Dev, "test": &f.Test, "from": &f.From, "task": &f.Task, "head": &f.Head, "metric": &f.Metric, "label": &f.Label, "truncate": &f.Truncate,
	} {
		if c.IsSet(flag) {
			*to = c.String(flag)
		}
	}
	for flag, to := range map[string]*[]string{"text": &f.Text, "second": &f.Second, "choices": &f.Choices} {
		if c.IsSet(flag) {
			*to = c.StringSlice(flag)
		}
	}
	for flag, to := range map[string]*int{"examples": &f.Examples, "epochs": &f.Epochs, "adapt": &f.Adapt, "freeze-layers": &f.FreezeLayers} {
		if c.IsSet(flag) {
			*to = c.Int(flag)
		}
	}
	if c.IsSet("lambda") {
		f.Lambda = c.Float64("lambda")
	}
	f.Scratch = f.Scratch || c.Bool("scratch")
	if c.IsSet("ngrams") {
		f.NGrams = c.Bool("ngrams")
	}
	f.FreezeEmbeddings = f.FreezeEmbeddings || c.Bool("freeze-embeddings")
	if c.IsSet("data") {
		f.Stories = ""
	}
	for _, s := range c.StringSlice("set") {
		if err := cfg.SetFinetuning(s); err != nil {
			return cfg, base, source, err
		}
	}
	if err := cfg.Validate(); err != nil {
		return cfg, base, source, fmt.Errorf("%s: %w", c.String("config"), err)
	}
	for _, file := range []*string{&f.Train, &f.Dev, &f.Test} {
		if *file != "" && *file != "-" {
			*file, _ = filepath.Abs(*file)
		}
	}
	return cfg, base, source, nil
}
