//go:build linux

package reliability

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"tinygpt/internal/chart"
)

// PlotSoak draws what a soak's processes held over the hours, and their speed, work for each
// second of processor time: that of the last ten minutes, divided by that of the whole soak.
// The name's ending says how it is written, as for chart.Write.
func PlotSoak(path string, all []Soaked) error {
	memory := chart.New("Memory", "hours", "resident, MB")
	goroutines := chart.New("Goroutines", "hours", "")
	files := chart.New("File handles", "hours", "")
	speed := chart.New("Work for each second of processor time", "hours", "of the mean")
	var legend []chart.Entry
	for i, c := range soaked {
		list := of(all, c.name)
		color := chart.Colors[i%len(chart.Colors)]
		for p, value := range map[*plot.Plot]func(Soaked) float64{
			memory:     func(m Soaked) float64 { return float64(m.Resident) / 1e6 },
			goroutines: func(m Soaked) float64 { return float64(m.Goroutines) },
			files:      func(m Soaked) float64 { return float64(m.Files) },
		} {
			var points plotter.XYs
			for _, m := range list {
				if y := value(m); y > 0 { // goroutines aren't known at once
					points = append(points, plotter.XY{X: m.Seconds / 3600, Y: y})
				}
			}
			if err := chart.Line(p, "", points, color, nil); err != nil {
				return err
			}
		}
		if err := chart.Line(speed, "", speeds(list), color, nil); err != nil {
			return err
		}
		mark, err := plotter.NewLine(plotter.XYs{{}})
		if err != nil {
			return err
		}
		mark.Color, mark.Width = color, vg.Points(1.5)
		legend = append(legend, chart.Entry{Name: c.name, Marks: []plot.Thumbnailer{mark}})
	}
	for _, p := range []*plot.Plot{memory, goroutines, files, speed} {
		p.Add(plotter.NewGrid())
		p.X.Min, p.Y.Min = 0, 0
	}
	speed.Y.Max = max(speed.Y.Max, 1.5)
	return chart.WriteLegend(path, chart.SlideWidth, chart.SlideHeight, legend, []*plot.Plot{memory, goroutines}, []*plot.Plot{files, speed})
}

// of returns the lines of a process.
func of(all []Soaked, name string) (list []Soaked) {
	for _, m := range all {
		if m.Name == name {
			list = append(list, m)
		}
	}
	return list
}

// speeds returns the work for each second of processor time in the ten minutes before each
// instant, divided by that of the whole soak, over hours.
func speeds(list []Soaked) (points plotter.XYs) {
	if len(list) == 0 {
		return nil
	}
	mean := speed(list[0], list[len(list)-1])
	begin := 0
	for i := range list {
		for list[i].Seconds-list[begin].Seconds > loadPeriod.Seconds() {
			begin++
		}
		if s := speed(list[begin], list[i]); begin > 0 && s > 0 && mean > 0 {
			points = append(points, plotter.XY{X: list[i].Seconds / 3600, Y: s / mean})
		}
	}
	return points
}

// speed returns the work for each second of processor time between two instants; 0 if there
// was none.
func speed(from, to Soaked) float64 {
	if s := (to.Work - from.Work) / (to.CPU - from.CPU); s > 0 && !math.IsInf(s, 0) {
		return s
	}
	return 0
}

// SoakTable returns a table in Markdown that compares the first and the last quarter of a
// soak, without its first minute: the medians of what was held, and the speed.
func SoakTable(all []Soaked) string {
	var b strings.Builder
	b.WriteString("| process | hours | processor seconds | work | memory, MB | goroutines | file handles | work a processor second |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range soaked {
		list := slices.DeleteFunc(of(all, c.name), func(m Soaked) bool { return m.Seconds < 60 })
		if len(list) < 8 {
			continue
		}
		first, last := list[:len(list)/4], list[len(list)-len(list)/4:]
		both := func(format string, value func(Soaked) float64) string {
			return fmt.Sprintf(format, median(first, value), median(last, value))
		}
		end := list[len(list)-1]
		fmt.Fprintf(&b, "| %s | %.2f | %.0f | %.0f %s | %s | %s | %s | %.4g → %.4g |\n", c.name, end.Seconds/3600, end.CPU, end.Work, c.unit,
			both("%.1f → %.1f", func(m Soaked) float64 { return float64(m.Resident) / 1e6 }),
			both("%.0f → %.0f", func(m Soaked) float64 { return float64(m.Goroutines) }),
			both("%.0f → %.0f", func(m Soaked) float64 { return float64(m.Files) }),
			speed(first[0], first[len(first)-1]), speed(last[0], last[len(last)-1]))
	}
	return b.String()
}

func median(list []Soaked, value func(Soaked) float64) float64 {
	var all []float64
	for _, m := range list {
		all = append(all, value(m))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
