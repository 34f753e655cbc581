package commands

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/number"
	"tinygpt/internal/shell"
	"tinygpt/run"
)

func exportCommand() *cli.Command {
	dtypes := slices.Sorted(maps.Keys(run.Dtypes))
	return &cli.Command{
		Name:  "export",
		Usage: "write a run's model and tokenizer for transformers or llama.cpp",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "write into `FOLDER`"},
			runFlag(),
			checkpointFlag(),
			choice("as", "huggingface (a folder for transformers) or gguf (model.gguf for llama.cpp)", run.HuggingFace, run.HuggingFace, run.GGUF),
			choice("dtype", "of the weights: "+strings.Join(dtypes, ", "), "float32", dtypes...),
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			asJSON := wantsJSON(c)
			to := c.String("to")
			if to == "" {
				return usageError{errors.New("export needs a folder to write into: --to FOLDER")}
			}
			format := run.Format(c.String("as"))
			r, err := run.Open(c.String("run"))
			if err != nil {
				return err
			}
			progress, end := interchange(c, "writing weights")
			done, err := r.Export(c.String("checkpoint"), to, format, run.Dtypes[c.String("dtype")], progress)
			end()
			if err != nil {
				return err
			}
			out := c.App.Writer
			if asJSON {
				return printJSON(c, struct {
					Run     string     `json:"run"`
					To      string     `json:"to"`
					As      run.Format `json:"as"`
					LeftOut string     `json:"left_out,omitempty"`
					Input   string     `json:"input,omitempty"` // how a classifier's texts are written
				}{r.Dir, to, format, done.LeftOut, done.Input})
			}
			if done.LeftOut != "" {
				what := "a language model"
				if done.Classifier {
					what = "the network alone"
				}
				fmt.Fprintf(out, "left out: %s; %s is exported\n", done.LeftOut, what)
			}
			if format == run.GGUF {
				path := filepath.Join(to, run.GGUFFile)
				fmt.Fprintf(out, "exported %s to %s (%s)\nrun it with: %s\n", r.Dir, path, size(path), shell.Command("llama-cli", "-m", path, "-no-cnv", "-p", "TEXT"))
				return nil
			}
			fmt.Fprintf(out, "exported %s to %s (weights %s)\n", r.Dir, to, size(filepath.Join(to, "model.safetensors")))
			class := "AutoModelForCausalLM"
			if done.Classifier {
				class = "AutoModelForSequenceClassification"
			}
			fmt.Fprintf(out, "load it with: %s.from_pretrained(%q)\n              AutoTokenizer.from_pretrained(%q)\n", class, to, to)
			if done.Input != "" {
				fmt.Fprintf(out, "its texts are written %s\n", done.Input)
			}
			return nil
		},
	}
}

// size is that of a file, for people.
func size(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "?"
	}
	return number.Thousands(int(info.Size())) + " bytes"
}
