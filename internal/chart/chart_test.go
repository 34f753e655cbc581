package chart

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// drawn is a plot with a line.
func drawn(t *testing.T, points ...float64) *plot.Plot {
	t.Helper()
	p := New("title & more", "x", "y")
	var xys plotter.XYs
	for i, y := range points {
		xys = append(xys, plotter.XY{X: float64(i), Y: y})
	}
	if err := Line(p, "a <line>", xys, Blue, Dashes); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.png", "a.svg"} {
		p := drawn(t, 7, 2, 1)
		LogY(p)
		if err := Write(filepath.Join(dir, name), SlideWidth, SlideHeight, []*plot.Plot{p, drawn(t, 1, 2)}, []*plot.Plot{drawn(t, 0, -1), drawn(t)}); err != nil {
			t.Fatal(err)
		}
	}
	expect.PNG(t, filepath.Join(dir, "a.png"), 1280, 720)
	expect.SVG(t, filepath.Join(dir, "a.svg"), "title &amp; more", "a &lt;line&gt;", "'Liberation Sans',Arial")
	if err := Write(filepath.Join(dir, "a.gif"), 10, 10, []*plot.Plot{drawn(t)}); err == nil || !strings.Contains(err.Error(), "ends in .png or .svg") {
		t.Error(err)
	}
	if err := Write(filepath.Join(dir, "no", "a.png"), 10, 10, []*plot.Plot{drawn(t)}); err == nil {
		t.Error("a folder that isn't there is no error")
	}
	expect.Folder(t, dir, "a.png", "a.svg")
}

// Numbers further apart than the largest number are refused: their places would be no numbers.
func TestTooFarApart(t *testing.T) {
	p := New("", "", "")
	if err := Line(p, "", plotter.XYs{{X: 1, Y: -1e308}, {X: 2, Y: 1e308}}, Black, nil); err != nil {
		t.Fatal(err)
	}
	path := fixture.NewPath(t, "a.svg")
	expect.OneLine(t, Write(path, SlideWidth, SlideHeight, []*plot.Plot{p}), path+": no picture has room for numbers from -1e+308 to 1e+308")
}

// A logarithmic axis with numbers that have no logarithm is an error.
func TestNoLogarithm(t *testing.T) {
	for _, low := range []float64{0, -1} {
		p := New("", "", "")
		if err := Line(p, "", plotter.XYs{{X: 1, Y: low}, {X: 2, Y: 3}}, Black, nil); err != nil {
			t.Fatal(err)
		}
		p.Y.Scale = plot.LogScale{}
		expect.OneLine(t, Write(fixture.NewPath(t, "a.svg"), SlideWidth, SlideHeight, []*plot.Plot{p}), "a logarithmic axis has no place for numbers from")
	}
	empty := New("", "", "")
	empty.X.Scale = plot.LogScale{}
	expect.OneLine(t, Write(fixture.NewPath(t, "a.svg"), SlideWidth, SlideHeight, []*plot.Plot{empty}), "a logarithmic axis")
}

func TestLogTicks(t *testing.T) {
	for _, low := range []float64{0, -1, math.Inf(-1), math.NaN()} { // comes to an end
		if n := len(LogTicks(low, 100)); n > 20 {
			t.Errorf("%d ticks from %v on", n, low)
		}
	}
	for _, k := range []struct {
		low, high float64
		want      string
	}{
		{0.4, 8, "0.5 1 2 5"}, {1, 1, "1"}, {1e-3, 2e2, "0.001 0.01 0.1 1 10 100"}, {90, 210, "100 120 140 160 180 200"}, {1.7, 2.4, "1.8 2.0 2.2 2.4"},
	} {
		var labels []string
		for _, tick := range LogTicks(k.low, k.high) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != k.want {
			t.Errorf("%v to %v: %s, want %s", k.low, k.high, got, k.want)
		}
	}
}

