package atlas

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"tinygpt/internal/atomicfile"
)

// The picture is as large as a slide. The title has headHeight, the legend legendHeight.
const (
	pictureWidth, pictureHeight = 960.0, 720.0
	margin                      = 24.0
	headHeight                  = 46.0
	legendHeight                = 22.0
)

// WriteSVG writes the picture to the file path.
func (m *Map) WriteSVG(path string) error { return atomicfile.WriteFile(path, m.svg()) }

func (m *Map) svg() []byte {
	var b bytes.Buffer
	text := func(x, y, size float64, style, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-size="%v"%s>`, x, y, size, style)
		xml.EscapeText(&b, []byte(s))
		b.WriteString("</text>\n")
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %v %v" width="%v" height="%v" font-family="%s">`+"\n", pictureWidth, pictureHeight, pictureWidth, pictureHeight, Families)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	text(margin, 28, 17, ` font-weight="bold"`, visible(m.Title))
	text(margin, 44, 12, ` fill="#555"`, visible(m.Note))
	bottom := pictureHeight
	if len(m.Groups) > 0 {
		bottom -= legendHeight
		m.legend(&b, text)
	}
	bounds := box{6, headHeight + 4, pictureWidth - 6, bottom - 4}
	f := fit(m.Words, bounds.left+2*margin, bounds.top+margin, bounds.right-bounds.left-4*margin, bounds.bottom-bounds.top-2*margin)
	for _, l := range m.Lines {
		x1, y1 := f.at(m.Words[l[0]].Place)
		x2, y2 := f.at(m.Words[l[1]].Place)
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#999" stroke-dasharray="4 3"/>`+"\n", x1, y1, x2, y2)
	}
	for _, w := range m.Words {
		x, y := f.at(w.Place)
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="%v" fill="%s" fill-opacity="0.75"/>`+"\n", x, y, dotRadius, color(w.Group))
	}
	for _, l := range labels(m.Words, f, bounds) {
		text(l.x, l.y, labelSize, ` text-anchor="`+l.anchor+`"`, l.text)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// legend names the groups below the words, as many as fit.
func (m *Map) legend(b *bytes.Buffer, text func(x, y, size float64, style, s string)) {
	x, y := margin, pictureHeight-8
	for g, name := range m.Groups {
		name = visible(name)
		wide := 14 + width(name)*labelSize
		if x+wide > pictureWidth-margin {
			text(x, y, labelSize, ` fill="#555"`, "…")
			return
		}
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x+4, y-4, color(g))
		text(x+12, y, labelSize, "", name)
		x += wide + 16
	}
}
