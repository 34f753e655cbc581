package browser

import (
	"os"
	"testing"

	"tinygpt/internal/fixture"
)

// A page is opened, typed into, clicked and scrolled, and what it logs is noted.
func TestBrowser(t *testing.T) {
	b := New(t)
	path := fixture.NewPath(t, "page.html")
	page := `<body style="margin:0"><input autofocus><button style="position:fixed;left:100px;top:100px;width:50px;height:50px"></button>
<script>document.querySelector("button").onclick = () => document.title = "clicked";
onwheel = e => document.title = "wheel " + e.deltaY; onkeydown = e => { if (e.key === "Enter") document.title = "enter"; };
console.error("on purpose");</script>`
	fixture.Write(t, path, page)
	b.Open("file://" + path)
	if len(b.Requests) != 1 || len(b.Complaints) != 1 {
		t.Errorf("requests %q, complaints %q", b.Requests, b.Complaints)
	}
	b.Type("né")
	if got := b.Text(`document.querySelector("input").value`); got != "né" {
		t.Errorf("typed %q", got)
	}
	// A click comes last: it gives the button the focus, and Enter would press it.
	for _, c := range []struct {
		want string
		do   func()
	}{
		{"enter", func() { b.Press("Enter", 1) }},
		{"wheel -40", func() { b.Wheel(10, 200, -40) }},
		{"clicked", func() { b.Click(125, 125) }},
	} {
		c.do()
		if got := b.Text("document.title"); got != c.want {
			t.Errorf("title %q, want %q", got, c.want)
		}
	}
	picture := fixture.NewPath(t, "picture.png")
	b.Screenshot(picture)
	if info, err := os.Stat(picture); err != nil || info.Size() < 500 {
		t.Errorf("%v, %v", info, err)
	}
}
