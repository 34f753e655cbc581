package page

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Texts and data are escaped: none of them ends the element that it is in.
func TestEscaped(t *testing.T) {
	const bad = "</title></script><b>"
	var b strings.Builder
	files := fstest.MapFS{}
	for name, text := range map[string]string{"page.html": "<h1>{{.Title}}</h1><p>{{.Note}}</p>", "page.css": "p{color:COLOR}", "page.js": "f()"} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	err := New(files, "COLOR", "red").Write(&b, Content{bad, bad, map[string]string{"key": bad}})
	if err != nil {
		t.Fatal(err)
	}
	got := b.String()
	if strings.Contains(got, "<b>") || strings.Count(got, "</script>") != 2 || strings.Count(got, "</title>") != 1 {
		t.Errorf("not escaped:\n%s", got)
	}
	for _, want := range []string{"<style>p{color:red}</style>", "<script>f()</script>", `{"key":"\u003c/title\u003e\u003c/script\u003e\u003cb\u003e"}`, "<h1>&lt;/title&gt;"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q isn't in\n%s", want, got)
		}
	}
}
