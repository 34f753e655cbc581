package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/number"
	"tinygpt/tokenizer"
)

func exportTokenizer(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	path := c.String("output")
	if path == "" {
		return usageError{errors.New("no --output: name a folder, or a file that ends in .json or .tiktoken")}
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
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		err = tokenizer.WriteHuggingFace(path, t, c.Int("model-max-length"))
	}
	if err == nil {
		fmt.Fprintf(c.App.Writer, "wrote %s, %s tokens, to %s\n", t.Name(), number.Thousands(t.VocabSize()), path)
	}
	return err
}
