package commands

import (
	"errors"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/tokenizer"
)

func tokenizerExportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write a tokenizer for transformers, tokenizers or tiktoken",
		Description: `A PATH that ends in .tiktoken gets tiktoken's ranks, one that ends in .json a tokenizer.json. Any other
is a folder for AutoTokenizer.from_pretrained, with vocab.json and merges.txt too.`,
		Flags: []cli.Flag{tokenizerFlag(),
			&cli.StringFlag{Name: "to", Usage: "write to `PATH`"},
			&cli.IntFlag{Name: "model-max-length", Usage: "of a folder: the model takes `N` tokens", DefaultText: "not said"},
			formatFlag(),
			forceFlag(),
		},
		Action: exportTokenizer,
	}
}

func exportTokenizer(c *cli.Context) error {
	path := c.String("to")
	if path == "" {
		return usageError{errors.New("no --to: name a folder, or a file that ends in .json or .tiktoken")}
	}
	t, err := openTokenizer(c)
	if err != nil {
		return err
	}
	switch filepath.Ext(path) {
	case ".json", ".tiktoken":
		if err := mayWrite(c, path); err != nil {
			return err
		}
		write := tokenizer.WriteJSON
		if filepath.Ext(path) == ".tiktoken" {
			write = tokenizer.WriteTiktoken
		}
		err = write(path, t)
	default:
		if err := mayWrite(c, filepath.Join(path, "tokenizer.json")); err != nil {
			return err
		}
		if err := atomicfile.MakeFolder(path); err != nil {
			return err
		}
		err = tokenizer.WriteHuggingFace(path, t, c.Int("model-max-length"))
	}
	if err != nil {
		return err
	}
	return report(c, struct {
		To        string `json:"to"`
		Tokenizer string `json:"tokenizer"`
		VocabSize int    `json:"vocab_size"`
	}{path, t.Name(), t.VocabSize()}, "wrote %s, %s tokens, to %s\n", t.Name(), number.Thousands(t.VocabSize()), path)
}
