package serve

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tinygpt/chat"
)

// middle is the middle of an element that the mouse can reach.
func (p *tab) middle(selector string) (x, y float64) {
	p.t.Helper()
	p.until("document.querySelector(`" + selector + "`)?.getBoundingClientRect().width > 0")
	var at [2]float64
	p.Eval("(() => { const e = document.querySelector(`"+selector+"`); e.scrollIntoView({ block: 'nearest' }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()", &at)
	return at[0], at[1]
}

func (p *tab) press(selector string) {
	p.t.Helper()
	p.Click(p.middle(selector))
}

// tabTo presses Tab, or Shift+Tab, until the focus is on an element for which a condition
// holds. On its way every element shows that it has the focus.
func (p *tab) tabTo(key, condition string) {
	p.t.Helper()
	for range 60 {
		p.Press(key, 1)
		var found, shown bool
		p.Eval("document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none'", &shown)
		if !shown {
			p.t.Errorf("an element doesn't show its focus: %s", p.Text("document.activeElement.outerHTML"))
		}
		if p.Eval("(e => !!("+condition+"))(document.activeElement)", &found); found {
			return
		}
	}
	p.t.Fatalf("%s never comes to an element with %s", key, condition)
}

// visible is a token of an answer that takes room: a byte within a character takes none.
const visible = "[...document.querySelectorAll('.answer .words span')].find(s => s.getBoundingClientRect().width > 4)"

// With the mouse: a message is sent, a token shows its probability and its rivals before and
// after the filters, a slider is dragged, and an answer gets its thumb.
func TestPageMouse(t *testing.T) {
	m := testModel(t, "m")
	m.Feedback = &chat.Feedback{Path: filepath.Join(t.TempDir(), "feedback.jsonl")}
	_, p := openPage(t, testOptions, m)
	p.until("models.length === 1")
	var tall float64
	if p.Eval("document.documentElement.scrollHeight", &tall); tall > 720 {
		t.Errorf("the page is %v pixels tall, more than a projector's 720", tall)
	}
	p.set("seed", "7")
	p.press("#question")
	p.Type("Hello")
	p.press("#send")
	p.idle()
	point := func() {
		p.Point(1, 1)
		p.Eval(visible+".id = 'pointed'", nil)
		p.Point(p.middle("#pointed"))
		p.until("document.getElementById('pointed').classList.contains('chosen')")
		var title, what string
		p.Eval("document.getElementById('pointed').title", &title)
		if p.Eval("document.getElementById('token-what').textContent", &what); title == "" || !strings.Contains(what, title) {
			t.Errorf("the token's title is %q, the panel says %q", title, what)
		}
	}
	point()
	rows := "[...document.querySelectorAll('#candidates tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
	var table [][]string
	if p.Eval(rows, &table); len(table) < 10 || table[0][1] != table[0][2] {
		t.Errorf("at temperature 1 without filters, candidates before and after are %v", table)
	}
	x, y := p.middle("#temperature")
	p.Drag(x, y, x-40, y)
	var temperature float64
	if p.Eval("Number(document.getElementById('temperature').value)", &temperature); temperature < 0.1 || temperature > 0.8 {
		t.Errorf("dragged to the left, the temperature is %v", temperature)
	}
	p.expect("the slider's number", "document.querySelector('label:has(#temperature) output').textContent", fmt.Sprint(temperature))
	p.press(".mine button[title^='Have it answered again']")
	p.idle()
	point()
	if p.Eval(rows, &table); len(table) < 10 || table[0][1] == table[0][2] {
		t.Errorf("at temperature %v, candidates before and after are %v", temperature, table)
	}
	p.press(".answer button[title^='A bad answer']")
	p.until("document.getElementById('status').textContent === 'noted' && document.querySelector('.answer button[title^=\"A bad\"]').ariaPressed === 'true'")
	p.press("#new")
	p.expect("turns after a new chat", "document.querySelectorAll('.turn').length", "0")
}

