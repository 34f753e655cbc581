package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// The ways to give a prompt, and texts drawn together.
func TestSamplePrompts(t *testing.T) {
	inTinyRun(t)
	want := succeed(t, "sample", "--prompt", "Once there")
	if !strings.HasPrefix(want, "Once there") || len(want) < len("Once there")+2 {
		t.Errorf("sampled %q", want)
	}
	fixture.Write(t, "prompt.txt", "\ufeffOnce there\r\n")
	for _, args := range [][]string{{"Once there"}, {"--prompt-file", "prompt.txt"}, {"-"}, {"--prompt-file", "-"}, {}} {
		fixture.Stdin(t, "Once there\r\n")
		if got := succeed(t, append([]string{"sample"}, args...)...); got != want {
			t.Errorf("sample %q: %q, want %q", args, got, want)
		}
	}
	// Without a prompt, and not on a terminal, a text from its beginning. A prompt that is
	// given has standard input left alone.
	fixture.Stdin(t, "")
	begun := succeed(t, "sample")
	fixture.Stdin(t, "not read")
	if empty := succeed(t, "sample", "--prompt", ""); begun != empty || strings.HasPrefix(begun, "not") {
		t.Errorf("without a prompt %q, with an empty one %q", begun, empty)
	}
	// The end of text before a prompt can be left out; a text from nothing begins with it still.
	if bare := succeed(t, "sample", "--no-bos", "--temperature", "0", "Once there"); bare == succeed(t, "sample", "--temperature", "0", "Once there") || !strings.HasPrefix(bare, "Once there") {
		t.Errorf("--no-bos changes nothing: %q", bare)
	}
	if empty := succeed(t, "sample", "--no-bos", ""); empty != succeed(t, "sample", "--prompt", "") {
		t.Errorf("without a prompt --no-bos gives %q", empty)
	}
	// Text i takes seed+i, drawn together or alone.
	together := succeed(t, "sample", "--num-samples", "18", "--seed", "5", "Once there")
	var alone []string
	for i := range 18 {
		alone = append(alone, succeed(t, "sample", "--seed", fmt.Sprint(5+i), "Once there"))
	}
	if want := strings.Join(alone, "\n---\n"); together != want {
		t.Errorf("together\n%s\none by one\n%s", together, want)
	}
}

