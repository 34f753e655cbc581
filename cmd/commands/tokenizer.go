package commands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/internal/suggest"
	"tinygpt/internal/userfile"
	"tinygpt/run"
	"tinygpt/tokenizer"
)

func tokenizerCommand() *cli.Command {
	return &cli.Command{
		Name:  "tokenizer",
		Usage: "train, try, look into and convert tokenizers",
		Subcommands: []*cli.Command{
			tokenizerTrainCommand(), tokenizerEncodeCommand(), tokenizerDecodeCommand(), tokenizerInspectCommand(), tokenizerExportCommand(),
		},
	}
}

// tokenizerFlag names the tokenizer that openTokenizer opens.
func tokenizerFlag() cli.Flag {
	return &cli.StringFlag{Name: "tokenizer", Aliases: []string{"t"}, Usage: "a run, a folder with tokenizer.json, a .json or .tiktoken `FILE`, gpt2 or byte", DefaultText: "the latest run's"}
}

// textFileFlag names the text that input reads.
func textFileFlag() cli.Flag {
	return &cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "read `FILE`; - is standard input"}
}

// openTokenizer opens what --tokenizer names, or else the latest run's.
func openTokenizer(c *cli.Context) (tokenizer.Tokenizer, error) {
	switch name := c.String("tokenizer"); name {
	case "":
		dir, err := run.Latest(run.Root, run.Writers()...)
		if err != nil {
			return nil, errors.New("no run here to take a tokenizer from: name one with --tokenizer, like gpt2 or a folder with tokenizer.json")
		}
		return tokenizer.ReadHuggingFace(dir)
	case "gpt2", "r50k_base":
		return tokenizer.GPT2()
	case "byte":
		return tokenizer.NewByte(), nil
	default:
		path, err := tokenizerNamed(name, "gpt2", "byte")
		if err != nil {
			return nil, err
		}
		return tokenizer.Load(path)
	}
}

// tokenizerNamed is the path that a user means by the value of --tokenizer: a file or
// folder, or a run's name. The built-in ones are what else could have been meant.
func tokenizerNamed(name string, builtIn ...string) (string, error) {
	path := run.Named(name)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && filepath.Base(name) == name {
		if meant := suggest.Closest(name, append(builtIn, run.Names()...)); meant != "" {
			return "", usageError{fmt.Errorf("--tokenizer %s: no such file, folder or run; did you mean %s?", name, meant)}
		}
	}
	return path, nil
}

func perToken(n, tokens int) float64 { return float64(n) / float64(max(1, tokens)) }

// input opens the text that a command is about: --file or standard input.
func input(c *cli.Context) (io.ReadCloser, error) {
	if path := c.String("file"); path != "" && path != "-" {
		return userfile.Open(path)
	}
	return io.NopCloser(c.App.Reader), nil
}

// inputText is the argument, or all of input, cleaned as the texts of training are.
func inputText(c *cli.Context) (string, error) {
	switch {
	case c.NArg() > 1:
		return "", usageError{fmt.Errorf("%s takes one text, found %d arguments: put it in quotes", c.Command.Name, c.NArg())}
	case c.NArg() == 1 && c.IsSet("file"):
		return "", usageError{fmt.Errorf("%s takes either a text or --file", c.Command.Name)}
	case c.NArg() == 1:
		return data.Clean(c.Args().First()), nil
	}
	o, err := readOptions(c)
	if err != nil {
		return "", err
	}
	path := c.String("file")
	if path == "" || path == "-" {
		return readStdin(c.App.Reader, o)
	}
	raw, err := userfile.Read(path)
	if err != nil {
		return "", err
	}
	return data.Decode(path, raw, o)
}

// inFile adds the name of --file to an error about the text.
func inFile(c *cli.Context, err error) error {
	if path := c.String("file"); err != nil && path != "" && path != "-" {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}
