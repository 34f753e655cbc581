package commands

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/embedding"
	"tinygpt/embedding/format"
	"tinygpt/run"
)

func vectorsCommand() *cli.Command {
	return &cli.Command{
		Name:  "vectors",
		Usage: "train word vectors, ask them, draw them, and use them",
		Subcommands: []*cli.Command{
			vectorsTrainCommand(), vectorsInitCommand(), vectorsExplainCommand(),
			vectorsNeighboursCommand(), vectorsAnalogyCommand(), vectorsScoreCommand(), vectorsPlotCommand(),
			vectorsPhrasesCommand(), vectorsConvertCommand(), vectorsNERCommand(), vectorsClassifyCommand(),
		},
	}
}

// vectorsFile is where a run keeps its vectors.
const vectorsFile = "vectors.safetensors"

// fromFlags say which vectors a command reads.
func fromFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "run", Usage: "the vectors of the run in `FOLDER`", DefaultText: "the latest run of gpt vectors train"},
		&cli.StringFlag{Name: "from", Usage: "the vectors in `FILE`: word2vec's text or binary form, fastText's .vec, GloVe's text, each also gzipped, or .safetensors"},
		&cli.IntFlag{Name: "limit", Usage: "read the first `N` words only", DefaultText: "all"},
	}
}

// readVectors reads the vectors that the flags name, and says on standard error what was
// left out.
func readVectors(c *cli.Context) (*embedding.Vectors, error) {
	path := c.String("from")
	switch {
	case path != "" && c.IsSet("run"):
		return nil, usageError{errors.New("either --run or --from: both name vectors")}
	case path == "" && !c.IsSet("run"):
		dir, err := run.Latest(run.Root, run.Vectors)
		if err != nil {
			return nil, fmt.Errorf("%w; vectors of others are read with --from FILE", err)
		}
		path = filepath.Join(dir, vectorsFile)
	case path == "":
		path = filepath.Join(run.Named(c.String("run")), vectorsFile)
	}
	if c.Int("limit") < 0 {
		return nil, usageError{fmt.Errorf("--limit is %d: expected 1 or more", c.Int("limit"))}
	}
	v, notes, err := format.Read(path, c.Int("limit"))
	if err != nil {
		return nil, err
	}
	if notes.Duplicates > 0 || notes.NotUTF8 > 0 {
		fmt.Fprintf(c.App.ErrWriter, "%s: %s\n", path, notes)
	}
	return v, nil
}
