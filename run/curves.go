package run

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"tinygpt/internal/chart"
	"tinygpt/internal/number"
	"tinygpt/train"
)

// LossCurveFile is the picture of losses in a run's folder.
const LossCurveFile = "loss.svg"

// Curve is the metrics of a run as they are drawn.
type Curve struct {
	Name   string
	Points []train.Metrics // see Smooth
	// Reference marks a curve to compare with: it is drawn first, under the others.
	Reference bool
}

// smoothing is the time constant, in steps, of the exponential means that are drawn.
const smoothing = 20

// Smooth returns at most n steps of a run's metrics, and every evaluation. Loss and
// gradient norm become exponential means over about 20 steps, because those of single
// batches jump. Evaluations are kept as they are; times are left out.
func Smooth(all []train.Metrics, n int) []train.Metrics {
	var steps int
	for _, m := range all {
		if m.ValLoss == 0 {
			steps++
		}
	}
	every := max(1, (steps+n-1)/n)
	var out []train.Metrics
	var loss, norm mean
	for _, m := range all {
		m.Elapsed, m.TokensPerSec = 0, 0
		if m.ValLoss != 0 {
			out = append(out, m)
			continue
		}
		m.Loss, m.GradNorm = loss.add(m.Loss), norm.add(m.GradNorm)
		if steps--; steps%every == 0 { // the last step is kept
			out = append(out, m)
		}
	}
	return out
}

// mean is an exponential mean, corrected for its start at 0 (Kingma and Ba 2015,
// section 3).
type mean struct{ sum, weight float64 }

func (m *mean) add(x float64) float64 {
	m.sum += (x - m.sum) / smoothing
	m.weight += (1 - m.weight) / smoothing
	return m.sum / m.weight
}

// Best returns the evaluation with the lowest loss; false if there is none.
func (c Curve) Best() (train.Metrics, bool) {
	evaluations := slices.DeleteFunc(slices.Clone(c.Points), func(m train.Metrics) bool { return m.ValLoss == 0 })
	if len(evaluations) == 0 {
		return train.Metrics{}, false
	}
	return slices.MinFunc(evaluations, func(a, b train.Metrics) int { return cmp.Compare(a.ValLoss, b.ValLoss) }), true
}

// Last returns the last step; false if there is none.
func (c Curve) Last() (train.Metrics, bool) {
	for _, m := range slices.Backward(c.Points) {
		if m.ValLoss == 0 {
			return m, true
		}
	}
	return train.Metrics{}, false
}

// points returns the points (step, value) of the lines of metrics that have the value.
func (c Curve) points(value func(train.Metrics) float64) (points plotter.XYs) {
	for _, m := range c.Points {
		if y := value(m); y != 0 {
			points = append(points, plotter.XY{X: float64(m.Step), Y: y})
		}
	}
	return points
}

// The values of metrics that are drawn; 0 means that the line has none.
func trainingLoss(m train.Metrics) float64   { return m.Loss }
func validationLoss(m train.Metrics) float64 { return m.ValLoss }
func learningRate(m train.Metrics) float64   { return m.LearningRate }
func gradNorm(m train.Metrics) float64       { return m.GradNorm }

// floors returns a horizontal line for each different floor of the curves, from step 0
// to the last step of all curves.
func floors(curves []Curve) (lines []plotter.XYs) {
	var values []float64
	last := 0
	for _, c := range curves {
		for _, m := range c.Points {
			last = max(last, m.Step)
			if m.Floor != 0 && !slices.Contains(values, m.Floor) {
				values = append(values, m.Floor)
			}
		}
	}
	for _, v := range values {
		lines = append(lines, plotter.XYs{{X: 0, Y: v}, {X: float64(last), Y: v}})
	}
	return lines
}

const floorName = "floor: entropy of the text"

