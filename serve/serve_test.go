package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tinygpt/chat"
	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/modeltest"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// testModel is a small model with random weights, whose texts hold all bytes.
func testModel(t testing.TB, name string) *Model {
	t.Helper()
	m := modeltest.New(t, model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 16, Context: 128, VocabSize: 257, InitStd: 0.3}, 3)
	w := modeltest.Weights(t, m)
	tok := tokenizer.NewByte()
	decoder := func(n int) sample.Decoder { return w.NewDecoder(n) }
	return &Model{Name: name, Config: m.Config, Decoder: decoder, Tokenizer: tok, Template: chat.Plain{Tokenizer: tok}, Created: time.Unix(1e9, 0), Fingerprint: "fp_test"}
}

// testOptions are small enough that tests reach the limits.
var testOptions = Options{Sequences: 8, Queue: 64, PromptTokens: 24, Version: "test"}

// start serves models until the test ends.
func start(t testing.TB, o Options, models ...*Model) (*Server, *httptest.Server) {
	t.Helper()
	if len(models) == 0 {
		models = []*Model{testModel(t, "m")}
	}
	s, err := New(models, o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
		s.Close()
	})
	return s, h
}

// object is decoded JSON.
type object = map[string]any

// call posts a body and returns status, header and answer.
func call(t testing.TB, h *httptest.Server, path string, body any) (int, http.Header, []byte) {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	r, err := h.Client().Post(h.URL+path, "application/json", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header, answer
}

// ask posts a body that must be answered with 200.
func ask[T any](t testing.TB, h *httptest.Server, path string, body any) (v T) {
	t.Helper()
	status, _, answer := call(t, h, path, body)
	if status != http.StatusOK {
		t.Fatalf("%s %v: %d %s", path, body, status, answer)
	}
	if err := json.Unmarshal(answer, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// chunks are the events of a stream, without [DONE], which must be the last.
func chunks[T any](t testing.TB, h *httptest.Server, path string, body object) (list []T) {
	t.Helper()
	status, header, answer := call(t, h, path, body)
	if status != http.StatusOK || header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v: %d %s", path, body, status, answer)
	}
	done := false
	lines := bufio.NewScanner(bytes.NewReader(answer))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case !ok:
		case done:
			t.Fatalf("%s after [DONE]", data)
		case data == "[DONE]":
			done = true
		default:
			var v T
			if err := json.Unmarshal([]byte(data), &v); err != nil {
				t.Fatal(err)
			}
			list = append(list, v)
		}
	}
	if !done {
		t.Fatalf("no [DONE] in %s", answer)
	}
	return list
}

// A request with a seed gets the same bytes alone and with 2 to 64 at a time, from a server
// with other limits, whose prompts are read in other pieces or known, and with any number of
// threads (model's TestDecoderSameBits has larger products).
func TestSameBytesUnderLoad(t *testing.T) {
	_, h := start(t, testOptions)
	r := rand.New(rand.NewPCG(5, 6))
	const n = 64
	bodies, alone := make([]object, n), make([][]chatChoice, n)
	for i := range bodies {
		bodies[i] = randomGeneration(r)
		bodies[i]["messages"] = []object{{"role": "user", "content": printable(r, r.IntN(40))}}
		bodies[i]["max_tokens"] = 1 + r.IntN(40)
		bodies[i]["logprobs"], bodies[i]["top_logprobs"] = true, 2
		alone[i] = ask[chatAnswer](t, h, "/v1/chat/completions", bodies[i]).Choices
	}
	defer kernel.SetThreads(0)
	for _, k := range []struct{ together, threads, sequences, promptTokens int }{
		{2, 1, 8, 24}, {5, 2, 3, 1}, {17, 1, 16, 0}, {64, 2, 8, 24}, {64, 1, 64, 7},
	} {
		kernel.SetThreads(k.threads)
		o := testOptions
		o.Sequences, o.PromptTokens = k.sequences, k.promptTokens
		_, h := start(t, o)
		places := make(chan bool, k.together)
		var group sync.WaitGroup
		for _, i := range append(r.Perm(n), r.Perm(n)[:16]...) { // the second time prompts are known
			places <- true
			group.Go(func() {
				defer func() { <-places }()
				b, _ := json.Marshal(bodies[i])
				resp, err := h.Client().Post(h.URL+"/v1/chat/completions", "application/json", bytes.NewReader(b))
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				var got chatAnswer
				if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != 200 {
					t.Error(err, resp.Status)
					return
				}
				if !reflect.DeepEqual(got.Choices, alone[i]) {
					t.Errorf("%+v, request %d: under load\n%.1000s, alone\n%.1000s", k, i, mustJSON(got.Choices), mustJSON(alone[i]))
				}
			})
		}
		group.Wait()
	}
}