// Ticks are where matplotlib's MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]) has them.
func TestTicks(t *testing.T) {
	for _, k := range []struct {
		low, high float64
		want      string
	}{
		{0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"}, {0, 1776, "0 250 500 750 1,000 1,250 1,500 1,750"}, {-3, 4, "-3 -2 -1 0 1 2 3 4"},
		{0, 0.003, "0.0000 0.0005 0.0010 0.0015 0.0020 0.0025 0.0030"}, {2.1, 2.35, "2.10 2.15 2.20 2.25 2.30 2.35"},
		{0, 2.5e-5, "0 5e-6 1e-5 1.5e-5 2e-5 2.5e-5"}, {0, 3e8, "0 5e7 1e8 1.5e8 2e8 2.5e8 3e8"}, {5, 5, "5"}, {0.001, 0.0010000000000000002, "0.001"},
		{1e22, 1e22 + 1<<21, "1e22"}, {5e-324, 1e-323, "4.941e-324"}, {0, 12, "0 2 4 6 8 10 12"},
	} {
		var labels []string
		for _, tick := range Ticks(7).Ticks(k.low, k.high) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != k.want {
			t.Errorf("%v to %v: %s, want %s", k.low, k.high, got, k.want)
		}
	}
}

// A single point is a dot, and the legend is below the axes: where the data is, it covers
// nothing. Each text has its length.
func TestDotAndLegend(t *testing.T) {
	path := fixture.NewPath(t, "a.svg")
	p := drawn(t, 3)
	if err := Write(path, SlideWidth, SlideHeight, []*plot.Plot{p}); err != nil {
		t.Fatal(err)
	}
	text := expect.File(t, path)
	if !regexp.MustCompile(`d="M[^"]*A[0-9.]+`).Match(text) {
		t.Errorf("no dot in\n%s", text)
	}
	y := func(content string) (y float64) {
		m := regexp.MustCompile(`y="([-0-9.]+)"[^>]*>` + content + `</text>`).FindSubmatch(text)
		if m == nil {
			t.Fatalf("no text %s", content)
		}
		y, _ = strconv.ParseFloat(string(m[1]), 64)
		return -y
	}
	if legend, axis := y("a &lt;line&gt;"), y("x"); legend >= axis {
		t.Errorf("the legend's height is %v, that of the axis' name %v", legend, axis)
	}
	if background := regexp.MustCompile(`<path d="M0,0L960,0L960,540L0,540Z" style="fill:#FFFFFF"`); !background.Match(text) {
		t.Errorf("no white background below all in\n%.600s", text)
	}
	if texts, lengths := strings.Count(string(text), "<text"), strings.Count(string(text), `lengthAdjust="spacingAndGlyphs"`); texts < 5 || lengths != texts {
		t.Errorf("%d texts, %d with their length", texts, lengths)
	}
}

// The axis of a constant is of its size.
func TestConstant(t *testing.T) {
	path := fixture.NewPath(t, "a.svg")
	if err := Write(path, SlideWidth, SlideHeight, []*plot.Plot{drawn(t, 0.001, 0.001, 0.001)}); err != nil {
		t.Fatal(err)
	}
	expect.SVG(t, path, "0.0010", "0.0020")
	if bytes.Contains(expect.File(t, path), []byte(">-0.")) {
		t.Error("a constant of a thousandth is drawn on an axis of 1")
	}
}

// A logarithmic axis has a tick however little the values differ, and values that have
// no logarithm keep the linear one.
func TestLogY(t *testing.T) {
	for _, points := range [][]float64{{3, 3}, {0.31, 0.32}, {7, 7.1}, {1e-9, 1e9}} {
		p := drawn(t, points...)
		LogY(p)
		if ticks := p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max); len(ticks) == 0 || !slices.IsSortedFunc(ticks, func(a, b plot.Tick) int { return int(math.Copysign(1, a.Value-b.Value)) }) {
			t.Errorf("%v: ticks %v", points, ticks)
		}
	}
	for _, points := range [][]float64{{0, 1}, {-1, 1}, {}} {
		p := drawn(t, points...)
		LogY(p)
		if _, linear := p.Y.Scale.(plot.LinearScale); !linear {
			t.Errorf("%v: %T", points, p.Y.Scale)
		}
	}
}

// Widths are those of the typeface, which browsers have under one of Families.
func TestTextWidth(t *testing.T) {
	plain, bold := TextWidth("forward", 12, false), TextWidth("forward", 12, true)
	if plain < 36 || plain > 42 || bold <= plain {
		t.Errorf("widths %v, bold %v", plain, bold)
	}
	if double := TextWidth("forward", 24, false); math.Abs(double-2*plain) > 0.1 {
		t.Errorf("width %v at 12, %v at 24", plain, double)
	}
}

// TestLargest: no picture takes more than some slides.
func TestLargest(t *testing.T) {
	path := fixture.NewPath(t, "x.svg")
	if err := Write(path, 1800*vg.Centimeter, 1800*vg.Centimeter, []*plot.Plot{New("", "x", "y")}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte("viewBox=\"0 0 3840 2160\"")) {
		t.Errorf("%.300s, %v", text, err)
	}
}
