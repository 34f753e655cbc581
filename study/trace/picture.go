package trace

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"

	"tinygpt/internal/chart"
	"tinygpt/internal/number"
)

//go:embed picture.svg
var pictureSVG string

var picture = template.Must(template.New("picture").Parse(pictureSVG))

// PictureTokens is how many positions a picture shows at most: the last ones of the prompt.
const PictureTokens = 10

// Sizes of the picture, in pixels.
const (
	margin     = 16
	titleSize  = 15 // of a title, in picture.svg
	titleLine  = 20 // from a title's base line to what is under it
	cellHeight = 22
	depthWidth = 84 // names of the rows
	minCell    = 56
	maxCell    = 110
	pieceWidth = 90 // of the candidates on the right
	barWidth   = 150
	rateWidth  = 56
)

// rectangle is a box of the picture: a guess of the lens, or a bar.
type rectangle struct {
	X, Y, Width, Height float64
	Fill                template.CSS
	Tip                 string // for whoever points at it
}

type label struct {
	X, Y        float64
	Text, Class string
}

// drawing is what the picture's template shows.
type drawing struct {
	Width, Height float64
	Families      template.CSS
	Cells         []rectangle
	Texts         []label
}

// WriteSVG draws two parts of the page: what the output head would say at each depth and
// position (the logit lens), and the likeliest next tokens. Of a long prompt it shows the
// last PictureTokens positions.
func (p *Page) WriteSVG(w io.Writer) error {
	d := &drawing{Families: chart.Families}
	left := d.lens(p)
	right := d.candidates(p, left+2*margin)
	d.Width = right + margin
	d.Height = margin + 2*titleLine + cellHeight*float64(len(p.Lens)+1) + margin
	return picture.Execute(w, d)
}

// lens draws the table of guesses and returns its right edge, or that of its title, which
// is wider than the table of a short prompt.
func (d *drawing) lens(p *Page) float64 {
	const title = "What the output head would say at each depth"
	first := max(len(p.Tokens)-PictureTokens, 0)
	top := float64(margin + titleLine)
	d.write(margin, margin+8, "title", title)
	x := float64(margin + depthWidth)
	for i := first; i < len(p.Tokens); i++ {
		width := d.columnWidth(p, i)
		d.write(x+width/2, top+15, "mid muted", fit(p.Tokens[i].Text, width))
		for l, row := range p.Lens {
			best := row[i].Top[0]
			y := top + cellHeight*float64(l+1)
			d.Cells = append(d.Cells, rectangle{x + 1, y + 1, width - 2, cellHeight - 2, shade(best.P), percent(best.P)})
			class := "mid"
			if dark(best.P) {
				class += " light"
			}
			if i+1 < len(p.Tokens) && p.Tokens[i+1].ID == best.ID {
				class += " right"
			}
			d.write(x+width/2, y+15, class, fit(p.Pieces[best.ID], width))
		}
		x += width
	}
	for l := range p.Lens {
		name := "layer " + strconv.Itoa(l)
		if l == 0 {
			name = "embeddings"
		}
		d.write(margin+depthWidth-8, top+cellHeight*float64(l+1)+15, "end muted", name)
	}
	below := top + cellHeight*float64(len(p.Lens)+1) + titleLine
	d.write(margin+depthWidth, below, "muted", "the darker, the surer; underlined: what comes next in the prompt")
	return max(x, math.Ceil(margin+1.2*chart.TextWidth(title, titleSize, true)))
}

// columnWidth returns the width of a position's column: that of its widest text, within
// bounds, and with a tenth to spare for fonts wider than the chart's.
func (d *drawing) columnWidth(p *Page, i int) float64 {
	widest := textWidth(p.Tokens[i].Text)
	for _, row := range p.Lens {
		widest = max(widest, textWidth(p.Pieces[row[i].Top[0].ID]))
	}
	return math.Ceil(min(max(1.1*widest+12, minCell), maxCell))
}

// candidates draws the next token's likeliest values as bars from x on, and returns their
// right edge.
func (d *drawing) candidates(p *Page, x float64) float64 {
	d.write(x, margin+8, "title", "The next token")
	next := p.Lens[len(p.Lens)-1][len(p.Tokens)-1]
	top := float64(margin + titleLine + cellHeight)
	for n, s := range next.Top {
		y := top + cellHeight*float64(n)
		d.write(x+pieceWidth-8, y+15, "end", fit(p.Pieces[s.ID], pieceWidth))
		d.Cells = append(d.Cells, rectangle{x + pieceWidth, y + 3, max(barWidth*s.P/next.Top[0].P, 1), cellHeight - 6, blue, percent(s.P)})
		d.write(x+pieceWidth+barWidth+rateWidth, y+15, "end muted", percent(s.P))
	}
	y := top + cellHeight*float64(len(next.Top)) + 15
	d.write(x, y, "muted", fmt.Sprintf("entropy %.2f bits", next.Entropy))
	m := p.Model
	d.write(x, y+titleLine, "muted", fmt.Sprintf("%s, %s × %d", m.Arch, number.Of(m.Layers, "layer"), m.Width))
	return x + pieceWidth + barWidth + rateWidth
}

func (d *drawing) write(x, y float64, class, text string) {
	d.Texts = append(d.Texts, label{x, y, text, class})
}

// blue is the colour of bars, as in page.css.
const blue = "#0072b2"

// shade returns the colour of a cell for a probability, as in page.js.
func shade(p float64) template.CSS {
	t := math.Pow(p, 0.7)
	return template.CSS(fmt.Sprintf("#%02x%02x%02x", int(255*(1-t)+0.5), int(255-195*t+0.5), int(255-145*t+0.5)))
}

// dark reports whether the colour of a cell is so dark that its text must be white.
func dark(p float64) bool { return math.Pow(p, 0.7) > 0.6 }

// percent writes a probability as the page does.
func percent(p float64) string {
	switch {
	case p >= 0.9995:
		return "100 %"
	case p < 0.0995:
		return fmt.Sprintf("%.2f %%", 100*p)
	}
	return fmt.Sprintf("%.1f %%", 100*p)
}

func textWidth(text string) float64 { return chart.TextWidth(visible(text), 13, false) }

// visible shows the spaces of a token.
func visible(text string) string { return strings.ReplaceAll(text, " ", "␣") }

// fit returns a token's text with its spaces visible, cut to a width.
func fit(text string, width float64) string {
	runes := []rune(visible(text))
	for n := len(runes); n > 0; n-- {
		cut := string(runes[:n])
		if n < len(runes) {
			cut += "…"
		}
		if 1.1*chart.TextWidth(cut, 13, false) <= width-6 {
			return cut
		}
	}
	return "…"
}
