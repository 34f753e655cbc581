package trace

import (
	_ "embed"
	"html/template"
	"io"
)

// The page's files. Its texts and numbers come in as one JSON object, which
// html/template escapes for where it stands.
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string

	page = template.Must(template.New("page").Parse(pageHTML))
)

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	return page.Execute(w, struct {
		Page *Page
		CSS  template.CSS
		JS   template.JS
	}{p, template.CSS(pageCSS), template.JS(pageJS)})
}
