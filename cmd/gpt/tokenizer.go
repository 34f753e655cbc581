package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/run"
	"tinygpt/tokenizer"
)

func tokenizerCommand() *cli.Command {
	which := &cli.StringFlag{Name: "tokenizer", Aliases: []string{"t"}, Usage: "a run, a folder with tokenizer.json, a .json or .tiktoken `FILE`, gpt2 or byte", DefaultText: "the latest run's"}
	file := &cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "read `FILE`; - is standard input"}
	format := &cli.StringFlag{Name: "format", Usage: "text or json", Value: "text"}
	return &cli.Command{
		Name:  "tokenizer",
		Usage: "train, try, look into and convert tokenizers",
		Subcommands: []*cli.Command{{
			Name:  "train",
			Usage: "learn a tokenizer from texts and write it as Hugging Face's tokenizer.json",
			Flags: []cli.Flag{
				&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "learn from `FILE`, folder, glob or - (repeatable)"},
				encodingFlag(),
				&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write into `FOLDER`"},
				&cli.StringFlag{Name: "kind", Usage: "bpe or char", Value: "bpe"},
				&cli.IntFlag{Name: "vocab-size", Usage: "of bpe: `N` tokens, with the 256 bytes and the special tokens", Value: 4096},
				&cli.IntFlag{Name: "min-frequency", Usage: "of bpe: merge pairs that occur `N` times or more", Value: 2},
				&cli.StringSliceFlag{Name: "special-token", KeepSpace: true, Usage: "add the special token `NAME` after <|endoftext|> (repeatable)"},
				forceFlag,
			},
			Action: trainTokenizer,
		}, {
			Name:        "encode",
			Usage:       "turn text into token ids",
			ArgsUsage:   "[TEXT]",
			Description: "TEXT stands in quotes. Without TEXT and --file, standard input is encoded.",
			Flags: []cli.Flag{which, file, format,
				&cli.BoolFlag{Name: "allow-special", Usage: "let names of special tokens, like <|endoftext|>, stand for these"},
			},
			Action: encode,
		}, {
			Name:        "decode",
			Usage:       "turn token ids into text",
			ArgsUsage:   "[ID ...]",
			Description: "Ids stand one after the other, or in the JSON that encode writes. Without ids and --file they are\nread from standard input and decoded as they come.",
			Flags: []cli.Flag{which, file, format,
				&cli.BoolFlag{Name: "skip-special-tokens", Usage: "leave out special tokens instead of writing their names"},
			},
			Action: decode,
		}, {
			Name:        "inspect",
			Usage:       "show how a text or a corpus is cut into tokens, or what a vocabulary holds",
			ArgsUsage:   "[TEXT]",
			Description: "With TEXT, in quotes, or --file: each token with its id. With --data: how the tokens of whole texts\nspread over the vocabulary. With none of them: the vocabulary.",
			Flags: []cli.Flag{which, file, format,
				&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "look at the tokens of `FILE`, folder, glob or - (repeatable)"},
				encodingFlag(),
				&cli.IntFlag{Name: "top", Usage: "list `N` tokens and merges", Value: 20},
			},
			Action: inspect,
		}, {
			Name:        "export",
			Usage:       "write a tokenizer for transformers, tokenizers or tiktoken",
			Description: "A PATH that ends in .tiktoken gets tiktoken's ranks, one that ends in .json a tokenizer.json. Any other\nis a folder for AutoTokenizer.from_pretrained, with vocab.json and merges.txt too.",
			Flags: []cli.Flag{which,
				&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `PATH`"},
				&cli.IntFlag{Name: "model-max-length", Usage: "of a folder: the model takes `N` tokens", DefaultText: "not said"},
				forceFlag,
			},
			Action: exportTokenizer,
		}},
	}
}

var forceFlag = &cli.BoolFlag{Name: "force", Usage: "write over what is there"}

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
		return tokenizer.Load(name)
	}
}

func perToken(n, tokens int) float64 { return float64(n) / float64(max(1, tokens)) }

// mayWrite refuses to write over a file without --force.
func mayWrite(c *cli.Context, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) && !c.Bool("force") {
		return fmt.Errorf("%s is there already: name another place, or add --force", path)
	}
	return nil
}

// jsonFormat says whether --format asks for JSON.
func jsonFormat(c *cli.Context) (bool, error) {
	f := c.String("format")
	if f != "text" && f != "json" {
		return false, usageError{fmt.Errorf("--format is %q: expected text or json", f)}
	}
	return f == "json", nil
}

// printJSON writes one line.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// input opens the text that a command is about: --file or standard input.
func input(c *cli.Context) (io.ReadCloser, error) {
	if path := c.String("file"); path != "" && path != "-" {
		return os.Open(path)
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
	in, err := input(c)
	if err != nil {
		return "", err
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	return data.Clean(string(text)), err
}

// inFile adds the name of --file to an error about the text.
func inFile(c *cli.Context, err error) error {
	if path := c.String("file"); err != nil && path != "" && path != "-" {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}
