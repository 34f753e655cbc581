package commands

import (
	"bytes"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"
	G "gorgonia.org/gorgonia"

	"tinygpt/configs"
	"tinygpt/finetune"
	"tinygpt/internal/atomicfile"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/study/diagram"
	"tinygpt/train"
)

func graphCommand() *cli.Command {
	return &cli.Command{
		Name:  "graph",
		Usage: "draw Gorgonia's graph of a model, forward and backward",
		Description: `Draws the training graph of a configuration or of a run: operations on the left, their gradients on the
right, equal layers once. Point at a box in a browser, and it says which nodes of the graph it stands for.`,
		Flags: []cli.Flag{
			configFlag(yamlFile, "small.yaml", "train", "finetune"),
			&cli.StringFlag{Name: "run", Usage: "draw the model of the run in `FOLDER`, fine-tuned or not, instead of a configuration"},
			setFlag("change a setting of the configuration", "model.layers=6"),
			&cli.IntFlag{Name: "layer", Usage: "draw layer `N` only, from 1", DefaultText: "the whole model"},
			&cli.BoolFlag{Name: "unfold", Usage: "draw each layer, even if they are equal"},
			&cli.StringFlag{Name: "to", Usage: "write to `FILE`: a picture as .svg or .png, or for Graphviz as .dot", Value: "graph.svg"},
			formatFlag(),
		},
		Action: graphAction,
	}
}

func graphAction(c *cli.Context) error {
	to := c.String("to")
	write := (*diagram.Diagram).WriteSVG
	switch filepath.Ext(to) {
	case ".svg":
	case ".png":
		write = (*diagram.Diagram).WritePNG
	case ".dot":
		write = (*diagram.Diagram).WriteDOT
	default:
		return usageError{fmt.Errorf("--to %s: expected a name that ends in .svg, .png or .dot", to)}
	}
	for _, flag := range []string{"config", "set"} {
		if c.IsSet("run") && c.IsSet(flag) {
			return usageError{fmt.Errorf("both --run and --%s: a run has its own configuration", flag)}
		}
	}
	if c.IsSet("layer") && c.Bool("unfold") {
		return usageError{fmt.Errorf("both --layer and --unfold: expected one of them")}
	}
	cfg, m, task, err := toDraw(c)
	if err != nil {
		return err
	}
	if c.IsSet("layer") && (c.Int("layer") < 1 || c.Int("layer") > m.Config.Layers) {
		return usageError{fmt.Errorf("--layer %d: the model has layers 1 to %d", c.Int("layer"), m.Config.Layers)}
	}
	g, loss := trainingGraph(m, task, cfg.Train.BatchSize)
	if err := g.Differentiate(loss); err != nil {
		return err
	}
	d, err := diagram.New(m, g, loss, diagram.Options{Layer: c.Int("layer"), Unfold: c.Bool("unfold")})
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := write(d, &picture); err != nil {
		return err
	}
	if err := atomicfile.WriteFile(to, picture.Bytes()); err != nil {
		return err
	}
	return report(c, struct {
		To         string `json:"to"`
		Title      string `json:"title"`
		Parameters int    `json:"parameters"` // that are shown
		Nodes      int    `json:"nodes"`      // of the graph
	}{to, d.Title, d.Parameters, len(g.Expr.AllNodes())}, "%s\nwrote %s (%d nodes)\n", d.Title, to, len(g.Expr.AllNodes()))
}

// toDraw returns the model that the command line names, which has the shape but not always
// the weights, and the setup of its task if it is fine-tuned, else nil.
func toDraw(c *cli.Context) (cfg configs.Config, m *model.Model, task *finetune.Setup, err error) {
	if c.IsSet("run") {
		r, err := run.Open(c.String("run"))
		if err != nil {
			return cfg, nil, nil, err
		}
		if r.Kind == run.Finetuned {
			t, err := run.OpenFinetuned(r.Dir)
			if err != nil {
				return cfg, nil, nil, err
			}
			return r.Config, t.Model, t.Setup, nil
		}
		m, err = model.NewZero(r.Config.Model)
		return r.Config, m, nil, err
	}
	asked, err := configuration(c)
	if err != nil {
		return cfg, nil, nil, err
	}
	cfg = asked.Config
	if cfg.Finetunes() {
		return cfg, nil, nil, fmt.Errorf("%s fine-tunes the model of a run: make one with gpt finetune, and draw it with --run FOLDER", asked.source)
	}
	size, _, err := vocabulary(cfg)
	if err != nil {
		return cfg, nil, nil, err
	}
	cfg.Model.VocabSize = size
	m, err = model.NewZero(cfg.Model)
	return cfg, m, nil, err
}

// trainingGraph builds the graph of a training of m, with its loss: of the task if it isn't
// nil.
func trainingGraph(m *model.Model, task *finetune.Setup, batch int) (*model.Graph, *G.Node) {
	if task != nil {
		return finetune.GraphOnly(m, task, batch)
	}
	g := m.NewGraph(batch, m.Config.Context, true)
	return g, (&train.LanguageModel{}).Build(g)
}
