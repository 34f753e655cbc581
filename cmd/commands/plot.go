package commands

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/run"
	"tinygpt/train"
)

func plotCommand() *cli.Command {
	return &cli.Command{
		Name:      "plot",
		Usage:     "draw losses, learning rate and gradient norm of runs over each other",
		ArgsUsage: "[RUN...]",
		Description: "RUN is a run's folder, the latest without one. Behind the runs is the reference curve of the preset that\n" +
			"they follow: " + strings.Join(run.References(), ", ") + " have one. Losses are means over some 20 steps.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "to", Usage: "write to `FILE`: a picture as .png or .svg, or the curve of one run as .jsonl (repeatable)", DefaultText: "curves.png and curves.svg in the first run's folder"},
			formatFlag(),
			forceFlag(),
			&cli.StringFlag{Name: "reference", Usage: "compare with the reference curve of `PRESET`, or none", DefaultText: "that of the runs' text and model"},
		},
		Action: plotAction,
	}
}

// curvePoints is about how many steps of a curve are drawn, and thinnedPoints how many
// are written as JSON lines.
const (
	curvePoints   = 1000
	thinnedPoints = 100
)

func plotAction(c *cli.Context) error {
	asJSON := wantsJSON(c)
	files := c.StringSlice("to")
	for _, f := range files {
		switch filepath.Ext(f) {
		case ".png", ".svg":
		case ".jsonl":
			if c.NArg() > 1 {
				return usageError{fmt.Errorf("--to %s: one run can be written as JSON lines, found %d", f, c.NArg())}
			}
			if err := mayWrite(c, f); err != nil { // metrics and texts are such files
				return err
			}
		default:
			return usageError{fmt.Errorf("--to %s: expected a name that ends in .png, .svg or .jsonl", f)}
		}
	}
	dirs := c.Args().Slice()
	if len(dirs) == 0 {
		dirs = []string{""}
	}
	var runs []*run.Run
	var curves []run.Curve
	for _, dir := range dirs {
		r, err := run.Open(dir)
		if err != nil {
			return err
		}
		metrics, err := r.Metrics()
		if err != nil {
			return err
		}
		if r.Kind.Practises() {
			metrics = slices.DeleteFunc(metrics, func(m train.Metrics) bool { return m.ValLoss != 0 })
		}
		runs = append(runs, r)
		curves = append(curves, run.Curve{Name: filepath.Clean(r.Dir), Points: run.Smooth(metrics, curvePoints)})
	}
	references, err := referencesOf(c, runs)
	if err != nil {
		return err
	}
	all := append(curves, references...)
	if asJSON {
		err = printJSON(c, curveReports(all))
	} else {
		err = printCurves(c.App.Writer, all)
	}
	if err != nil {
		return err
	}
	if len(files) == 0 {
		files = []string{filepath.Join(runs[0].Dir, "curves.png"), filepath.Join(runs[0].Dir, "curves.svg")}
	}
	for _, f := range files {
		if filepath.Ext(f) == ".jsonl" {
			err = writeCurve(f, runs[0])
		} else {
			err = run.DrawCurves(f, all)
		}
		if err != nil {
			return err
		}
		if !asJSON {
			fmt.Fprintln(c.App.Writer, "wrote", f)
		}
	}
	return nil
}

// referencesOf are the reference curves that the runs are compared with, each once.
func referencesOf(c *cli.Context, runs []*run.Run) (curves []run.Curve, err error) {
	switch preset := c.String("reference"); {
	case preset == "none":
		return nil, nil
	case c.IsSet("reference"):
		r, err := run.ReferenceOf(preset)
		if err != nil {
			return nil, usageError{fmt.Errorf("--reference: %w, or none", err)}
		}
		return []run.Curve{r.Curve()}, nil
	}
	seen := map[string]bool{}
	for _, one := range runs {
		r, err := run.ReferenceFor(one)
		if err != nil {
			return nil, err
		}
		if r != nil && !seen[r.Preset] {
			seen[r.Preset] = true
			curves = append(curves, r.Curve())
		}
	}
	return curves, nil
}

// curveReport is a curve in JSON.
type curveReport struct {
	Name     string  `json:"run"`
	Steps    int     `json:"steps"`
	Loss     float64 `json:"training_loss"`
	BestLoss float64 `json:"best_validation_loss,omitempty"`
	BestStep int     `json:"best_step,omitempty"`
}

func curveReports(curves []run.Curve) []curveReport {
	list := []curveReport{}
	for _, c := range curves {
		last, _ := c.Last()
		r := curveReport{Name: c.Name, Steps: last.Step, Loss: last.Loss}
		if best, ok := c.Best(); ok {
			r.BestLoss, r.BestStep = best.ValLoss, best.Step
		}
		list = append(list, r)
	}
	return list
}

// printCurves says in a table what the picture shows.
func printCurves(out io.Writer, curves []run.Curve) error {
	curves, unit := run.Comparable(curves)
	if unit != run.NatsPerToken {
		fmt.Fprintf(out, "losses in %s, as the runs have different tokenizers or texts\n", unit)
	}
	var t terminal.Table
	t.Row("run", "steps", "training loss", "best validation loss", "at step")
	for _, c := range curves {
		last, trained := c.Last()
		if !trained {
			return fmt.Errorf("%s: no step in its metrics yet", c.Name)
		}
		cells := []string{c.Name, number.Thousands(last.Step), fmt.Sprintf("%.4f", last.Loss)}
		if best, ok := c.Best(); ok {
			cells = append(cells, fmt.Sprintf("%.4f", best.ValLoss), number.Thousands(best.Step))
		}
		t.Row(cells...)
	}
	_, err := io.WriteString(out, t.Text())
	return err
}

// writeCurve writes the curve of a run as JSON lines.
func writeCurve(path string, r *run.Run) error {
	metrics, err := r.Metrics()
	var lines bytes.Buffer
	err = errors.Join(err, train.WriteMetrics(&lines, run.Smooth(metrics, thinnedPoints)))
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(path, lines.Bytes())
}
