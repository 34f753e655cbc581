package commands

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/embedding"
	"tinygpt/embedding/atlas"
	"tinygpt/embedding/project"
	"tinygpt/embedding/query"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
)

func vectorsPlotCommand() *cli.Command {
	return &cli.Command{
		Name:      "plot",
		Usage:     "draw a map of words as a picture, or as a page to search and zoom in",
		ArgsUsage: "[WORD ...]",
		Description: `Without a WORD, the most frequent words are drawn; with some, these and their nearest ones, in a colour each.
--pairs draws pairs, like countries and their capitals, with a line between the two. t-SNE (van der Maaten and
Hinton 2008) keeps neighbours together; PCA is a shadow, in which directions are kept.`,
		Flags: append(fromFlags(),
			&cli.StringFlag{Name: "to", Usage: "write to `FILE`: .svg is a picture, .html a page", Value: "vectors.html"},
			&cli.IntFlag{Name: "top", Usage: "without words, draw the first `N`", Value: 1000},
			&cli.IntFlag{Name: "neighbours", Usage: "with words, draw the `N` nearest of each", Value: 25},
			&cli.StringFlag{Name: "pairs", Usage: "draw the pairs in `FILE`, two words a line"},
			encodingFlag(),
			choice("method", "tsne or pca", "", "tsne", "pca").by("tsne; of pairs pca"),
			&cli.Float64Flag{Name: "perplexity", Usage: "of t-SNE: about how many neighbours a word has", DefaultText: "a twentieth of the words, 5 to 30"},
			&cli.IntFlag{Name: "iterations", Usage: "of t-SNE", Value: project.DefaultTSNE().Iterations},
			&cli.StringFlag{Name: "title", Usage: "the picture's `TITLE`", DefaultText: "what is drawn"},
			formatFlag(),
		),
		Action: vectorsPlot,
	}
}

// nearestOnPage is how many nearest words the page lists.
const nearestOnPage = 12

func vectorsPlot(c *cli.Context) error {
	ending := filepath.Ext(c.String("to"))
	if ending != ".svg" && ending != ".html" {
		return usageError{fmt.Errorf("--to is %s: expected a name that ends in .svg or .html", c.String("to"))}
	}
	if c.IsSet("pairs") && c.NArg() > 0 {
		return usageError{errors.New("either words or --pairs")}
	}
	if c.Int("top") < 1 || c.Int("neighbours") < 0 {
		return usageError{fmt.Errorf("--top %d, --neighbours %d: expected one word or more", c.Int("top"), c.Int("neighbours"))}
	}
	method := "tsne"
	if c.IsSet("pairs") {
		method = "pca"
	}
	if c.IsSet("method") {
		method = c.String("method")
	}
	v, err := readVectors(c)
	if err != nil {
		return err
	}
	space := query.New(v)
	choice, title, err := chooseWords(c, v, space)
	if err != nil {
		return err
	}
	places, note, err := placeWords(c, method, choice.Unit(space))
	if err != nil {
		return err
	}
	m, err := atlas.New(v, space, choice, places, nearestOnPage)
	if err != nil {
		return err
	}
	m.Title, m.Note = title, note
	if t := c.String("title"); t != "" {
		m.Title = t
	}
	if ending == ".svg" {
		err = m.WriteSVG(c.String("to"))
	} else {
		var page bytes.Buffer
		if err = m.WriteHTML(&page); err == nil {
			err = atomicfile.WriteFile(c.String("to"), page.Bytes())
		}
	}
	if err != nil {
		return err
	}
	return report(c, struct {
		To     string `json:"to"`
		Title  string `json:"title"`
		Method string `json:"method"`
		Note   string `json:"note"` // how the words were placed
		Words  int    `json:"words"`
	}{c.String("to"), m.Title, method, note, len(m.Words)}, "wrote %s: %s words\n%s\n", c.String("to"), number.Thousands(len(m.Words)), note)
}

// chooseWords reads from the arguments which words are drawn.
func chooseWords(c *cli.Context, v *embedding.Vectors, space *query.Space) (*atlas.Choice, string, error) {
	switch path := c.String("pairs"); {
	case path != "":
		o, err := readOptions(c)
		if err != nil {
			return nil, "", err
		}
		text, err := data.ReadText(path, o)
		if err != nil {
			return nil, "", err
		}
		var pairs [][2]string
		for i, line := range strings.Split(text, "\n") {
			words := strings.Fields(line)
			if strings.Contains(line, "\t") {
				words = strings.Split(line, "\t")
			}
			if len(words) == 0 {
				continue
			}
			if len(words) != 2 {
				return nil, "", fmt.Errorf("%s, line %d has %d words: expected two", path, i+1, len(words))
			}
			pairs = append(pairs, [2]string(words))
		}
		choice, err := atlas.Pairs(space, pairs)
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return choice, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), err
	case c.NArg() > 0:
		choice, err := atlas.Around(space, c.Args().Slice(), c.Int("neighbours"))
		return choice, "Around " + strings.Join(c.Args().Slice(), ", "), err
	}
	choice := atlas.First(v, c.Int("top"))
	return choice, fmt.Sprintf("The %s most frequent words", number.Thousands(len(choice.Rows))), nil
}

// placeWords computes the places, and says how.
func placeWords(c *cli.Context, method string, m project.Matrix) ([]project.Point, string, error) {
	flat, shares, err := project.PCA(m)
	if err != nil || method == "pca" {
		return flat, fmt.Sprintf("PCA: the two directions have %.0f %% and %.0f %% of the variance", 100*shares[0], 100*shares[1]), err
	}
	o := project.DefaultTSNE()
	o.Start, o.Iterations = flat, c.Int("iterations")
	o.Perplexity = min(o.Perplexity, max(float64(m.Rows)/20, 5), float64(m.Rows-1)/2)
	if c.IsSet("perplexity") {
		o.Perplexity = c.Float64("perplexity")
	}
	bar := terminal.NewStages(c.App.ErrWriter)
	defer bar.Clear()
	o.Progress = func(step, steps int) { bar.Show("t-SNE", step, steps) }
	ctx, stop := interruptible(c)
	defer stop()
	places, kl, err := o.Run(ctx, m)
	return places, fmt.Sprintf("t-SNE: perplexity %.4g, %s steps, Kullback-Leibler divergence %.3f", o.Perplexity, number.Thousands(o.Iterations), kl), interrupted(err)
}