func TestSampleJSON(t *testing.T) {
	inTinyRun(t)
	texts := strings.Split(succeed(t, "sample", "-n", "2", "Once there"), "\n---\n")
	out := succeed(t, "sample", "-n", "2", "--format", "json", "--show", "--top-k", "4", "--temperature", "0.8", "Once there")
	decoder := json.NewDecoder(strings.NewReader(out))
	for i := range 3 {
		var o struct {
			Prompt, Text, Finish string
			Tokens               int
			Seed                 uint64
			Steps                []sample.View
		}
		err := decoder.Decode(&o)
		if i == 2 {
			if err != io.EOF {
				t.Errorf("more than two objects: %v", err)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if o.Prompt != "Once there" || o.Seed != uint64(1+i) || len(o.Steps) != o.Tokens || o.Tokens == 0 || (o.Finish != "end" && o.Finish != "length") {
			t.Errorf("object %d: %+v", i, o)
		}
		said := ""
		for _, s := range o.Steps {
			said += s.Token
			if len(s.Candidates) < 10 || s.Kept != 4 || s.Vocabulary != 300 || s.EntropyBits <= s.EntropyBitsAfter || s.Candidates[0].Before < s.Candidates[1].Before {
				t.Errorf("step %+v", s)
			}
		}
		if o.Finish == "length" && said != o.Text && !strings.Contains(o.Text, "\ufffd") {
			t.Errorf("tokens %q, text %q", said, o.Text)
		}
	}
	// Options make no difference to what the same ones write as text.
	var o struct{ Text string }
	if err := json.Unmarshal([]byte(strings.SplitAfter(succeed(t, "sample", "-n", "2", "--format", "json", "Once there"), "\n")[1]), &o); err != nil || "Once there"+o.Text+"\n" != texts[1] {
		t.Errorf("JSON says %q (%v), text %q", o.Text, err, texts[1])
	}
}

func TestSampleStop(t *testing.T) {
	inTinyRun(t)
	whole := succeed(t, "sample", "--max-tokens", "60", "Once")
	rest := strings.TrimSuffix(strings.TrimPrefix(whole, "Once"), "\n")
	stop := rest[len(rest)/2 : len(rest)/2+3]
	want := "Once" + rest[:strings.Index(rest, stop)] + "\n"
	if got := succeed(t, "sample", "--max-tokens", "60", "--stop", "not there, at all", "--stop", stop, "Once"); got != want {
		t.Errorf("stop %q: %q, want %q", stop, got, want)
	}
	// White space around a stop text is part of it.
	for seed := range 100 {
		args := []string{"sample", "--max-tokens", "60", "--seed", fmt.Sprint(seed), "Once"}
		rest := strings.TrimPrefix(succeed(t, args...), "Once")
		at := strings.LastIndex(strings.TrimRight(rest, " \n"), " ")
		if at < 1 || strings.Index(rest, " ") < at || !strings.Contains(rest[:at], rest[at+1:at+2]) {
			continue // the letter after the space must be a token of its own first
		}
		for _, stop := range []string{" ", rest[at : at+2]} {
			if got, want := succeed(t, append(args, "--stop", stop)...), "Once"+rest[:at]+"\n"; got != want {
				t.Errorf("stop %q: %q, want %q", stop, got, want)
			}
		}
		return
	}
	t.Error("no text of the model's to stop at a space")
}

func TestSampleShow(t *testing.T) {
	inTinyRun(t)
	text := succeed(t, "sample", "--max-tokens", "3", "Once there")
	out := succeed(t, "sample", "--max-tokens", "3", "--show", "Once there")
	contains(t, out, `step 1, after "Once there"`, "rank  token", "before     after", "step 3, after", "keep 300 of 300 tokens", "entropy ")
	if !strings.HasSuffix(out, "\n\n"+text) {
		t.Errorf("%s\ndoesn't end with\n%s", out, text)
	}
	if n := strings.Count(out, "▶"); n != 3 {
		t.Errorf("%d arrows, want 3", n)
	}
}

// A session answers line after line, each time with other seeds, goes on after an
// error, and stops an answer when it is interrupted.
func TestSampleSession(t *testing.T) {
	inTinyRun(t)
	r, err := run.Open("")
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := r.Model("")
	if err != nil {
		t.Fatal(err)
	}
	letters, err := tokenizer.NewChar(func(yield func(string) bool) { yield("abc ") })
	if err != nil {
		t.Fatal(err)
	}
	session := func(out io.Writer, tok tokenizer.Tokenizer, input string, stoppable func(context.Context) (context.Context, context.CancelFunc)) {
		t.Helper()
		w := &sampleWriter{out: out, notes: io.Discard, decoder: m.NewDecoder(1), tokenizer: tok, options: r.Config.Sample, samples: 1, seed: 1, format: "text"}
		w.options.MaxTokens = 8
		if tok == letters { // whose vocabulary isn't the model's
			w.decoder = &letterModel{[]float32{0, 99, 0, 0, 0}}
			w.options.MaxTokens = 1 << 30
		}
		all := strings.SplitAfter(input, "\n")
		read := func() (string, error) {
			if len(all) == 0 || all[0] == "" {
				return "", io.EOF
			}
			line := all[0]
			all = all[1:]
			return line, nil
		}
		if err := w.session(t.Context(), read, stoppable); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	session(&out, r.Tokenizer, "Once\nOnce\r\nlast", context.WithCancel)
	want := "\n" + succeed(t, "sample", "--max-tokens", "8", "Once") + "\n" + succeed(t, "sample", "--max-tokens", "8", "--seed", "2", "Once") + "\n" +
		succeed(t, "sample", "--max-tokens", "8", "--seed", "3", "last") + "\n\n"
	if _, got, _ := strings.Cut(out.String(), "\n"); got != want {
		t.Errorf("session\n%q\nwant\n%q", got, want)
	}

	var stop context.CancelFunc
	endless := &listener{at: "aaaaaaaa", do: func() { stop() }}
	session(endless, letters, "Z\nab\n", func(ctx context.Context) (answer context.Context, cancel context.CancelFunc) {
		answer, stop = context.WithCancel(ctx)
		return answer, stop
	})
	contains(t, endless.text, "'Z'", "\n\nabaaaa", "a\n\n\n")
}

// listener is a terminal whose user does something when its output ends with a text.
type listener struct {
	text string
	at   string
	do   func()
}

func (l *listener) Write(p []byte) (int, error) {
	l.text += string(p)
	if l.do != nil && strings.HasSuffix(l.text, l.at) {
		l.do()
		l.do = nil
	}
	return len(p), nil
}

// letterModel always says its second token.
type letterModel struct{ logits []float32 }

func (m *letterModel) Sequences() int             { return 1 }
func (m *letterModel) Append([]model.Input) error { return nil }
func (m *letterModel) Logits(int) []float32       { return m.logits }
func (m *letterModel) Copy(int, int)              {}
func (m *letterModel) Length(int) int             { return 0 }
func (m *letterModel) Common(int, []int32) int    { return 0 }
func (m *letterModel) CopyPrefix(int, int, int)   {}
func (m *letterModel) Config() model.Config {
	return model.Config{Context: 1 << 30, VocabSize: len(m.logits)}
}

func TestSampleInterrupted(t *testing.T) {
	inTinyRun(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := &listener{at: "Once there", do: cancel}
	status := execute(ctx, []string{"gpt", "sample", "--prompt", "Once there", "--max-tokens", "100000"}, out, io.Discard)
	if status != 130 || !strings.HasPrefix(out.text, "Once there") || !strings.HasSuffix(out.text, "\n") {
		t.Errorf("exit %d, wrote %q", status, out.text)
	}
}

// What would otherwise pass in silence is said on standard error.
func TestSampleNotes(t *testing.T) {
	inTinyRun(t)
	long := strings.Repeat("They went to the market. ", 20)
	for want, args := range map[string][]string{
		"the model sees the last 24, its context":                  {"sample", long},
		"the text is longer than the model's context of 24 tokens": {"sample", "-n", "2", "--max-tokens", "60", "Once"},
		"--num-samples is 100000000: expected 1 to 100000":         {"sample", "-n", "100000000"},
		"repetition-penalty is 1e-300: expected 0.001 to 1000":     {"sample", "--repetition-penalty", "1e-300"},
	} {
		fixture.Stdin(t, "text\n")
		_, _, stderr := gpt(args...)
		if strings.Count(stderr, want) != 1 {
			t.Errorf("gpt %.40q says %q, want %q once", args, stderr, want)
		}
	}
	fixture.Stdin(t, "")
	if _, _, stderr := gpt("sample", "--max-tokens", "3", "Once"); stderr != "" {
		t.Errorf("an ordinary call says %q", stderr)
	}
}

// Special tokens are shown by their own names.
func TestSampleSpecialNames(t *testing.T) {
	inTinyRun(t)
	tok, err := tokenizer.WithSpecialTokens(tokenizer.NewByte(), "<|user|>")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	user, _ := tokenizer.SpecialID(tok, "<|user|>")
	logits := make([]float32, tok.VocabSize())
	logits[user], logits['a'] = 50, 45
	w := &sampleWriter{out: &out, notes: io.Discard, decoder: &letterModel{logits}, tokenizer: tok, options: sample.Default(), samples: 1, format: "text", show: true}
	w.options.MaxTokens = 1
	if err := w.write(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	contains(t, out.String(), "  <|user|>", `  "a"`)
	out.Reset()
	w.format, w.result = "json", func(text any) error { return writeJSON(&out, text) }
	if err := w.write(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	contains(t, out.String(), `"token":"<|user|>"`, `"special":true`)
}

// GPT-1's tokens end words: a blank is between a prompt and what continues it.
func TestSampleAfterWord(t *testing.T) {
	from := fixture.Own(t, "model/testdata/openai-gpt")
	t.Chdir(t.TempDir())
	succeed(t, "import", from)
	args := []string{"sample", "--prompt", "anna went to the", "--max-tokens", "6", "--temperature", "0"}
	if got := succeed(t, args...); !strings.HasPrefix(got, "anna went to the ; ;") {
		t.Errorf("%q", got)
	}
	contains(t, succeed(t, append(args, "--format", "json")...), `"text":" ; ;`)
}
