// Package page writes pages that are one file and need no network: a browser that opens them
// loads nothing else.
package page

import (
	_ "embed"
	"html/template"
	"io"
	"io/fs"
	"strings"
)

//go:embed page.html
var frame string

// Page is what all pages of a kind have in common.
type Page struct {
	template *template.Template
	css      template.CSS
	js       template.JS
}

// Content is what one page shows.
type Content struct {
	Title, Note string // texts of the body, as {{.Title}} and {{.Note}}
	// Data is for the script, which finds it as JSON in the element with the id data.
	Data any
}

// New makes a kind of page of three files: page.html, a template of html/template for what
// is between <body> and </body>; page.css; and page.js. In the style each old text is
// replaced by the new one after it. It panics if a file is missing or isn't a template.
func New(files fs.FS, oldnew ...string) *Page {
	read := func(name string) string {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	t := template.Must(template.New("page").Parse(frame))
	template.Must(t.New("body").Parse(read("page.html")))
	return &Page{t, template.CSS(strings.NewReplacer(oldnew...).Replace(read("page.css"))), template.JS(read("page.js"))}
}

// Write writes a page. Texts and data are escaped for where they are.
func (p *Page) Write(w io.Writer, c Content) error {
	return p.template.Execute(w, struct {
		Content
		CSS template.CSS
		JS  template.JS
	}{c, p.css, p.js})
}
