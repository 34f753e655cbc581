package serve

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tinygpt/chat"
	"tinygpt/data/instruct"
	"tinygpt/internal/browser"
)

// tab is the page in a browser.
type tab struct {
	*browser.Browser
	t *testing.T
}

func openPage(t *testing.T, o Options, models ...*Model) (*Server, *tab) {
	t.Helper()
	o.PromptTokens = 0
	s, h := start(t, o, models...)
	p := newTab(t, h.URL)
	p.Open(h.URL)
	return s, p
}

// newTab starts a browser that may ask a server for something and nobody else.
func newTab(t *testing.T, server string) *tab {
	t.Helper()
	b := browser.New(t)
	t.Cleanup(func() {
		for _, url := range b.Requests {
			if !strings.HasPrefix(url, server+"/") {
				t.Errorf("the page asks for %s", url)
			}
		}
	})
	return &tab{b, t}
}

// until waits for a condition in the page.
func (p *tab) until(condition string) {
	p.t.Helper()
	for range 2400 {
		var ok bool
		if p.Eval("!!("+condition+")", &ok); ok {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.t.Fatalf("never in the page: %s\n%s", condition, p.Text("document.body.innerText"))
}

// say sends a message by keyboard and waits for the answers.
func (p *tab) say(text string) {
	p.t.Helper()
	p.Eval("document.getElementById('question').focus()", nil)
	p.Type(text)
	p.Press("Enter", 1)
	p.idle()
}

func (p *tab) idle() {
	p.t.Helper()
	p.until("!running && turns.length && turns.at(-1).columns.length && turns.at(-1).columns.every(c => c.error || c.answers.length && c.answers.every(a => a.done))")
}

func (p *tab) set(id, value string) {
	p.Eval("(() => { const e = document.getElementById('"+id+"'); e.value = '"+value+"'; e.dispatchEvent(new Event('input')) })()", nil)
}

func (p *tab) click(selector string) {
	p.t.Helper()
	p.until("document.querySelector(`" + selector + "`)")
	p.Eval("document.querySelector(`"+selector+"`).click()", nil)
}

func (p *tab) expect(what, script, want string) {
	p.t.Helper()
	if got := p.Text(script); got != want {
		p.t.Errorf("%s is %q, want %q", what, got, want)
	}
}

// shot keeps a picture of the page if the environment names a folder for them.
func (p *tab) shot(name string) {
	if dir := os.Getenv("PAGE_SHOTS"); dir != "" {
		p.Screenshot(filepath.Join(dir, name+".png"))
	}
}

func (p *tab) window(width, height int, scheme string) {
	p.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}, nil)
	p.Call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

const used = "turns.at(-1).columns[0].answers[turns.at(-1).columns[0].used]"

// A conversation: streaming, tokens and what they were chosen from, thumbs, editing,
// again, several answers and their ranking, two models, rewards, a full context.
func TestPage(t *testing.T) {
	feedback := filepath.Join(t.TempDir(), "feedback.jsonl")
	a, b, judge := testModel(t, "base"), testModel(t, "instructed"), testModel(t, "judge")
	a.Feedback, b.Feedback = &chat.Feedback{Path: feedback}, &chat.Feedback{Path: feedback}
	judge.Reward = func(_ []chat.Message, answer string) (float64, error) { return float64(len(answer)) / 10, nil }
	_, p := openPage(t, testOptions, a, b, judge)
	p.until("models.length === 3")
	p.set("max_tokens", "12")
	p.set("seed", "7")
	p.say("Hello")
	p.expect("the question", "document.querySelector('.mine .words').textContent", "Hello")
	first := p.Text(used + ".text")
	if first == "" {
		t.Fatal("no answer")
	}
	p.expect("what the tokens show", "document.querySelector('.answer .words').textContent", first)
	p.expect("the reward", "document.querySelector('.reward').textContent", "reward "+p.Text("(new TextEncoder().encode("+used+".text).length/10).toFixed(2)"))
	p.until("document.querySelector('.answer .words span').title.startsWith('probability ')")

	// Tokens by keyboard, and the thumb.
	p.Eval("document.querySelector('.answer .words').focus()", nil)
	p.Press("ArrowRight", 2)
	p.until("document.querySelectorAll('#candidates tbody tr').length >= 10 && document.querySelectorAll('#candidates .drawn').length === 1")
	p.shot("tokens-light")
	p.Press("+", 1)
	p.until("document.getElementById('status').textContent === 'noted'")

	// The answer and then the question are edited.
	p.click(".answer .tools button[title^='Write the answer']")
	p.Eval("document.querySelector('.edit').value = 'A better answer'", nil)
	p.Press("Enter", 1)
	p.until(used + ".text === 'A better answer'")
	p.say("And now?")
	p.expect("what the model sees", "JSON.stringify(conversation(1, 0).map(m => m.content))", `["Hello","A better answer","And now?"]`)
	p.click(".mine .tools button[title^='Change the message']")
	p.Eval("document.querySelector('.edit').value = 'Hi'", nil)
	p.Press("Enter", 1)
	p.until("turns.length === 1 && turns[0].question === 'Hi'")
	p.idle()
	before := p.Text(used + ".text")
	p.set("seed", "8")
	p.click(".mine .tools button[title^='Have it answered again']")
	p.idle()
	if again := p.Text(used + ".text"); again == before {
		t.Errorf("another seed gives the same answer %q", again)
	}
	p.set("seed", "7")
	p.click("#new")
	p.say("Hello")
	p.expect("the answer with the first seed", used+".text", first)

	// Two models, three answers each, ranked.
	p.Eval("document.getElementById('model-b').value = 'instructed'", nil)
	p.set("n", "3")
	p.say("Compare")
	p.expect("columns and answers", "turns.at(-1).columns.map(c => c.model + ' ' + c.answers.length).join()", "base 3,instructed 3")
	for i, rank := range []int{2, 1, 3} {
		p.Eval("turns.at(-1).columns[1].answers["+strconv.Itoa(i)+"].words.focus()", nil)
		p.Press(strconv.Itoa(rank), 1)
	}
	p.until("document.getElementById('status').textContent === 'noted'")
	p.shot("two-models-light")
	p.window(1280, 720, "dark")
	p.shot("two-models-dark")
	p.window(390, 844, "light")
	p.shot("phone-light")
	var wide bool
	if p.Eval("document.documentElement.scrollWidth > innerWidth", &wide); wide {
		t.Error("the page is wider than a phone")
	}
	p.window(1280, 720, "light")

	// The context is full: the oldest turns leave.
	p.set("n", "1")
	p.Eval("document.getElementById('model-b').value = ''", nil)
	p.say(strings.Repeat("x", 60))
	p.say(strings.Repeat("y", 60))
	p.until("document.querySelector('.turn:last-child .note').textContent.startsWith('The context is full')")
	p.say(strings.Repeat("z", 200))
	p.until("document.querySelector('.turn:last-child .error').textContent.includes('no room for an answer')")
	p.shot("full-light")

	examples, err := instruct.Read(feedback)
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) != 3 || !examples[0].Demonstration() || examples[1].Answers[0] != "A better answer" || examples[1].Answers[1] != strings.TrimSpace(first) ||
		len(examples[2].Answers) != 3 || examples[2].Ranks[0] != 2 || examples[2].Ranks[1] != 1 {
		t.Errorf("feedback %+v", examples)
	}
	for _, c := range p.Complaints {
		if !strings.Contains(c, "400 (Bad Request)") { // the browser's note of the errors above
			t.Errorf("the page complains: %s", c)
		}
	}
}

