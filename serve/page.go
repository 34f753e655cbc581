package serve

import (
	"embed"
	"net/http"
)

//go:embed page
var page embed.FS

// policy lets the page load nothing but its own files, and talk to nobody but the
// server that it came from.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pageFiles returns the handlers of the page's files, by pattern.
func pageFiles() map[string]handler {
	files := map[string]handler{}
	for address, file := range map[string]struct{ name, kind string }{
		"/{$}":      {"chat.html", "text/html; charset=utf-8"},
		"/chat.css": {"chat.css", "text/css; charset=utf-8"},
		"/chat.js":  {"chat.js", "text/javascript; charset=utf-8"},
	} {
		files[address] = func(w http.ResponseWriter, _ *http.Request) *apiError {
			text, err := page.ReadFile("page/" + file.name)
			if err != nil {
				return fail(http.StatusInternalServerError, "", "", "%v", err)
			}
			w.Header().Set("Content-Type", file.kind)
			w.Header().Set("Content-Security-Policy", policy)
			w.Write(text)
			return nil
		}
	}
	return files
}
