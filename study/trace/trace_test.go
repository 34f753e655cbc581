package trace

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/browser"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// awkward is a prompt of what breaks pages: ends of scripts, comments, quotes,
// entities, a character of several tokens, one that turns the direction of writing, a
// line end.
const awkward = "</script><!--\"'&lt;é\u202e\\ ${x}`\n"

// traced is the page of a random model that reads bytes, and the trace itself.
func traced(t *testing.T, prompt string) (*Page, *model.Trace, *model.Weights, tokenizer.Tokenizer) {
	t.Helper()
	m := modeltest.New(t, model.Config{Arch: model.GPT2, Layers: 3, Heads: 2, Width: 16, Context: 64, VocabSize: 257, InitStd: 0.3}, 1)
	w := modeltest.Weights(t, m)
	tok := tokenizer.NewByte()
	o := sample.Default()
	o.Temperature, o.TopK = 0.8, 5
	page, err := New(w, tok, prompt, o)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := sample.Prompt(tok, prompt)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := w.Trace(ids)
	if err != nil {
		t.Fatal(err)
	}
	page.Run, page.Step = "runs/<b>&", 12
	return page, trace, w, tok
}

func TestNew(t *testing.T) {
	page, trace, _, tok := traced(t, "né")
	want := []Token{{256, "<|endoftext|>", ""}, {'n', "n", "6e"}, {0xc3, `\xc3`, "c3"}, {0xa9, `\xa9`, "a9"}}
	if !slices.Equal(page.Tokens, want) {
		t.Errorf("tokens %v, want %v", page.Tokens, want)
	}
	if n := len(page.Tokens); len(page.Attention) != 3*2*n*(n+1)/2 || len(page.TokenEmbeddings) != 16*n || len(page.PositionEmbeddings) != 16*n || len(page.Lens) != 4 {
		t.Errorf("%d weights, %d and %d numbers of embeddings, %d rows", len(page.Attention), len(page.TokenEmbeddings), len(page.PositionEmbeddings), len(page.Lens))
	}
	// Layer 2, head 1, position 2 comes after 5 heads of 10 weights and 3 of its own.
	if got, want := page.Attention[5*10+3:][:3], trace.Attention[2][1][2*4:][:3]; !slices.Equal(got, floats(want)) {
		t.Errorf("attention %v, want %v", got, want)
	}
	// The last guess is the model's: its shares are the softmax of the logits.
	last, sum, entropy := page.Lens[3][3], 0.0, 0.0
	for _, x := range trace.Logits {
		sum += math.Exp(float64(x))
	}
	for _, x := range trace.Logits {
		p := math.Exp(float64(x)) / sum
		entropy -= p * math.Log2(p)
	}
	for i, s := range last.Top {
		if p := math.Exp(float64(trace.Logits[s.ID])) / sum; math.Abs(p-s.P) > 1e-6 || s.ID != page.Likely[i] {
			t.Errorf("guess %d is %v, want %v of token %d", i, s, p, page.Likely[i])
		}
		if page.Pieces[s.ID] != tokenizer.Readable(tok, s.ID) {
			t.Errorf("no piece of token %d", s.ID)
		}
	}
	if math.Abs(last.Entropy-entropy) > 1e-4 {
		t.Errorf("entropy %v, want %v", last.Entropy, entropy)
	}
	if !slices.IsSortedFunc(page.Likely, func(a, b int32) int { return int(math.Copysign(1, float64(trace.Logits[b]-trace.Logits[a]))) }) {
		t.Error("the likely tokens are out of order")
	}
}

func TestNewErrors(t *testing.T) {
	_, _, w, tok := traced(t, "x")
	_, err := New(w, tok, strings.Repeat("x", 64), sample.Default())
	expect.Error(t, err, "it has 65 tokens: a page shows at most 64 of this model")
}

// The page's data is JSON in which no text can end the script, and comes back whole.
func TestWrite(t *testing.T) {
	page, trace, _, _ := traced(t, awkward)
	html := written(t, page)
	if n := strings.Count(html, "</script>"); n != 2 {
		t.Errorf("%d ends of scripts, want 2", n)
	}
	for _, bad := range []string{"http:", "https:", "src=", "@import", "url(", "fetch("} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %q: it is to stand alone", bad)
		}
	}
	_, text, _ := strings.Cut(html, `id="data">`)
	text, _, _ = strings.Cut(text, "</script>")
	var again struct {
		Run, Prompt string
		Logits      string
		Tokens      []Token
	}
	if err := json.Unmarshal([]byte(text), &again); err != nil {
		t.Fatal(err)
	}
	if again.Prompt != awkward || again.Run != page.Run || !slices.Equal(again.Tokens, page.Tokens) {
		t.Errorf("%+v", again)
	}
	raw, err := base64.StdEncoding.DecodeString(again.Logits)
	if err != nil || len(raw) != 4*257 {
		t.Fatalf("%d bytes of logits: %v", len(raw), err)
	}
	bits := math.Float32bits(trace.Logits[256])
	if !bytes.Equal(raw[4*256:], []byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}) {
		t.Errorf("the last logit is %v in the page", raw[4*256:])
	}
}

