package trace

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

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
		boxes, texts := 0, map[string]int{}
		inside := ""
		for token := range expect.XML(t, prompt, b.Bytes()) {
			switch e := token.(type) {
			case xml.StartElement:
				inside = e.Name.Local
				if inside == "rect" {
					boxes++
				}
			case xml.CharData:
				if inside == "text" {
					texts[strings.TrimSpace(string(e))]++
				}
			}
		}
		columns := min(len(page.Tokens), PictureTokens)
		if want := 1 + columns*len(page.Lens) + guesses; boxes != want {
			t.Errorf("%q: %d boxes, want %d", prompt, boxes, want)
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