// With keys alone: two models answer three times each, answers are looked into, ranked and
// given thumbs, the message is changed, and all of it is answered again.
func TestPageKeyboard(t *testing.T) {
	a, b := testModel(t, "base"), testModel(t, "instructed")
	a.Feedback, b.Feedback = &chat.Feedback{Path: filepath.Join(t.TempDir(), "feedback.jsonl")}, &chat.Feedback{Path: filepath.Join(t.TempDir(), "feedback.jsonl")}
	_, p := openPage(t, testOptions, a, b)
	p.until("models.length === 2 && document.activeElement.id === 'question'")
	p.tabTo("Tab", "e.id === 'max_tokens'")
	p.Press("ArrowLeft", 2)
	p.tabTo("Tab", "e.id === 'n'")
	p.Press("ArrowRight", 2)
	p.tabTo("Tab", "e.id === 'seed'")
	p.Type("7")
	p.tabTo("Shift+Tab", "e.id === 'model-b'")
	p.Press("ArrowDown", 2)
	p.tabTo("Tab", "e.id === 'question'")
	p.Type("Hello")
	p.Press("Enter", 1)
	p.idle()
	p.expect("columns and answers", "turns[0].columns.map(c => c.model + ' ' + c.answers.length).join()", "base 3,instructed 3")

	answer := "e.classList.contains('words')"
	for rank := 1; rank <= 3; rank++ { // the last answers first
		p.tabTo("Shift+Tab", answer)
		p.Press("ArrowRight", 1)
		p.Press(fmt.Sprint(rank), 1)
	}
	p.until("document.getElementById('status').textContent === 'noted'")
	p.expect("ranks", "turns[0].columns[1].answers.map(a => a.rank).join()", "3,2,1")
	p.until("document.querySelectorAll('#candidates tbody tr').length >= 10")
	p.Press("+", 1)
	p.until("turns[0].columns[1].answers[0].thumb === true")
	p.tabTo("Tab", "e.textContent === 'Bad'")
	p.Press("Enter", 1)
	p.until("turns[0].columns[1].answers[0].thumb === false")

	p.tabTo("Shift+Tab", "e.title === 'Change the message and have it answered again'")
	p.Press("Enter", 1)
	p.until("document.activeElement.className === 'edit'")
	p.Type(" you")
	p.Press("Enter", 1)
	p.idle()
	p.expect("the message", "turns[0].question", "Hello you")
	if complaints := p.Complaints; len(complaints) > 0 {
		t.Errorf("the page complains: %s", complaints)
	}
}

// On a phone, a finger on a token shows what it was chosen from, everything can be hit, and
// nothing is wider than the screen.
func TestPagePhone(t *testing.T) {
	a, b := testModel(t, "base"), testModel(t, "instructed")
	_, h := start(t, testOptions, a, b)
	p := newTab(t, h.URL)
	p.window(390, 844, "light")
	p.Call("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": true}, nil)
	p.Open(h.URL)
	p.until("models.length === 2 && document.getElementById('panel').hidden")
	p.Eval("document.getElementById('model-b').value = 'instructed'", nil)
	p.set("max_tokens", "12")
	p.set("n", "3")
	p.say("Hello")
	p.shot("phone")
	p.Eval(visible+".id = 'pointed'", nil)
	p.Tap(p.middle("#pointed"))
	p.until("!document.getElementById('panel').hidden && document.querySelectorAll('#candidates tbody tr').length >= 10")
	var top float64
	if p.Eval("document.getElementById('token-what').getBoundingClientRect().top", &top); top < 0 || top > 800 {
		t.Errorf("what a token was chosen from is at %v of 844 pixels", top)
	}
	p.shot("phone-token")
	var wide bool
	if p.Eval("document.documentElement.scrollWidth > innerWidth", &wide); wide {
		t.Error("the page is wider than the phone")
	}
	var small []string
	p.Eval("[...document.querySelectorAll('button, select')].filter(e => e.offsetHeight && e.offsetHeight < 36).map(e => e.outerHTML)", &small)
	if len(small) > 0 {
		t.Errorf("too small for a finger: %s", small)
	}
}

// Everything written can be read, light and dark: a contrast of 4.5 and more, as WCAG 2.2
// asks for (success criterion 1.4.3).
func TestPageContrast(t *testing.T) {
	judge := testModel(t, "judge")
	judge.Reward = func([]chat.Message, string) (float64, error) { return 1, nil }
	_, p := openPage(t, testOptions, testModel(t, "m"), judge)
	p.until("models.length === 2")
	p.set("n", "2")
	p.say("Hello")
	p.until("document.querySelectorAll('.reward').length === 2")
	p.say(strings.Repeat("z", 200))
	p.until("document.querySelector('.error')")
	p.Eval(visible+".classList.add('chosen')", nil)
	for _, scheme := range []string{"light", "dark"} {
		p.window(1280, 720, scheme)
		time.Sleep(50 * time.Millisecond)
		var low []string
		p.Eval(`(() => {
  const parts = c => c.match(/[\d.]+/g).map(Number)
  const light = c => { const [r, g, b] = parts(c).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (parts(c)[3] !== 0) return c } return 'rgb(255,255,255)' }
  const low = []
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility() || e.disabled || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x)
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push(e.outerHTML.slice(0, 80) + ' ' + ((a + 0.05) / (b + 0.05)).toFixed(2))
  }
  return low })()`, &low)
		if len(low) > 0 {
			t.Errorf("%s: too little contrast: %s", scheme, low)
		}
	}
}