// DrawCurves draws training loss, validation loss, learning rate and gradient norm of
// several runs into one picture, a PNG or SVG by the ending of path.
func DrawCurves(path string, curves []Curve) error {
	loss := chart.New("Training loss", "", "nats per token")
	validation := chart.New("Validation loss", "", "nats per token")
	rate := chart.New("Learning rate", "step", "")
	norm := chart.New("Gradient norm, before clipping", "step", "")
	panels := []struct {
		plot  *plot.Plot
		value func(train.Metrics) float64
		name  func(Curve) string
	}{
		{loss, trainingLoss, func(c Curve) string { return shorten(c.Name, 40) }},
		{validation, validationLoss, Curve.verdict},
		{rate, learningRate, nil},
		{norm, gradNorm, nil},
	}
	// References first: the others are drawn over them.
	order, named := slices.Clone(curves), named(curves)
	notNamed := 0
	for _, c := range curves {
		if !c.Reference && !named[c.Name] {
			notNamed++
		}
	}
	slices.SortStableFunc(order, func(a, b Curve) int { return cmp.Compare(rank(a, named), rank(b, named)) })
	for _, p := range panels {
		p.plot.Add(plotter.NewGrid())
		legend(p.plot, chart.SlideWidth/2)
		runs, others := 0, 0
		for _, c := range order {
			line, dashes := color.RGBA(chart.Grey), chart.Dashes
			name := ""
			if p.name != nil {
				name = p.name(c)
			}
			switch {
			case c.Reference:
			case !named[c.Name]:
				line, dashes, name = paleGrey, nil, ""
				if others++; others == 1 && p.name != nil {
					name = fmt.Sprintf("%d others", notNamed)
				}
			default:
				line, dashes = chart.Colors[runs%len(chart.Colors)], nil
				if runs >= len(chart.Colors) {
					dashes = []vg.Length{vg.Points(1), vg.Points(2)}
				}
				runs++
			}
			if err := chart.Line(p.plot, name, c.points(p.value), line, dashes); err != nil {
				return err
			}
		}
	}
	for i, f := range floors(curves) {
		name := ""
		if i == 0 {
			name = floorName
		}
		if err := chart.Line(validation, name, f, chart.Black, chart.Dashes); err != nil {
			return err
		}
	}
	for _, p := range []*plot.Plot{loss, validation, norm} {
		chart.LogY(p)
	}
	for _, p := range []*plot.Plot{loss, validation} {
		headroom(p, min(len(curves), mostNamed+2)+1)
	}
	return chart.Write(path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{loss, validation}, []*plot.Plot{rate, norm})
}

// legend puts the legend into the right half of a plot of the given width. Its text is to
// the right of its lines, so it still fits if the font is missing and a wider one is used.
func legend(p *plot.Plot, width vg.Length) {
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.YOffs, p.Legend.Padding = 0.4*width, -vg.Millimeter, vg.Millimeter
}

// headroom raises the top of a logarithmic axis so that a legend of the given number of
// lines fits above the curves.
func headroom(p *plot.Plot, lines int) {
	if _, log := p.Y.Scale.(plot.LogScale); log {
		share := min(0.6, 0.03+0.07*float64(lines)) // of the axis
		p.Y.Max *= math.Pow(p.Y.Max/p.Y.Min, share/(1-share))
	}
}

// mostNamed is how many runs a legend names: those with the best losses. More names would
// cover the curves, and more colours be no longer told apart; the others are pale.
const mostNamed = 8

var paleGrey = color.RGBA{200, 200, 200, 255}

// named returns the names of the runs that the legend names.
func named(curves []Curve) map[string]bool {
	var runs []Curve
	for _, c := range curves {
		if !c.Reference {
			runs = append(runs, c)
		}
	}
	slices.SortStableFunc(runs, func(a, b Curve) int { return cmp.Compare(a.lowest(), b.lowest()) })
	names := map[string]bool{}
	for _, c := range runs[:min(mostNamed, len(runs))] {
		names[c.Name] = true
	}
	return names
}

// lowest returns the lowest validation loss, or without any the last training loss.
func (c Curve) lowest() float64 {
	if best, ok := c.Best(); ok {
		return best.ValLoss
	}
	last, _ := c.Last()
	return last.Loss
}

// rank sorts references before runs, and pale ones before others.
func rank(c Curve, named map[string]bool) int {
	switch {
	case c.Reference:
		return 0
	case !named[c.Name]:
		return 1
	}
	return 2
}

// verdict describes the curve's best evaluation; it is empty if there is none.
func (c Curve) verdict() string {
	best, ok := c.Best()
	if !ok {
		return ""
	}
	return fmt.Sprintf("best %.4f at step %s", best.ValLoss, number.Thousands(best.Step))
}

// shorten returns the end of a name that is longer than most characters.
func shorten(name string, most int) string {
	if r := []rune(name); len(r) > most {
		return "…" + string(r[len(r)-most+1:])
	}
	return name
}

// DrawLoss draws training and validation loss of one run over its steps, and the floor if
// it is known. It writes nothing before the first step.
func DrawLoss(path, title string, all []train.Metrics) error {
	c := Curve{Points: Smooth(all, 1000)}
	training, floors := c.points(trainingLoss), floors([]Curve{c})
	if len(training) == 0 {
		return nil
	}
	p := chart.New(title, "step", "")
	p.Add(plotter.NewGrid())
	legend(p, chart.SlideWidth)
	if err := chart.Line(p, fmt.Sprintf("training (mean of %d steps)", smoothing), training, chart.SkyBlue, nil); err != nil {
		return err
	}
	if err := chart.Line(p, "validation", c.points(validationLoss), chart.Vermillion, nil); err != nil {
		return err
	}
	for _, f := range floors {
		if err := chart.Line(p, floorName, f, chart.Black, chart.Dashes); err != nil {
			return err
		}
	}
	if len(floors) == 0 {
		p.Y.Min = math.Min(p.Y.Min, 0)
	}
	return chart.Write(path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{p})
}
