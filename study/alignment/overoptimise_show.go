package alignment

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"tinygpt/internal/chart"
	"tinygpt/internal/terminal"
)

// OveroptimisationPicture is the picture in the experiment's folder.
const OveroptimisationPicture = "overoptimise.svg"

// curve is the course of optimising for the proxies of one amount of data by one method: means
// over seeds.
type curve struct {
	prompts     int
	d           []float64 // √KL
	proxy, gold []float64 // gained since the start
	tokens      []float64
	accuracy    float64
}

// curvesOf returns the curves of a method, by growing amount of data.
func curvesOf(points []Point, method string) (list []curve) {
	var sizes []int
	for _, p := range points {
		if p.Method == method && !slices.Contains(sizes, p.Prompts) {
			sizes = append(sizes, p.Prompts)
		}
	}
	slices.Sort(sizes)
	for _, n := range sizes {
		type sum struct{ count, kl, proxy, gold, tokens, accuracy float64 }
		sums := map[int]*sum{}
		var steps []int
		for _, p := range points {
			if p.Method != method || p.Prompts != n {
				continue
			}
			s := sums[p.Step]
			if s == nil {
				s = &sum{}
				sums[p.Step] = s
				steps = append(steps, p.Step)
			}
			s.count++
			s.kl, s.proxy, s.gold, s.tokens, s.accuracy = s.kl+p.KL, s.proxy+p.Proxy, s.gold+p.Gold, s.tokens+p.Tokens, s.accuracy+p.Accuracy
		}
		slices.Sort(steps)
		c := curve{prompts: n}
		first := sums[steps[0]]
		for _, step := range steps {
			s := sums[step]
			c.d = append(c.d, math.Sqrt(s.kl/s.count))
			c.proxy = append(c.proxy, s.proxy/s.count-first.proxy/first.count)
			c.gold = append(c.gold, s.gold/s.count-first.gold/first.count)
			c.tokens = append(c.tokens, s.tokens/s.count)
			c.accuracy = s.accuracy / s.count
		}
		list = append(list, c)
	}
	return list
}

// dots is the line pattern of fits.
var dots = []vg.Length{vg.Points(1.5), vg.Points(2.5)}

// fits has f(d) of the law of Gao et al. for each method, see fitted.
var fits = map[string]func(float64) float64{
	methodBestOf: func(d float64) float64 { return d },
	methodPPO:    func(d float64) float64 { return math.Log(d) },
}

// fit fits the law to gold's curve.
func (c curve) fit(method string) (fitted, bool) {
	var d, gold []float64
	for i := range c.d {
		if c.d[i] > 0.05 {
			d, gold = append(d, c.d[i]), append(gold, c.gold[i])
		}
	}
	return fit(d, gold, fits[method])
}

// peak returns where the smoothed curve of gold is highest, and its height there.
func (c curve) peak() (d, gold float64) {
	gold = math.Inf(-1)
	for i := range c.d {
		low, high := max(0, i-2), min(len(c.d), i+3)
		if len(c.d) < 15 { // best of n: each is a mean already
			low, high = i, i+1
		}
		m := 0.0
		for _, g := range c.gold[low:high] {
			m += g / float64(high-low)
		}
		if m > gold {
			d, gold = c.d[i], m
		}
	}
	return d, gold
}

// ShowOveroptimisation prints a table with the peak and the end of each curve, and the fits.
func ShowOveroptimisation(out io.Writer, points []Point) {
	rows := [][]string{{"method"}, {"prompts"}, {"right about pairs"}, {"gold's peak"}, {"  at √KL"}, {"gold at the end"}, {"proxy at the end"}, {"tokens"}, {"α"}, {"β"}}
	for _, method := range []string{methodBestOf, methodPPO} {
		for _, c := range curvesOf(points, method) {
			last := len(c.d) - 1
			d, gold := c.peak()
			alpha, beta := "too few points", ""
			if f, ok := c.fit(method); ok {
				alpha, beta = fmt.Sprintf("%.3f ± %.3f", f.Alpha, f.AlphaError), fmt.Sprintf("%.3f ± %.3f", f.Beta, f.BetaError)
			}
			for i, cell := range []string{method, fmt.Sprint(c.prompts), fmt.Sprintf("%.1f %%", 100*c.accuracy), fmt.Sprintf("%.3f", gold), fmt.Sprintf("%.2f", d),
				fmt.Sprintf("%.3f", c.gold[last]), fmt.Sprintf("%.3f", c.proxy[last]), fmt.Sprintf("%.0f → %.0f", c.tokens[0], c.tokens[last]), alpha, beta} {
				rows[i] = append(rows[i], cell)
			}
		}
	}
	fmt.Fprintf(out, "%sgold = d·(α − β·f(d)), d = √KL; f(d) = d of best of n, ln d of PPO\n", terminal.SideBySide(rows, terminal.Width(out)))
}

// DrawOveroptimisation draws gold (solid), the proxy (dashed) and the fits (dotted) over
// √KL, one colour for each amount of data.
func DrawOveroptimisation(dir string, points []Point) error {
	var plots []*plot.Plot
	for _, method := range []string{methodBestOf, methodPPO} {
		curves := curvesOf(points, method)
		if len(curves) == 0 {
			continue
		}
		p := chart.New(map[string]string{methodBestOf: "Best of n", methodPPO: "PPO without a price of KL"}[method],
			"distance from the SFT model, √KL", "gained: gold ——, proxy – –, fit ····")
		p.Add(plotter.NewGrid())
		p.Legend.Top, p.Legend.Left = true, true
		for i, c := range curves {
			color := chart.Colors[i%len(chart.Colors)]
			line := func(y []float64) (xy plotter.XYs) {
				for j := range c.d {
					xy = append(xy, plotter.XY{X: c.d[j], Y: y[j]})
				}
				return xy
			}
			name := fmt.Sprintf("%d prompts, right %.0f %%", c.prompts, 100*c.accuracy)
			if err := chart.Line(p, name, line(c.gold), color, nil); err != nil {
				return err
			}
			if err := chart.Line(p, "", line(c.proxy), color, chart.Dashes); err != nil {
				return err
			}
			if f, ok := c.fit(method); ok {
				var xy plotter.XYs
				last := slices.Max(c.d)
				for k := 1; k <= 60; k++ {
					d := last * float64(k) / 60
					xy = append(xy, plotter.XY{X: d, Y: d * (f.Alpha - f.Beta*fits[method](d))})
				}
				if err := chart.Line(p, "", xy, color, dots); err != nil {
					return err
				}
			}
		}
		plots = append(plots, p)
	}
	return chart.Write(filepath.Join(dir, OveroptimisationPicture), chart.SlideWidth, chart.SlideHeight, plots)
}
