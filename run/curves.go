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
// to the last step of all curves. Of very many different ones, which no text has, it takes
// the first.
func floors(curves []Curve) (lines []plotter.XYs) {
	const most = 100
	var values []float64
	last := 0
	for _, c := range curves {
		for _, m := range c.Points {
			last = max(last, m.Step)
			if m.Floor != 0 && len(values) < most && !slices.Contains(values, m.Floor) {
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

// Unit is what losses are measured in.
type Unit string

const (
	NatsPerToken Unit = "nats per token"
	// BitsPerByte compares runs whose tokens are of other lengths.
	BitsPerByte Unit = "bits per byte"
)

// Comparable returns the curves in a unit in which they can be compared: bits per byte if their
// tokenizers differ, since a token of one run then says more than one of another.
func Comparable(curves []Curve) ([]Curve, Unit) {
	unit, list := unitOf(curves), make([]Curve, len(curves))
	for i, c := range curves {
		list[i] = c.in(unit)
	}
	return list, unit
}

func unitOf(curves []Curve) Unit {
	var least, most float64
	for _, c := range curves {
		bits, ok := c.bitsPerNat()
		if !ok {
			return NatsPerToken // there is nothing to convert with
		}
		if least == 0 || bits < least {
			least = bits
		}
		most = max(most, bits)
	}
	if most > 1.001*least {
		return BitsPerByte
	}
	return NatsPerToken
}

// bitsPerNat is how many bits per byte of the validation text a nat per token is; false if the
// run has no evaluation that says so.
func (c Curve) bitsPerNat() (bits float64, ok bool) {
	for _, m := range slices.Backward(c.Points) {
		if m.ValLoss > 0 && m.BitsPerByte > 0 && m.Context == 0 {
			return m.BitsPerByte / m.ValLoss, true
		}
	}
	return 0, false
}

// in returns the curve with its losses in a unit. That of training is converted as that of
// validation is, the bytes of its tokens being nearly the same.
func (c Curve) in(unit Unit) Curve {
	bits, ok := c.bitsPerNat()
	if unit != BitsPerByte || !ok {
		return c
	}
	c.Points = slices.Clone(c.Points)
	for i := range c.Points {
		m := &c.Points[i]
		m.Loss, m.ValLoss, m.Floor = m.Loss*bits, m.ValLoss*bits, m.Floor*bits
	}
	return c
}

// DrawCurves draws training loss, validation loss, learning rate and gradient norm of
// several runs into one picture, a PNG or SVG by the ending of path. Losses are as
// Comparable has them.
func DrawCurves(path string, curves []Curve) error {
	order, unit := Comparable(curves)
	loss := chart.New("Training loss", "", string(unit))
	validation := chart.New("Validation loss", "", string(unit))
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
	named := named(order)
	notNamed := 0
	for _, c := range order {
		if !c.Reference && !named[c.Name] {
			notNamed++
		}
	}
	slices.SortStableFunc(order, func(a, b Curve) int { return cmp.Compare(rank(a, named), rank(b, named)) })
	for _, p := range panels {
		p.plot.Add(plotter.NewGrid())
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
	for i, f := range floors(order) {
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
	// Room for a legend of many lines.
	height := chart.SlideHeight + vg.Length(24*max(0, min(len(curves), mostNamed+2)-3))
	return chart.Write(path, chart.SlideWidth, height, []*plot.Plot{loss, validation}, []*plot.Plot{rate, norm})
}

// mostNamed is how many runs a legend names: those with the best losses. More names would
// cover the curves, and more colours couldn't be told apart; the others are pale.
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

// lossCurve draws training and validation loss of one run over its steps, and the floor if
// it is known.
type lossCurve struct {
	path, title string
	smoother
}

func newLossCurve(path, title string) *lossCurve {
	return &lossCurve{path: path, title: title, smoother: smoother{most: 1000}}
}

// Add implements train.Curve.
func (l *lossCurve) Add(m train.Metrics) { l.add(m) }

// Draw implements train.Curve. It writes nothing before the first step.
func (l *lossCurve) Draw() error {
	c := Curve{Points: l.points()}
	training, floors := c.points(trainingLoss), floors([]Curve{c})
	if len(training) == 0 {
		return nil
	}
	p := chart.New(l.title, "step", "")
	p.Add(plotter.NewGrid())
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
	return chart.Write(l.path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{p})
}