// Of 500 requests at once those are answered that there is room for; the rest are refused
// with the time to wait. Never do more texts run than places, and no memory stays with those
// who were refused. BenchmarkFlood has the times.
func TestFlood(t *testing.T) {
	o := testOptions
	o.Sequences, o.Queue = 2, 4
	s, h := start(t, o)
	const flood = 500
	held := func() uint64 {
		h.Client().CloseIdleConnections()
		time.Sleep(20 * time.Millisecond) // the server's ends close too
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	var mu sync.Mutex
	statuses := map[int]int{}
	var group sync.WaitGroup
	for range flood {
		group.Go(func() {
			if running, waiting := s.models[0].engine.load(); running > o.Sequences || waiting > o.Queue {
				t.Errorf("%d texts run and %d requests wait", running, waiting)
			}
			b := `{"model":"m","prompt":"x","max_tokens":100,"logit_bias":{"256":-100}}`
			resp, err := h.Client().Post(h.URL+"/v1/completions", "application/json", strings.NewReader(b))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			io.Copy(io.Discard, resp.Body)
			if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			mu.Lock()
			statuses[resp.StatusCode]++
			mu.Unlock()
		})
	}
	group.Wait()
	if statuses[200] < o.Sequences+o.Queue || statuses[429] == 0 || statuses[200]+statuses[429] != flood {
		t.Errorf("statuses %v", statuses)
	}
	quietly(t, s)
	if after := held(); after > before+8<<20 {
		t.Errorf("%d bytes are held before, %d after", before, after)
	}
	ask[completion](t, h, "/v1/completions", object{"model": "m", "prompt": "x", "max_tokens": 3})
}

// A client that doesn't read pauses its own texts and nobody else's.
func TestSlowReader(t *testing.T) {
	o := testOptions
	o.Sequences = 2
	s, h := start(t, o)
	j, release, err := s.start(httptest.NewRequest("POST", "/", nil), &generation{model: s.models[0]}, (&generation{
		model: s.models[0], options: withTokens(1 << 30), bias: map[int32]float32{256: -100}, n: 1,
	}).requests([]int32{1}, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for i := 0; j.events.ready(); i++ {
		if i == 12000 {
			t.Fatal("the text never pauses")
		}
		time.Sleep(5 * time.Millisecond)
	}
	for range 3 {
		ask[completion](t, h, "/v1/completions", object{"model": "m", "prompt": "x", "max_tokens": 100})
	}
	if n := len(j.events.take()); n > maxEvents+1 {
		t.Errorf("%d events wait for a reader that doesn't read", n)
	}
	<-j.events.changed // having read, it goes on
}

// Shutdown refuses new requests, lets running ones end, and breaks off the rest.
func TestShutdown(t *testing.T) {
	s, err := New([]*Model{testModel(t, "m")}, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, h.Listener, 10*time.Second) }()
	url := "http://" + h.Listener.Addr().String()
	answers := make(chan string, 4)
	for range 4 {
		go func() {
			resp, err := http.Post(url+"/v1/completions", "application/json", strings.NewReader(`{"model":"m","prompt":"x","max_tokens":120,"stream":true,"logit_bias":{"256":-100}}`))
			if err != nil {
				answers <- err.Error()
				return
			}
			defer resp.Body.Close()
			b, _ := io.ReadAll(resp.Body)
			answers <- string(b)
		}()
	}
	first := <-answers
	cancel()
	for _, a := range []string{first, <-answers, <-answers, <-answers} {
		// One that came too late isn't answered at all.
		if !strings.HasSuffix(a, "data: [DONE]\n\n") && !strings.Contains(a, "shutting down") && !strings.Contains(a, "connect") && !strings.HasSuffix(a, "EOF") && a != "" {
			t.Errorf("an answer was broken off: %q", a[max(0, len(a)-200):])
		}
	}
	if !strings.HasSuffix(first, "data: [DONE]\n\n") {
		t.Errorf("the first answer is %q", first)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url + "/health"); err == nil {
		t.Error("the server still answers")
	}
}

func TestShutdownBreaksOff(t *testing.T) {
	s, h := start(t, testOptions)
	time.AfterFunc(10*time.Millisecond, s.breakOff)
	status, _, answer := call(t, h, "/v1/completions", object{"model": "m", "prompt": "x", "max_tokens": 120, "n": 100, "logit_bias": object{"256": -100}})
	if status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", status, answer)
	}
	s.closing.Store(true)
	resp, err := http.Get(h.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Error("health says", resp.Status)
	}
}

// Log-probabilities of an echo are those of the model reading the text, and best_of
// keeps the likeliest texts.
func TestEchoAndBestOf(t *testing.T) {
	s, h := start(t, testOptions)
	c := ask[completion](t, h, "/v1/completions", object{"model": "m", "prompt": "Hello wörld", "max_tokens": 0, "echo": true, "logprobs": 2}).Choices[0]
	ids, _ := s.models[0].Tokenizer.Encode("Hello wörld")
	d := s.models[0].Decoder(1)
	want := make([]float32, len(ids))
	if err := d.Append([]model.Input{{Tokens: append([]int32{256}, ids...), LogProbs: want}}); err != nil {
		t.Fatal(err)
	}
	if c.Text != "Hello wörld" || len(c.LogProbs.Tokens) != len(ids) || c.LogProbs.Tokens[7] != `bytes:\xc3` {
		t.Fatalf("%s", mustJSON(c))
	}
	for i, p := range c.LogProbs.TokenLogProbs {
		if diff := *p - float64(want[i]); diff > 1e-5 || diff < -1e-5 {
			t.Errorf("log-probability of token %d is %v, want %v", i, *p, want[i])
		}
	}
	// As ids, nothing comes before the first.
	c = ask[completion](t, h, "/v1/completions", object{"model": "m", "prompt": ids, "max_tokens": 1, "echo": true, "logprobs": 0}).Choices[0]
	if c.LogProbs.TokenLogProbs[0] != nil || len(c.LogProbs.Tokens) != len(ids)+1 {
		t.Errorf("%s", mustJSON(c))
	}

	body := object{"model": "m", "prompt": "a", "max_tokens": 5, "seed": 3, "n": 8, "logprobs": 0}
	all := ask[completion](t, h, "/v1/completions", body).Choices
	best, top := -1e9, ""
	for _, c := range all {
		sum := 0.0
		for _, p := range c.LogProbs.TokenLogProbs {
			sum += *p
		}
		if mean := sum / float64(len(c.LogProbs.TokenLogProbs)); mean > best {
			best, top = mean, c.Text
		}
	}
	delete(body, "logprobs")
	body["n"], body["best_of"] = 1, 8
	if got := ask[completion](t, h, "/v1/completions", body).Choices; len(got) != 1 || got[0].Text != top || got[0].LogProbs != nil {
		t.Errorf("best of 8 is %s, want %q", mustJSON(got), top)
	}
}

// Every chunk with a choice says why its text has ended: null until its last one.
func TestChunksSayFinishReason(t *testing.T) {
	_, h := start(t, testOptions)
	for path, body := range map[string]object{
		"/v1/completions":      {"model": "m", "prompt": "x", "max_tokens": 5, "stream": true, "logit_bias": object{"256": -100}},
		"/v1/chat/completions": {"model": "m", "messages": []object{{"role": "user", "content": "x"}}, "max_tokens": 5, "stream": true, "logit_bias": object{"256": -100}},
	} {
		list := chunks[struct{ Choices []map[string]json.RawMessage }](t, h, path, body)
		for i, c := range list {
			want := "null"
			if i == len(list)-1 {
				want = `"length"`
			}
			if got := string(c.Choices[0]["finish_reason"]); got != want {
				t.Errorf("%s, chunk %d of %d: finish_reason is %q, want %s", path, i+1, len(list), got, want)
			}
		}
	}
}

func TestModelsAndTokenize(t *testing.T) {
	_, h := start(t, testOptions, testModel(t, "m"), testModel(t, "a/b"))
	for path, want := range map[string]string{
		"/v1/models":     `"id":"a/b"`,
		"/v1/models/a/b": `"id":"a/b"`,
		"/v1/version":    `{"version":"test"}`,
		"/health":        `{"status":"ok"}`,
		"/metrics":       `gpt_texts_running{model="m"} 0`,
	} {
		resp, err := h.Client().Get(h.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !strings.Contains(string(b), want) {
			t.Errorf("%s: %s %s", path, resp.Status, b)
		}
	}
	got := ask[object](t, h, "/v1/tokenize", object{"model": "m", "prompt": "hé"})
	if fmt.Sprint(got["ids"]) != "[104 195 169]" || got["count"] != 3. {
		t.Errorf("%v", got)
	}
	got = ask[object](t, h, "/v1/tokenize", object{"model": "m", "messages": []object{{"role": "user", "content": "hi"}}})
	if got["count"] != float64(len("User: hi\nAssistant:")+1) {
		t.Errorf("%v", got)
	}
}

func withTokens(n int) sample.Options {
	o := sample.Default()
	o.MaxTokens = n
	return o
}

// load returns how many texts are in the batch and how many jobs in the queue.
func (e *engine) load() (running, waiting int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running, len(e.queue)
}
