package commands

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/embedding"
	"tinygpt/embedding/format"
	"tinygpt/embedding/training"
	"tinygpt/internal/shell"
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

// vectorsOf is the file with a run's vectors.
func vectorsOf(dir string) (path string, err error) {
	path = filepath.Join(dir, vectorsFile)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return path, nil
	}
	var c training.Config
	if err := run.Read(dir, &c, run.Vectors); err != nil {
		return "", err // another kind of run, or none
	}
	return "", fmt.Errorf("%s: no vectors in it yet: the training was stopped; go on with `%s`", dir, shell.Command("gpt", "vectors", "train", "--resume", "--run", dir))
}

// readVectors reads the vectors that the flags name, and says on standard error what was
// left out.
func readVectors(c *cli.Context) (*embedding.Vectors, error) {
	path := c.String("from")
	switch {
	case path != "" && c.IsSet("run"):
		return nil, usageError{errors.New("either --run or --from: both name vectors")}
	case path == "":
		dir, err := run.OrLatest(c.String("run"), run.Vectors)
		if err != nil {
			return nil, fmt.Errorf("%w; vectors of others are read with --from FILE", err)
		}
		if path, err = vectorsOf(dir); err != nil {
			return nil, err
		}
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
