package ladder

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tinygpt/internal/chart"
	"tinygpt/study/scaling/powerlaw"
)

// The pictures, each as PNG and SVG.
const (
	curvesPicture  = "curves"  // loss while training
	sizePicture    = "size"    // the law in N
	computePicture = "compute" // loss while training and the law, in operations
)

var (
	measuredColor  = chart.Blue
	predictedColor = chart.Vermillion
	largestColor   = chart.Orange
	limitColor     = chart.Green
	floorColor     = chart.Black
)

// sizeColors go from dark to light with growing size, so that their order shows in a grey
// print too: points of viridis (Smith and van der Walt 2015).
var sizeColors = []color.RGBA{{68, 1, 84, 255}, {65, 68, 135, 255}, {42, 120, 142, 255}, {34, 168, 132, 255}, {122, 209, 81, 255}}

// sizeColor returns the colour of size i of n.
func sizeColor(i, n int) color.RGBA {
	if n == 1 {
		return sizeColors[0]
	}
	at := float64(i) / float64(n-1) * float64(len(sizeColors)-1)
	k := min(int(at), len(sizeColors)-2)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (at-float64(k))*(float64(b)-float64(a)) + 0.5) }
	a, b := sizeColors[k], sizeColors[k+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// draw writes the pictures into a folder and returns the paths of the SVG ones.
func (a Analysis) draw(dir string) (paths []string, err error) {
	for _, picture := range []struct {
		name string
		plot func() (*plot.Plot, error)
	}{{curvesPicture, a.curves}, {sizePicture, a.sizes}, {computePicture, a.compute}} {
		for _, ending := range []string{".png", ".svg"} {
			p, err := picture.plot()
			if err != nil {
				return nil, err
			}
			path := filepath.Join(dir, picture.name+ending)
			if err := chart.Write(path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{p}); err != nil {
				return nil, err
			}
			if ending == ".svg" {
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}

// logPlot returns an empty plot of two logarithmic axes, with letters that can be read from
// the back of a room.
func logPlot(title, x string, xLabel func(float64) string) *plot.Plot {
	p := chart.New(title, x, "loss, bits per byte")
	p.Title.TextStyle.Font.Size = 20
	p.Title.Padding = 8
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Scale = plot.LogScale{}
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = 18, 16
		axis.Label.Padding = 6
	}
	p.X.Tick.Marker = logTicks(xLabel)
	p.Y.Tick.Marker = plot.TickerFunc(chart.LogTicks)
	p.Legend.TextStyle.Font.Size = 16
	p.Legend.Top, p.Legend.Padding = true, 3
	p.Legend.XOffs, p.Legend.YOffs = -vg.Centimeter/2, -vg.Centimeter/3
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	return p
}

// logTicks sets ticks at 1 and 3 of each decade. The function returns a tick's label.
type logTicks func(v float64) string

// Ticks returns the ticks within [least, most]; none for an axis that can't be logarithmic.
func (l logTicks) Ticks(least, most float64) (ticks []plot.Tick) {
	if !(least > 0) || math.IsInf(most, 0) {
		return nil
	}
	for decade := math.Pow(10, math.Floor(math.Log10(least))); decade <= most; decade *= 10 {
		for _, v := range []float64{decade, 3 * decade} {
			if v >= least && v <= most {
				ticks = append(ticks, plot.Tick{Value: v, Label: l(v)})
			}
		}
	}
	return ticks
}

// short writes 30k, 1M.
func short(v float64) string {
	switch {
	case v >= 1e9:
		return fmt.Sprintf("%.3gB", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.3gk", v/1e3)
	}
	return fmt.Sprintf("%.3g", v)
}

// scientific writes 3e12.
func scientific(v float64) string {
	exponent := math.Floor(math.Log10(v) + 1e-9)
	return fmt.Sprintf("%.0fe%.0f", v/math.Pow(10, exponent), exponent)
}

// line adds a line and, unless name is empty, its place in the legend.
func line(p *plot.Plot, name string, points plotter.XYs, c color.Color, width float64, dashed bool) error {
	l, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	l.Color, l.Width = c, vg.Points(width)
	if dashed {
		l.Dashes = []vg.Length{vg.Points(7), vg.Points(5)}
	}
	p.Add(l)
	if name != "" {
		p.Legend.Add(name, l)
	}
	return nil
}

// dots adds points.
func dots(p *plot.Plot, name string, points plotter.XYs, c color.Color, shape draw.GlyphDrawer, radius float64) error {
	s, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	s.Color, s.Shape, s.Radius = c, shape, vg.Points(radius)
	p.Add(s)
	if name != "" {
		p.Legend.Add(name, s)
	}
	return nil
}

// curve returns a model's training loss, in bits per byte, against the share of its training
// that is done, smoothed and thinned.
func (r Result) curve() (points plotter.XYs) {
	steps, mean, weight := 0, 0.0, 0.0
	perNat := r.BitsPerByte / r.Loss
	total := 0
	for _, m := range r.metrics {
		total = max(total, m.Step)
	}
	for _, m := range r.metrics {
		if m.ValLoss != 0 {
			continue
		}
		// An exponential mean over about a fortieth of the training, divided by the sum of
		// its weights, which is less than 1 at the start.
		keep := 1 - math.Min(40/float64(total), 1)
		mean, weight = keep*mean+(1-keep)*m.Loss, keep*weight+(1-keep)
		steps++
		if steps%max(total/400, 1) == 0 || m.Step == total {
			points = append(points, plotter.XY{X: float64(m.Step) / float64(total), Y: mean / weight * perNat})
		}
	}
	return points
}

// curvesOver draws the curves of the first seed, with x at the end of each training.
func (a Analysis) curvesOver(p *plot.Plot, end func(Result) float64, names bool) error {
	results := oneSeed(a.Results, a.Results[0].Seed)
	for i, r := range results {
		points := r.curve()
		for k := range points {
			points[k].X *= end(r)
		}
		// The steps of the first hundredth would take half of a logarithmic axis.
		points = slices.DeleteFunc(points, func(q plotter.XY) bool { return q.X < end(r)/100 })
		if len(points) == 0 {
			continue
		}
		name := ""
		if names {
			name = fmt.Sprintf("%s: %s", r.Shape, short(float64(r.NonEmbedding)))
		}
		if err := line(p, name, points, sizeColor(i, len(results)), 2.2, false); err != nil {
			return err
		}
	}
	return nil
}

// floor draws the entropy of the text from one x to another.
func (a Analysis) floor(p *plot.Plot, from, to float64) error {
	if a.Floor == 0 {
		return nil
	}
	return line(p, fmt.Sprintf("entropy of the text: %.3f", a.Floor), plotter.XYs{{X: from, Y: a.Floor}, {X: to, Y: a.Floor}}, floorColor, 2, true)
}

// curves returns the picture of loss against tokens.
func (a Analysis) curves() (*plot.Plot, error) {
	p := logPlot("Larger models learn more from the same text", "tokens seen", short)
	// Below the curves, and above the floor.
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs, p.Legend.YOffs = false, true, vg.Centimeter/2, 2*vg.Centimeter
	end := float64(a.Tokens)
	if err := a.curvesOver(p, func(r Result) float64 { return end }, true); err != nil {
		return nil, err
	}
	return p, a.floor(p, end/100, end)
}

// law draws a law from one x to another.
func law(p *plot.Plot, name string, l powerlaw.Law, from, to float64, c color.Color, dashed bool) error {
	var points plotter.XYs
	const n = 200
	for i := range n + 1 {
		x := from * math.Pow(to/from, float64(i)/n)
		points = append(points, plotter.XY{X: x, Y: l.At(x)})
	}
	return line(p, name, points, c, 2, dashed)
}

// fitted draws the measured losses, the law of the smaller models, and the loss that it
// predicts for the largest.
func (a Analysis) fitted(p *plot.Plot, f Fit, x func(Result) float64, name string) error {
	var smaller, largest plotter.XYs
	for _, r := range a.Results {
		if q := (plotter.XY{X: x(r), Y: r.BitsPerByte}); r.Shape == f.Prediction.Shape {
			largest = append(largest, q)
		} else {
			smaller = append(smaller, q)
		}
	}
	least, most, at := smaller[0].X, smaller[0].X, largest[0].X
	for _, q := range smaller {
		least, most = min(least, q.X), max(most, q.X)
	}
	l := f.Smaller
	if err := law(p, fmt.Sprintf("smaller models: %.3f + (%s/%s)^%.2f", l.E, scaleOf(l.C), name, l.Alpha), l, least, most, measuredColor, false); err != nil {
		return err
	}
	if err := law(p, "", l, most, at*2, measuredColor, true); err != nil {
		return err
	}
	if err := dots(p, "", smaller, measuredColor, draw.CircleGlyph{}, 6); err != nil {
		return err
	}
	q := f.Prediction
	if q.High > 0 {
		// A longer bar would leave little of the picture for the points.
		var b chart.Bars
		b.Add(at, q.Predicted, q.Predicted-max(q.Low, q.Predicted/2), min(q.High, 2*q.Predicted)-q.Predicted)
		bar, err := plotter.NewYErrorBars(b)
		if err != nil {
			return err
		}
		bar.Color, bar.Width, bar.CapWidth = predictedColor, vg.Points(2), vg.Points(12)
		p.Add(bar)
	}
	// What was predicted is drawn over what was measured, and smaller.
	if err := dots(p, fmt.Sprintf("%s measured: %.4f (%.1f %% off)", q.Shape, q.Measured, 100*q.Off), largest, largestColor, draw.BoxGlyph{}, 8); err != nil {
		return err
	}
	return dots(p, fmt.Sprintf("%s predicted: %.4f", q.Shape, q.Predicted), plotter.XYs{{X: at, Y: q.Predicted}}, predictedColor, draw.PyramidGlyph{}, 5)
}

// scaleOf writes C of a law.
func scaleOf(c float64) string {
	if c >= 1e9 || c < 1 {
		return fmt.Sprintf("%.1e", c)
	}
	return short(c)
}

// lowestE is the lowest E that is drawn, as a part of the largest model's loss.
const lowestE = 0.2

// sizes returns the picture of loss against parameters.
func (a Analysis) sizes() (*plot.Plot, error) {
	f := a.Size
	p := logPlot(fmt.Sprintf("Loss falls with size as E + (Nc/N)^α: R² = %.4f", f.All.R2), "N, parameters without embeddings", short)
	if err := a.fitted(p, f, Result.size, "N"); err != nil {
		return nil, err
	}
	from, to := a.Results[0].size(), 2*a.Results[len(a.Results)-1].size()
	e, _ := f.All.Errors()
	// An E near 0 would push the points together on a logarithmic axis, and one at the
	// entropy has its line already: both are only named in the legend.
	name := "E, all models: " + plusMinus(f.All.E, e)
	if f.All.AtFloor {
		name = "E, all models: held at the entropy"
	}
	if f.All.AtFloor || f.All.E < lowestE*f.Prediction.Measured {
		p.Legend.Add(name)
	} else if err := line(p, name, plotter.XYs{{X: from, Y: f.All.E}, {X: to, Y: f.All.E}}, limitColor, 2, true); err != nil {
		return nil, err
	}
	return p, a.floor(p, from, to)
}

// compute returns the picture of loss against operations.
func (a Analysis) compute() (*plot.Plot, error) {
	f := a.Compute
	p := logPlot(fmt.Sprintf("Loss against compute: R² = %.4f", f.All.R2), "training FLOP", scientific)
	x := func(r Result) float64 { return r.FLOP }
	if err := a.curvesOver(p, x, false); err != nil {
		return nil, err
	}
	if err := a.fitted(p, f, x, "C"); err != nil {
		return nil, err
	}
	return p, a.floor(p, a.Results[0].FLOP/100, 2*a.Results[len(a.Results)-1].FLOP)
}
