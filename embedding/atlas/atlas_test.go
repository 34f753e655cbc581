package atlas

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"tinygpt/embedding"
	"tinygpt/embedding/project"
	"tinygpt/embedding/query"
	"tinygpt/internal/browser"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// awkward are words that break pictures and pages.
var awkward = []string{"</script><!--\"'&lt;", "王后", "naïve", "\xff\xfe", "\u202eright", " ", "a\x00b", "${x}`", "]]>"}

// random is a map of n words, the awkward ones first, of which words 3 and 4 are joined.
func random(n int) *Map {
	r := rand.New(rand.NewPCG(1, 1))
	m := &Map{Title: "Words & <b>", Note: "a note", Groups: []string{"first", "二"}, Lines: [][2]int{{0, 1}}}
	for i := range n {
		w := Word{Text: fmt.Sprint("word", i), Place: project.Point{X: 10 * r.NormFloat64(), Y: 6 * r.NormFloat64()}, Group: i%3 - 1, Count: int64(1000 - i)}
		if i < len(awkward) {
			w.Text = awkward[i]
		}
		m.Words = append(m.Words, w)
	}
	for i := range m.Words {
		m.Words[i].Near = []Neighbour{{m.Words[(i+1)%n].Text, 0.9}, {"elsewhere", 0.8}}
	}
	return m
}

