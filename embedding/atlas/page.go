package atlas

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"strings"
)

// The page's files. Its texts and numbers come in as one JSON object.
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string

	page = template.Must(template.New("page").Parse(pageHTML))
)

// pageData is what the page's script reads.
type pageData struct {
	Words  []pageWord `json:"words"`
	Lines  [][2]int   `json:"lines"`
	Groups []string   `json:"groups"`
	Colors []string   `json:"colors"` // of the groups
}

// pageWord is a word. Text tells words apart, Label is what is shown of it.
type pageWord struct {
	Text  string          `json:"text"`
	Label string          `json:"label"`
	X     float64         `json:"x"`
	Y     float64         `json:"y"`
	Color string          `json:"color"`
	Group int             `json:"group"`
	Count int64           `json:"count,omitempty"`
	Near  []pageNeighbour `json:"near"`
}

type pageNeighbour struct {
	Neighbour
	Label string `json:"label"`
}

// WriteHTML writes the page.
func (m *Map) WriteHTML(w io.Writer) error {
	d := pageData{Words: make([]pageWord, len(m.Words)), Lines: m.Lines, Groups: []string{}}
	if d.Lines == nil {
		d.Lines = [][2]int{}
	}
	for g, name := range m.Groups {
		d.Groups, d.Colors = append(d.Groups, visible(name)), append(d.Colors, color(g))
	}
	for i, word := range m.Words {
		p := pageWord{Text: word.Text, Label: visible(word.Text), X: word.Place.X, Y: word.Place.Y, Color: color(word.Group), Group: word.Group, Count: word.Count, Near: []pageNeighbour{}}
		for _, n := range word.Near {
			p.Near = append(p.Near, pageNeighbour{n, visible(n.Text)})
		}
		d.Words[i] = p
	}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(d); err != nil { // escapes <, > and &
		return err
	}
	return page.Execute(w, struct {
		Map  *Map
		Data template.JS
		CSS  template.CSS
		JS   template.JS
	}{&Map{Title: visible(m.Title), Note: visible(m.Note)}, template.JS(text.String()), template.CSS(strings.ReplaceAll(pageCSS, "{{FAMILIES}}", Families)), template.JS(pageJS)})
}
