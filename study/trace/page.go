package trace

import (
	"embed"
	"io"

	"tinygpt/internal/page"
)

//go:embed page.html page.css page.js
var pageFiles embed.FS

var tracePage = page.New(pageFiles)

// Write writes the page as one HTML file.
func (p *Page) Write(w io.Writer) error {
	return tracePage.Write(w, page.Content{Title: p.Prompt + " · gpt trace", Data: p})
}