func TestSVG(t *testing.T) {
	path := fixture.NewPath(t, "map.svg")
	m := random(400)
	if err := m.WriteSVG(path); err != nil {
		t.Fatal(err)
	}
	picture := expect.File(t, path)
	var texts []string
	circles, lines := 0, 0
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "circle":
				circles++
			case "line":
				lines++
			}
		case xml.CharData:
			if s := strings.TrimSpace(string(e)); s != "" {
				texts = append(texts, s)
			}
		}
	}
	if circles != 400+2 || lines != 1 || len(texts) < 60 {
		t.Errorf("%d circles, %d lines, %d texts", circles, lines, len(texts))
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{"Words & <b>", "a note", "first", "王后", "</script><!--\"'&lt;", "naïve", "“ ”", "a\ufffdb", "\ufffdright", "]]>"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	if !bytes.Contains(picture, []byte("'Noto Sans CJK SC'")) {
		t.Error("no font for Chinese")
	}
}

// Labels overlap neither each other nor the edges, the first words have theirs, and
// nearly all have in a small map.
func TestLabels(t *testing.T) {
	bounds := box{0, 0, 800, 600}
	for _, n := range []int{1, 12, 400, 3000} {
		m := random(n)
		f := fit(m.Words, 60, 40, 680, 520)
		placed := labels(m.Words, f, bounds)
		for i, a := range placed {
			if a.box.left < 0 || a.box.right > 800 || a.box.top < 0 || a.box.bottom > 600 {
				t.Errorf("%q reaches over the edge: %v", a.text, a.box)
			}
			// The end that is fixed in a font of any width is the one at the dot.
			dot, _ := f.at(m.Words[a.word].Place)
			if want := map[string]float64{"start": dot + dotRadius + 2, "middle": dot, "end": dot - dotRadius - 2}[a.anchor]; a.x != want {
				t.Errorf("the %s of %q is at %v, its dot at %v", a.anchor, a.text, a.x, dot)
			}
			for _, b := range placed[:i] {
				if a.box.overlaps(b.box) {
					t.Errorf("%q and %q overlap", a.text, b.text)
				}
			}
		}
		if len(placed) < min(n, 12) || placed[0].word != 0 {
			t.Errorf("%d labels of %d words", len(placed), n)
		}
		if n == 3000 && len(placed) > 1000 {
			t.Errorf("%d labels of %d words", len(placed), n)
		}
	}
}

func TestChoice(t *testing.T) {
	v := &embedding.Vectors{Dim: 2, Words: []string{"a", "b", "c", "d", "e"}, Counts: []int64{9, 8, 7, 6, 5},
		Matrix: []float32{1, 0, 0.9, 0.1, 0, 1, 0.1, 0.9, -1, -1}}
	s := query.New(v)
	around, err := Around(s, []string{"c", "a"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(around.Rows, around.groups); got != "[2 0 3 1] [0 1 0 1]" {
		t.Errorf("around c and a: %s", got)
	}
	pairs, err := Pairs(s, [][2]string{{"a", "c"}, {"b", "c"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(pairs.Rows, pairs.groups, pairs.Lines); got != "[0 2 1] [0 1 0] [[0 1] [2 1]]" {
		t.Errorf("pairs: %s", got)
	}
	for _, words := range [][]string{{"nowhere"}, {"a", "A"}} {
		if _, err := Around(s, words, 1); err == nil {
			t.Errorf("%v are found", words)
		}
	}
	m, err := New(v, s, First(v, 3), make([]project.Point, 3), 2)
	if err != nil {
		t.Fatal(err)
	}
	if w := m.Words[0]; len(m.Words) != 3 || w.Text != "a" || w.Count != 9 || len(w.Near) != 2 || w.Near[0].Text != "b" {
		t.Errorf("%+v", m.Words)
	}
}

// The page in a browser: without errors and requests, labels that don't overlap, words
// found, selected, and zoomed to.
func TestPage(t *testing.T) {
	m := random(600)
	path := fixture.NewPath(t, "map.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.WriteHTML(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b := browser.New(t)
	b.Open("file://" + path)
	if got := b.Text("document.title"); got != m.Title {
		t.Errorf("title %q", got)
	}
	if size := b.Text(`[document.documentElement.scrollWidth, document.documentElement.scrollHeight].join(" × ")`); size != "1280 × 720" {
		t.Errorf("the page is %s", size)
	}
	shown := func() (n int) {
		t.Helper()
		b.Eval(`texts.filter(t => t.style.display !== "none").length`, &n)
		var overlaps []string
		b.Eval(`{
			const boxes = texts.filter(t => t.style.display !== "none").map(t => [t.textContent, t.getBBox()]), bad = [];
			boxes.forEach(([a, p], i) => boxes.slice(0, i).forEach(([b, q]) => {
				if (p.x < q.x + q.width && q.x < p.x + p.width && p.y + 2 < q.y + q.height - 2 && q.y + 2 < p.y + p.height - 2) bad.push(a + " " + b);
			}));
			bad;
		}`, &overlaps)
		if len(overlaps) > 0 {
			t.Errorf("labels overlap: %q", overlaps)
		}
		return n
	}
	if n := shown(); n < 60 || n >= 600 {
		t.Errorf("%d labels of 600 words", n)
	}
	// Every awkward word is shown as it can be.
	var labels []string
	b.Eval(fmt.Sprintf("texts.slice(0, %d).map(t => t.textContent)", len(awkward)), &labels)
	for i, w := range awkward {
		if labels[i] != visible(w) {
			t.Errorf("%q is shown as %q", w, labels[i])
		}
	}
	b.Press("/", 1)
	b.Type("WORD59")
	if got := b.Text(`[$("found").textContent, $("matches").innerText.replaceAll("\n", " ")].join(": ")`); got != "11 words: word59 word590 word591 word592 word593 word594 word595 word596 word597 word598 word599" {
		t.Errorf("found %q", got)
	}
	b.Press("Enter", 1)
	if got := b.Text(`[$("word").textContent, $("facts").textContent, $("near").innerText, texts[59].getAttribute("class"), texts[59].style.display].join("|")`); got != "word59|941 times in the text, 二|word60\t0.900\nelsewhere\t0.800|selected|" {
		t.Errorf("selected %q", got)
	}
	b.Eval(`$("near").querySelector("button").click()`, nil)
	if got := b.Text(`$("word").textContent`); got != "word60" {
		t.Errorf("selected %q after a click on word60", got)
	}
	// The wheel keeps what is under the mouse, and shows more labels.
	var before, after [2]float64
	const under = `{ const r = $("map").getBoundingClientRect(); [(400 - r.left - view.x) / view.scale, (300 - r.top - view.y) / view.scale]; }`
	b.Eval(under, &before)
	scale := b.Text("view.scale")
	b.Wheel(400, 300, -400)
	b.Eval(under, &after)
	if d := after[0] - before[0] + after[1] - before[1]; d > 1e-6 || d < -1e-6 || b.Text("view.scale") == scale {
		t.Errorf("the wheel moves what is under the mouse from %v to %v", before, after)
	}
	shown()
	// A click on a dot selects it, one outside all dots selects nothing.
	var place [2]float64
	b.Eval(`fit(); select(-1); { const r = dots[20].getBoundingClientRect(); [r.x + r.width / 2, r.y + r.height / 2]; }`, &place)
	b.Click(place[0], place[1])
	if got := b.Text("selected >= 0"); got != "true" {
		t.Error("a click on a dot selects nothing")
	}
	b.Click(30, 700)
	if got := b.Text("[selected, $('card').hidden].join()"); got != "-1,true" {
		t.Errorf("after a click on nothing: %s", got)
	}
	b.Eval(`$("map").focus()`, nil)
	b.Press("+", 2)
	b.Press("ArrowRight", 1)
	shown()
	b.Press("0", 1)
	if path := os.Getenv("SCREENSHOT"); path != "" {
		b.Screenshot(path)
	}
	if len(b.Complaints) > 0 {
		t.Errorf("the page complains: %s", b.Complaints)
	}
	if len(b.Requests) != 1 {
		t.Errorf("the page asks for %q", b.Requests[1:])
	}
}
