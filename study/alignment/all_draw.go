package alignment

import (
	"fmt"
	"image/color"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"tinygpt/internal/chart"
	"tinygpt/run"
)

// drawSteps draws the three steps side by side, as on the lecture's slide: the loss of answers,
// the share of pairs that the reward model is right about with its ceiling and baselines, and
// the scores of the policy's answers.
func (c *Course) drawSteps() error {
	var plots []*plot.Plot
	for _, step := range []struct {
		kind  run.Kind
		panel int
		title string
	}{{run.SFT, 0, "1. SFT: loss of answers"}, {run.Reward, 1, "2. Reward model: pairs right"}, {run.PPO, 0, "3. PPO: worth of answers"}} {
		r, err := run.Open(c.dir(step.kind))
		if err != nil {
			return err
		}
		all, err := r.Metrics()
		if err != nil {
			return err
		}
		about := panels[step.kind][step.panel]
		about.title = step.title
		p, err := about.plot(all)
		if err != nil {
			return err
		}
		if step.kind == run.Reward {
			if err := c.levels(p, float64(all[len(all)-1].Step)); err != nil {
				return err
			}
		}
		plots = append(plots, p)
	}
	return chart.Write(filepath.Join(c.Dir, "steps.svg"), chart.SlideWidth*1.3, chart.SlideHeight*0.8, plots)
}

// levels adds the ceiling and the baselines of the reward model as horizontal lines.
func (c *Course) levels(p *plot.Plot, steps float64) error {
	m, err := readMeasures(c.dir(run.Reward))
	if err != nil {
		return err
	}
	for _, l := range []struct {
		name  string
		y     float64
		color color.Color
	}{{"ceiling", m.Others["ceiling"], chart.Black}, {"words only", m.WordsOnly, chart.Purple}, {"length only", m.LengthOnly, chart.Orange}} {
		if l.y == 0 {
			continue
		}
		if err := chart.Line(p, l.name, plotter.XYs{{X: 0, Y: l.y}, {X: steps, Y: l.y}}, l.color, chart.Dashes); err != nil {
			return err
		}
	}
	return nil
}

// draw draws how often each contestant is preferred over the first, with 95 % intervals.
func (c *Comparison) draw(path string) error {
	p := chart.New("Preferred over "+c.Results[0].Name, "", "% of prompts, with 95 % intervals")
	p.Y.Min, p.Y.Max = 0, 100
	var names []string
	var byGold, byLabelers chart.Bars
	for i, r := range c.Results[1:] {
		names = append(names, r.Name)
		byGold.Add(float64(i)-0.12, 100*r.ByGold.Share, 100*r.ByGold.Half, 100*r.ByGold.Half)
		byLabelers.Add(float64(i)+0.12, 100*r.ByLabelers.Share, 100*r.ByLabelers.Half, 100*r.ByLabelers.Half)
	}
	for _, b := range []struct {
		name string
		bars chart.Bars
		c    color.Color
	}{{"by gold", byGold, chart.Blue}, {"by labelers held out", byLabelers, chart.Vermillion}} {
		if err := drawBars(p, b.name, b.bars, b.c); err != nil {
			return err
		}
	}
	half := plotter.XYs{{X: -0.5, Y: 50}, {X: float64(len(names)) - 0.5, Y: 50}}
	if err := chart.Line(p, "", half, chart.Grey, chart.Dashes); err != nil {
		return err
	}
	p.NominalX(names...)
	p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5
	p.Legend.Top = true
	return chart.Write(path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{p})
}

// drawBars adds points with their error bars, and their name to the legend.
func drawBars(p *plot.Plot, name string, b chart.Bars, c color.Color) error {
	points, err := plotter.NewScatter(b.XYs)
	if err != nil {
		return fmt.Errorf("alignment: drawing %s: %w", name, err)
	}
	points.Color, points.Radius = c, vg.Points(5)
	errors, err := plotter.NewYErrorBars(b)
	if err != nil {
		return err
	}
	errors.Color, errors.Width = c, vg.Points(2)
	p.Add(points, errors)
	p.Legend.Add(name, points)
	return nil
}
