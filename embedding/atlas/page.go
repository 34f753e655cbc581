package atlas

import (
	"embed"
	"io"

	"tinygpt/internal/page"
)

//go:embed page.html page.css page.js
var pageFiles embed.FS

var mapPage = page.New(pageFiles, "{{FAMILIES}}", Families)

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

// WriteHTML writes the page: one file, with search, zoom and each word's nearest words.
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
	return mapPage.Write(w, page.Content{Title: visible(m.Title), Note: visible(m.Note), Data: d})
}
