package train

import (
	"image/color"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Okabe and Ito's palette, which colour-blind readers can tell apart.
var (
	trainColor = color.RGBA{86, 180, 233, 255}
	valColor   = color.RGBA{213, 94, 0, 255}
	floorColor = color.RGBA{0, 0, 0, 255}
)

// writeLossCurve draws training and validation loss over the steps, and the
// floor (nats per token, 0 if unknown), as an SVG file.
func writeLossCurve(path, title string, all []Metrics, floor float64) error {
	var training, validation plotter.XYs
	var mean, weight float64
	for _, m := range all {
		if m.ValLoss != 0 {
			validation = append(validation, plotter.XY{X: float64(m.Step), Y: m.ValLoss})
			continue
		}
		// Single batches jump about: an exponential mean over some 20 steps, free
		// of the bias to its start.
		mean, weight = 0.95*mean+0.05*m.Loss, 0.95*weight+0.05
		training = append(training, plotter.XY{X: float64(m.Step), Y: mean / weight})
	}
	if len(training) == 0 {
		return nil
	}
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = "step"
	// Its text is to the right of its lines: it has room where the font is missing
	// and a wider one takes its place.
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs = true, true, 9*vg.Centimeter
	p.Add(plotter.NewGrid())
	add := func(name string, points plotter.XYs, c color.Color, dashed bool) error {
		if len(points) == 0 {
			return nil
		}
		l, err := plotter.NewLine(thin(points, 1000))
		if err != nil {
			return err
		}
		l.Color, l.Width = c, vg.Points(1.5)
		if dashed {
			l.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		p.Add(l)
		p.Legend.Add(name, l)
		return nil
	}
	last := training[len(training)-1].X
	if err := add("training (mean of 20 steps)", training, trainColor, false); err != nil {
		return err
	}
	if err := add("validation", validation, valColor, false); err != nil {
		return err
	}
	if floor > 0 {
		if err := add("floor: entropy of the text", plotter.XYs{{X: 0, Y: floor}, {X: last, Y: floor}}, floorColor, true); err != nil {
			return err
		}
	}
	p.Y.Min = math.Min(p.Y.Min, math.Max(floor, 0))
	c := vgsvg.New(18*vg.Centimeter, 11*vg.Centimeter)
	p.Draw(draw.Crop(draw.New(c), 0, -vg.Centimeter/2, 0, -vg.Centimeter/4))
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	if _, err := c.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// thin keeps at most about n of the points, the last one included.
func thin(points plotter.XYs, n int) plotter.XYs {
	every := len(points)/n + 1
	var out plotter.XYs
	for i, p := range points {
		if i%every == 0 || i == len(points)-1 {
			out = append(out, p)
		}
	}
	return out
}
