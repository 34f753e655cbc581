package alignment

import (
	"image/color"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"tinygpt/internal/chart"
	"tinygpt/run"
	"tinygpt/train"
)

// series is a line of a plot: a number of a run's metrics over its steps.
type series struct {
	name  string
	value func(train.Metrics) (float64, bool) // false: this line of the metrics doesn't have it
	color color.Color
}

// logged returns a series' value for one of the objective's own measures.
func logged(key string) func(train.Metrics) (float64, bool) {
	return func(m train.Metrics) (float64, bool) {
		x, ok := m.Values[key]
		return x, ok
	}
}

func trainingLoss(m train.Metrics) (float64, bool)   { return m.Loss, m.Loss != 0 }
func validationLoss(m train.Metrics) (float64, bool) { return m.ValLoss, m.Metric != "" }
func score(m train.Metrics) (float64, bool)          { return m.Score, m.Metric != "" }

// panel is a plot of a step's picture.
type panel struct {
	title  string
	series []series
}

// panels are the plots of each step's picture.
var panels = map[run.Kind][]panel{
	run.SFT: {
		{"Loss of answers, nats per token", []series{{"training", trainingLoss, chart.SkyBlue}, {"validation", validationLoss, chart.Vermillion}}},
		{"Gold of held-out answers", []series{{"", score, chart.Green}}},
	},
	run.Reward: {
		{"−log σ(better − worse)", []series{{"training", trainingLoss, chart.SkyBlue}, {"validation", validationLoss, chart.Vermillion}}},
		{"Pairs that it is right about", []series{{"training", logged("accuracy"), chart.SkyBlue}, {"validation", score, chart.Vermillion}}},
	},
	run.DPO: {
		{"Preference loss", []series{{"training", trainingLoss, chart.SkyBlue}, {"validation", validationLoss, chart.Vermillion}}},
		{"Log-probabilities of answers", []series{{"chosen", logged("logps/chosen"), chart.Blue}, {"rejected", logged("logps/rejected"), chart.Vermillion}}},
		{"Margin β·Δ", []series{{"", logged("rewards/margins"), chart.Blue}}},
		{"Gold of held-out answers", []series{{"", score, chart.Green}}},
	},
	run.PPO:  policyPanels,
	run.GRPO: policyPanels,
}

var policyPanels = []panel{
	{"What answers are worth", []series{{"reward", logged("objective/scores"), chart.Vermillion}, {"gold", logged("objective/gold"), chart.Blue}}},
	{"KL from the reference, nats an answer", []series{{"exact", logged("objective/kl_full"), chart.Blue}, {"drawn", logged("objective/kl"), chart.SkyBlue}}},
	{"Tokens of an answer", []series{{"", logged("completions/mean_length"), chart.Green}}},
	{"Share of the returns' variance explained", []series{{"value model", logged("val/var_explained"), chart.Purple}}},
}

// stepCurve draws the panels of a run. It is a train.Curve.
type stepCurve struct {
	run *run.Run
	all []train.Metrics
}

// Add implements train.Curve.
func (c *stepCurve) Add(m train.Metrics) { c.all = append(c.all, m) }

// Draw implements train.Curve.
func (c *stepCurve) Draw() error {
	var plots []*plot.Plot
	for _, about := range panels[c.run.Kind] {
		p, err := about.plot(c.all)
		if err != nil {
			return err
		}
		plots = append(plots, p)
	}
	rows := [][]*plot.Plot{plots}
	if len(plots) == 4 {
		rows = [][]*plot.Plot{plots[:2], plots[2:]}
	}
	return chart.Write(filepath.Join(c.run.Dir, run.LossCurveFile), chart.SlideWidth, chart.SlideHeight, rows...)
}

// plot draws a panel.
func (about panel) plot(all []train.Metrics) (*plot.Plot, error) {
	p := chart.New(about.title, "step", "")
	p.Add(plotter.NewGrid())
	p.Legend.Top = true
	for _, s := range about.series {
		var points plotter.XYs
		for _, m := range all {
			if y, ok := s.value(m); ok {
				points = append(points, plotter.XY{X: float64(m.Step), Y: y})
			}
		}
		if err := chart.Line(p, s.name, smooth(points), s.color, nil); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// smooth returns the running mean of points, or if they are fewer than 100 the points.
func smooth(points plotter.XYs) plotter.XYs {
	if len(points) < 100 {
		return points
	}
	out := make(plotter.XYs, len(points))
	mean := points[0].Y
	for i, p := range points {
		mean += (p.Y - mean) / min(float64(i+1), 20)
		out[i] = plotter.XY{X: p.X, Y: mean}
	}
	return out
}