// A user stops an answer; what was written stays.
func TestPageStop(t *testing.T) {
	s, p := openPage(t, testOptions, speaking(t, "slow", strings.Repeat("word ", 2000), 5*time.Millisecond))
	p.until("models.length === 1")
	p.Eval("document.getElementById('max_tokens').max = 5000", nil)
	p.set("max_tokens", "5000")
	p.Eval("document.getElementById('question').focus()", nil)
	p.Type("Hi")
	p.Press("Enter", 1)
	p.until("turns.length && turns[0].columns[0]?.answers[0]?.text.length > 20")
	p.Press("Escape", 1)
	p.idle()
	p.expect("the reason", used+".reason", "stopped")
	quietly(t, s)
	p.Type("Again")
	p.press("#send")
	p.until("turns.length === 2 && turns[1].columns[0]?.answers[0]?.text.length > 20")
	p.press("#stop")
	p.idle()
	p.expect("the reason", used+".reason", "stopped")
	quietly(t, s)
}

// What a model says is text, whatever it looks like.
func TestPageMarkup(t *testing.T) {
	const evil = "<img src=x onerror=alert(1)><script>document.title='evil'</script></div>\u202e]]> **b** <b>B</b>"
	long := strings.Repeat("x", 4000)
	_, p := openPage(t, testOptions, speaking(t, "evil", evil, 0), speaking(t, "long", long, 0))
	p.until("models.length === 2")
	p.Eval("document.getElementById('max_tokens').max = 30000", nil)
	p.set("max_tokens", "30000")
	p.Eval("addEventListener('securitypolicyviolation', e => console.error('policy', e.violatedDirective))", nil)
	p.say(evil[:20])
	p.expect("the answer", used+".text", evil)
	p.expect("what is shown", "document.querySelector('.answer .words').textContent", evil)
	p.expect("elements of the answer", "document.querySelectorAll('#talk img, #talk script, #talk b').length", "0")
	p.expect("the title", "document.title", "gpt: chat")
	p.Eval("document.getElementById('model-a').value = 'long'", nil)
	p.say("x")
	p.expect("the long answer", used+".text.length", "4000")
	var wide bool
	if p.Eval("document.documentElement.scrollWidth > innerWidth || document.getElementById('talk').scrollWidth > document.getElementById('talk').clientWidth", &wide); wide {
		t.Error("a text without a space makes the page wider")
	}
	for _, c := range p.Complaints {
		t.Errorf("the page complains: %s", c)
	}
}

// The page works with a key.
func TestPageKey(t *testing.T) {
	o := testOptions
	o.Key = "secret"
	_, p := openPage(t, o, testModel(t, "m"))
	p.until("!document.getElementById('key-form').hidden")
	p.Eval("document.getElementById('key').focus()", nil)
	p.Type("secret")
	p.click("#key-form button")
	p.until("models.length === 1 && document.getElementById('key-form').hidden")
	p.set("max_tokens", "3")
	p.say("Hi")
	if p.Text(used+".text") == "" {
		t.Error("no answer with the key")
	}
}

// Every element that the page's script asks for is in the page: this holds without a
// browser too.
func TestPageElements(t *testing.T) {
	html, err := page.ReadFile("page/chat.html")
	if err != nil {
		t.Fatal(err)
	}
	script, err := page.ReadFile("page/chat.js")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(`<[a-z0-9]+( [a-z-]+(="[^"]*")?)* id="([^"]+)"`).FindAllSubmatch(html, -1) {
		ids[string(m[3])]++
	}
	asked := regexp.MustCompile(`\$\('([^']+)'\)`).FindAllSubmatch(script, -1)
	if len(asked) < 20 {
		t.Fatalf("the script asks for %d elements only", len(asked))
	}
	for _, m := range asked {
		if id := string(m[1]); ids[id] != 1 {
			t.Errorf("the page has %d elements with the id %q, want 1", ids[id], id)
		}
	}
}
