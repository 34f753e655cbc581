package commands

import (
	"errors"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
	"tinygpt/tokenizer"
)

func tokenizerDecodeCommand() *cli.Command {
	return &cli.Command{
		Name:      "decode",
		Usage:     "turn token ids into text",
		ArgsUsage: "[ID ...]",
		Description: `Ids stand one after the other, or in the JSON that encode writes. Without ids and --file they are
read from standard input and decoded as they come.`,
		Flags: []cli.Flag{tokenizerFlag(), textFileFlag(), formatFlag(),
			&cli.BoolFlag{Name: "skip-special-tokens", Usage: "leave out special tokens instead of writing their names"},
		},
		Action: decode,
	}
}

func decode(c *cli.Context) error {
	asJSON := wantsJSON(c)
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
	out := c.App.Writer
	if asJSON {
		out = &whole
	}
	write := func(text string) error {
		_, err := io.WriteString(out, text)
		return err
	}
	characters := tokenizer.NewStream(t)
	// A JSON object is a text of its own; several are divided by line ends.
	objects := 0
	var failed error
	end := func() {
		objects++
		failed = errors.Join(failed, write(characters.Flush()))
		if asJSON {
			failed = errors.Join(failed, printJSON(c, map[string]string{"text": whole.String()}))
			whole.Reset()
		}
	}
	ended := 0 // objects whose text has a line end after it
	for id, err := range tokenizer.ReadIDs(in, end) {
		if err != nil {
			return inFile(c, err)
		}
		if !asJSON && objects > ended {
			if err := write(strings.Repeat("\n", objects-ended)); err != nil {
				return err
			}
			ended = objects
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
	if !asJSON && objects > 1 {
		failed = errors.Join(failed, write(strings.Repeat("\n", objects-ended)))
	}
	if failed != nil || objects > 0 {
		return failed
	}
	if err := write(characters.Flush()); err != nil {
		return err
	}
	if asJSON {
		return printJSON(c, map[string]string{"text": whole.String()})
	}
	if terminal.Is(c.App.Writer) {
		return write("\n")
	}
	return nil
}
