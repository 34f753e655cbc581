package trace

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"testing"

	"tinygpt/internal/chart"
	"tinygpt/internal/expect"
)

// The picture is XML, whatever the prompt holds, and has a box for each guess and each
// likely token.
func TestWriteSVG(t *testing.T) {
	for _, prompt := range []string{"ab", awkward, strings.Repeat("x", 30)} {
		page, _, _, _ := traced(t, prompt)
		var b bytes.Buffer
		if err := page.WriteSVG(&b); err != nil {
			t.Fatal(err)
		}
		boxes, texts, places := 0, map[string]int{}, map[string]float64{}
		inside, at := "", 0.0
		for token := range expect.XML(t, prompt, b.Bytes()) {
			switch e := token.(type) {
			case xml.StartElement:
				inside = e.Name.Local
				if inside == "rect" {
					boxes++
				}
				for _, a := range e.Attr {
					if a.Name.Local == "x" {
						at, _ = strconv.ParseFloat(a.Value, 64)
					}
				}
			case xml.CharData:
				if inside == "text" {
					texts[strings.TrimSpace(string(e))]++
					places[strings.TrimSpace(string(e))] = at
				}
			}
		}
		columns := min(len(page.Tokens), PictureTokens)
		if want := 1 + columns*len(page.Lens) + guesses; boxes != want {
			t.Errorf("%q: %d boxes, want %d", prompt, boxes, want)
		}
		title := "What the output head would say at each depth"
		if end := places[title] + chart.TextWidth(title, titleSize, true); places["The next token"] < end+margin {
			t.Errorf("%q: the second title begins at %g, where the first one ends at %g", prompt, places["The next token"], end)
		}
		last := page.Tokens[len(page.Tokens)-1].Text
		best := page.Lens[len(page.Lens)-1][len(page.Tokens)-1].Top[0]
		for _, want := range []string{"embeddings", "layer 3", fit(last, 90), percent(best.P), fit(page.Pieces[best.ID], 90)} {
			if texts[want] == 0 {
				t.Errorf("%q: no text %q in %v", prompt, want, texts)
			}
		}
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		text  string
		width float64
		want  string
	}{{" was", 60, "␣was"}, {"incomprehensible", 60, "incom…"}, {"x", 1, "…"}, {"", 10, "…"}} {
		if got := fit(c.text, c.width); got != c.want {
			t.Errorf("%q in %v: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}
