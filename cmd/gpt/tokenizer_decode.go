package main

import (
	"errors"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/tokenizer"
)

func decode(c *cli.Context) error {
	asJSON, err := jsonFormat(c)
	if err != nil {
		return err
	}
	if c.NArg() > 0 && c.IsSet("file") {
		return usageError{errors.New("decode takes either ids or --file")}
	}
	t, err := openTokenizer(c)
	if err != nil {
		return err
	}
	var in io.ReadCloser = io.NopCloser(strings.NewReader(strings.Join(c.Args().Slice(), " ")))
	if c.NArg() == 0 {
		if in, err = input(c); err != nil {
			return err
		}
	}
	defer in.Close()
	var whole strings.Builder
	write := func(text string) error {
		whole.WriteString(text)
		return nil
	}
	if !asJSON {
		write = func(text string) error {
			_, err := io.WriteString(c.App.Writer, text)
			return err
		}
	}
	characters := tokenizer.NewStream(t)
	for id, err := range tokenizer.ReadIDs(in) {
		if err != nil {
			return inFile(c, err)
		}
		text, err := characters.Next(id)
		if err != nil {
			return inFile(c, err)
		}
		if !c.Bool("skip-special-tokens") && t.Bytes(id) == nil {
			text += characters.Flush() + tokenizer.TokenName(t, id)
		}
		if err := write(text); err != nil {
			return err
		}
	}
	if err := write(characters.Flush()); err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.App.Writer, map[string]string{"text": whole.String()})
	}
	if isTerminal(c.App.Writer) {
		return write("\n")
	}
	return nil
}
