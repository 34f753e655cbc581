package chart

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// Chinese is drawn with the font that is built in, other characters that Font lacks where the
// computer has a font with them; else they are said to be missing.
func TestFallback(t *testing.T) {
	if got := Unreadable("Genève", "Überraschung → 3 × 4"); got != "" {
		t.Errorf("characters of the own font are missing: %s", got)
	}
	if got := Unreadable("\U0010fffd\U0010fffd a"); got != "\U0010fffd" {
		t.Errorf("a character that no font has: %q", got)
	}
	draw := func(title, name string) []byte {
		path := fixture.NewPath(t, name)
		p := New(title, "", "")
		p.HideAxes()
		if err := Write(path, 300, 100, []*plot.Plot{p}); err != nil {
			t.Fatal(err)
		}
		content := expect.File(t, path)
		return content
	}
	// Chinese is outlines in an SVG picture, other text is text.
	if svg := string(draw("新闻 news", "a.svg")); strings.Contains(svg, "新闻") || !strings.Contains(svg, ">news<") || strings.Count(svg, "<path") < 2 {
		t.Errorf("the SVG lacks the text:\n%s", svg)
	}
	const han = "体育财经"
	if missing := Unreadable(han + "渡船九点离开码头"); missing != "" {
		t.Errorf("the font that is built in lacks %s", missing)
	}
	ink := func(title string) (dark int) {
		picture, err := png.Decode(bytes.NewReader(draw(title, "a.png")))
		if err != nil {
			t.Fatal(err)
		}
		r := picture.Bounds()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if g, _, _, _ := picture.At(x, y).RGBA(); g < 0x8000 {
					dark++
				}
			}
		}
		return dark
	}
	if two, one := ink(han), ink("体"); one < 20 || two < 3*one {
		t.Errorf("%d dark points for four characters, %d for one", two, one)
	}
	p := New("", "", "")
	if wide, narrow := p.Title.TextStyle.Width("体育"), p.Title.TextStyle.Width("ii"); wide < 2*narrow {
		t.Errorf("widths %v and %v", wide, narrow)
	}
}

// A text without end is cut: what a picture has no room for takes no time.
func TestEndlessText(t *testing.T) {
	path := fixture.NewPath(t, "a.svg")
	p := New("e"+strings.Repeat("\u0301", 200_000), "", "")
	if err := Line(p, strings.Repeat("\U0001F468\u200d", 100_000), plotter.XYs{{X: 1, Y: 1}, {X: 2, Y: 2}}, Black, nil); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, SlideWidth, SlideHeight, []*plot.Plot{p}); err != nil {
		t.Fatal(err)
	}
	if text := expect.File(t, path); len(text) > 1<<20 {
		t.Errorf("a picture of %d bytes", len(text))
	}
}