func written(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The page in a browser: without errors and requests, with everything in the window, by
// keyboard, and with the probabilities that gpt sample draws from.
func TestBrowser(t *testing.T) {
	b := browser.New(t)
	page, trace, w, tok := traced(t, awkward)
	path := fixture.File(t, "trace.html", written(t, page))
	b.Open("file://" + path)

	if title := b.Text("document.title"); !strings.HasPrefix(title, "</script><!--\"'&lt;é") {
		t.Errorf("title %q", title)
	}
	var pieces []string
	b.Eval(`[...document.querySelectorAll("#strip .piece")].map(e => e.textContent)`, &pieces)
	for i, token := range page.Tokens {
		if want := strings.ReplaceAll(token.Text, " ", "␣"); i >= len(pieces) || pieces[i] != want {
			t.Fatalf("pieces %q: want %q at %d", pieces, want, i)
		}
	}
	if origin := b.Text(`document.getElementById("origin").textContent`); origin != "runs/<b>&, step 12" {
		t.Errorf("origin %q", origin)
	}

	// Each step by its key, all of it in the window.
	for i, id := range []string{"tokens", "embeddings", "attention", "lens", "next"} {
		b.Press(fmt.Sprint(i+1), 1)
		if shown := b.Text(`[...document.querySelectorAll("section")].filter(s => s.offsetHeight > 0).map(s => s.id).join()`); shown != id {
			t.Errorf("key %d shows %q, want %q", i+1, shown, id)
		}
		if size := b.Text(`[document.documentElement.scrollWidth, document.documentElement.scrollHeight].join(" × ")`); size != "1280 × 720" {
			t.Errorf("%s takes %s, the window is 1280 × 720", id, size)
		}
		if small := b.Text(`[...document.querySelectorAll("body *")].filter(e => e.offsetHeight > 0 && e.firstChild?.nodeType === 3 && parseFloat(getComputedStyle(e).fontSize) < 12).length`); small != "0" {
			t.Errorf("%s has %s texts of less than 12 pixels", id, small)
		}
	}

	// Token 4, layer 2, head 1 (counted from 0), by keys.
	b.Press("3", 1)
	b.Press("ArrowLeft", len(page.Tokens)-1-4)
	b.Press("ArrowDown", 2)
	b.Press(".", 1)
	if got := b.Text("[state.position, state.layer, state.head].join()"); got != "4,2,1" {
		t.Fatalf("the keys lead to %s", got)
	}
	var weights []float64
	b.Eval("data.tokens.map((_, j) => j > 4 ? 0 : weight(2, 1, 4, j))", &weights)
	n, sum := len(page.Tokens), 0.0
	for j, x := range weights {
		if float32(x) != trace.Attention[2][1][4*n+j] {
			t.Errorf("weight of %d is %v in the page, %v in the trace", j, x, trace.Attention[2][1][4*n+j])
		}
		sum += x
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("the weights' sum is %v", sum)
	}
	if rows := b.Text(`[...document.querySelectorAll("#taken .row")].length`); rows != "5" {
		t.Errorf("%s rows of weights, want 5", rows)
	}

	// The sliders, moved by keys: what is shown is what gpt sample draws from.
	b.Press("5", 1)
	for _, k := range []struct {
		slider, key   string
		times         int
		temperature   float64
		topK, nonzero int
	}{
		{"temperature", "", 0, 0.8, 5, 5},
		{"temperature", "ArrowRight", 14, 1.5, 5, 5},
		{"top-k", "ArrowLeft", 3, 1.5, 2, 2},
		{"temperature", "ArrowLeft", 25, 0.25, 2, 2},
		{"top-k", "ArrowLeft", 2, 0.25, 0, 13},
		{"temperature", "ArrowLeft", 5, 0, 0, 1},
	} {
		b.Eval(fmt.Sprintf("document.getElementById(%q).focus()", k.slider), nil)
		b.Press(k.key, k.times)
		var shown []struct{ ID, P string }
		b.Eval(`[...document.querySelectorAll("#candidates .row")].map(r => ({id: r.dataset.id, p: r.dataset.p}))`, &shown)
		want := drawn(t, w, tok, k.temperature, k.topK, len(shown))
		what := fmt.Sprintf("temperature %v, top-k %d", k.temperature, k.topK)
		nonzero := 0
		for i, s := range shown {
			var id int32
			var p float64
			fmt.Sscan(s.ID, &id)
			fmt.Sscan(s.P, &p)
			if id != want[i].ID || math.Abs(p-want[i].After) > 1e-5 {
				t.Errorf("%s: row %d is token %d with %v, want %d with %v", what, i, id, p, want[i].ID, want[i].After)
			}
			if p > 0 {
				nonzero++
			}
		}
		if len(shown) != 13 || nonzero != k.nonzero {
			t.Errorf("%s: %d rows, %d of them with a probability, want 13 and %d", what, len(shown), nonzero, k.nonzero)
		}
	}

	if len(b.Complaints) > 0 {
		t.Errorf("the page complains: %s", b.Complaints)
	}
	if len(b.Requests) != 1 {
		t.Errorf("the page asks for %q", b.Requests[1:])
	}
}

// drawn are the likeliest candidates of a text's first step after the prompt.
func drawn(t *testing.T, w *model.Weights, tok tokenizer.Tokenizer, temperature float64, topK, rows int) []sample.Row {
	t.Helper()
	o := sample.Default()
	o.Temperature, o.TopK, o.MaxTokens = sample.Temperature(temperature), sample.TopK(topK), 1
	var view sample.View
	requests, err := sample.Continue(tok, awkward, o, rand.Uint64(), 1)
	if err != nil {
		t.Fatal(err)
	}
	requests[0].OnToken = func(s *sample.Step) bool {
		view = s.View(tok, rows)
		return true
	}
	if _, err := sample.Generate(t.Context(), w.NewDecoder(1), tok, requests); err != nil {
		t.Fatal(err)
	}
	return view.Candidates
}
