package commands

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/tokenizer"
)

func tokenizerExportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write a tokenizer for transformers, tokenizers or tiktoken",
		Description: `A PATH that ends in .tiktoken gets tiktoken's ranks, one that ends in .json a tokenizer.json. One
without an ending, or with a / at its end, is a folder for AutoTokenizer.from_pretrained, with vocab.json and merges.txt too.`,
		Flags: []cli.Flag{tokenizerFlag(),
			&cli.StringFlag{Name: "to", Usage: "write to `PATH`"},
			&cli.IntFlag{Name: "model-max-length", Usage: "of a folder: the model takes `N` tokens", DefaultText: "not said"},
			formatFlag(),
			forceFlag(),
		},
		Action: exportTokenizer,
	}
}

// checkExtension refuses a path to export to that ends like a file of another form: it would
// become a folder. A folder that is there, or that is written with a / at its end, may have
// any name.
func checkExtension(path string) error {
	extension := filepath.Ext(path)
	if extension == ".json" || extension == ".tiktoken" || extension == filepath.Base(path) || os.IsPathSeparator(path[len(path)-1]) {
		return nil
	}
	if i := strings.IndexFunc(extension, unicode.IsLetter); i != 1 { // as in a version, 1.0
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	return usageError{fmt.Errorf("--to %s: no tokenizer's file ends in %s: expected .json or .tiktoken, or for a folder of that name %s%c", path, extension, path, filepath.Separator)}
}

func exportTokenizer(c *cli.Context) error {
	path := c.String("to")
	if path == "" {
		return usageError{errors.New("no --to: name a folder, or a file that ends in .json or .tiktoken")}
	}
	if err := checkExtension(path); err != nil {
		return err
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
		const last = "tokenizer.json"
		if err := mayWrite(c, filepath.Join(path, last)); err != nil {
			return err
		}
		write := func(dir string) error { return tokenizer.WriteHuggingFace(dir, t, c.Int("model-max-length")) }
		if !c.Bool("force") { // none of the files may be there
			err = atomicfile.WriteFolder(path, last, write)
		} else if err = atomicfile.MakeFolder(path); err == nil {
			err = write(path)
		}
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
