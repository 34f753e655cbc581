package serve

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"tinygpt/chat"
	"tinygpt/internal/expect"
)

// Wrong requests are answered with the right status and an error that names the
// parameter, in the API's shape.
func TestErrors(t *testing.T) {
	reward := testModel(t, "r")
	reward.Reward = func(messages []chat.Message, answer string) (float64, error) {
		if answer == "no number" { // as of damaged weights
			return math.NaN(), nil
		}
		return float64(len(answer)), nil
	}
	_, h := start(t, testOptions, testModel(t, "m"), reward)
	const talk, complete = "/v1/chat/completions", "/v1/completions"
	const hi = `"model":"m","messages":[{"role":"user","content":"hi"}]`
	for _, k := range []struct {
		path, body  string
		status      int
		param, code string
	}{
		{talk, `{` + hi + `,"temperature":2.1}`, 400, "temperature", ""},
		{talk, `{` + hi + `,"temperature":"hot"}`, 400, "temperature", ""},
		{talk, `{` + hi + `,"top_p":-0.1}`, 400, "top_p", ""},
		{talk, `{` + hi + `,"n":0}`, 400, "n", ""},
		{talk, `{` + hi + `,"n":129}`, 400, "n", ""},
		{talk, `{` + hi + `,"n":1.5}`, 400, "n", ""},
		{talk, `{` + hi + `,"seed":1e300}`, 400, "seed", ""},
		{talk, `{` + hi + `,"stop":["a","b","c","d","e"]}`, 400, "stop", ""},
		{talk, `{` + hi + `,"stop":""}`, 400, "stop", ""},
		{talk, `{` + hi + `,"stop":5}`, 400, "stop", ""},
		{talk, `{` + hi + `,"logit_bias":{"257":1}}`, 400, "logit_bias", ""},
		{talk, `{` + hi + `,"logit_bias":{"a":1}}`, 400, "logit_bias", ""},
		{talk, `{` + hi + `,"logit_bias":{"1":101}}`, 400, "logit_bias", ""},
		{talk, `{` + hi + `,"presence_penalty":3}`, 400, "presence_penalty", ""},
		{talk, `{` + hi + `,"top_logprobs":3}`, 400, "top_logprobs", ""},
		{talk, `{` + hi + `,"logprobs":true,"top_logprobs":21}`, 400, "top_logprobs", ""},
		{talk, `{` + hi + `,"stream_options":{"include_usage":true}}`, 400, "stream_options", ""},
		{talk, `{` + hi + `,"max_tokens":5,"max_completion_tokens":6}`, 400, "max_tokens", ""},
		{talk, `{` + hi + `,"max_tokens":0}`, 400, "max_tokens", ""},
		{talk, `{` + hi + `,"max_tokens":500}`, 400, "max_tokens", "context_length_exceeded"},
		{talk, `{` + hi + `,"tools":[{"type":"function"}]}`, 400, "tools", "unsupported_parameter"},
		{talk, `{` + hi + `,"response_format":{"type":"json_object"}}`, 400, "response_format", "unsupported_parameter"},
		{talk, `{` + hi + `,"store":true}`, 400, "store", "unsupported_parameter"},
		{talk, `{` + hi + `,"moderation":{"model":"x"}}`, 400, "moderation", "unsupported_parameter"},
		{talk, `{` + hi + `,"prompt_cache_retention":"24h"}`, 400, "prompt_cache_retention", "unsupported_parameter"},
		{talk, `{` + hi + `,"stream":true,"stream_options":{"include_obfuscation":true}}`, 400, "stream_options", "unsupported_parameter"},
		{talk, `{"model":"m","messages":[]}`, 400, "messages", ""},
		{talk, `{"model":"m"}`, 400, "messages", ""},
		{talk, `{"model":"m","messages":"hi"}`, 400, "messages", ""},
		{talk, `{"model":"m","messages":[5]}`, 400, "messages[0]", ""},
		{talk, `{"model":"m","messages":[{"role":"king","content":"x"}]}`, 400, "messages[0].role", ""},
		{talk, `{"model":"m","messages":[{"role":"user"}]}`, 400, "messages[0].content", ""},
		{talk, `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, 400, "messages[0].content[0]", "unsupported_parameter"},
		{talk, `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", 200) + `"}]}`, 400, "messages", "context_length_exceeded"},
		{talk, `{"model":"gpt-4","messages":[{"role":"user","content":"x"}]}`, 404, "model", "model_not_found"},
		{talk, `{"messages":[{"role":"user","content":"x"}]}`, 400, "model", ""},
		{talk, `{"model":"r","messages":[{"role":"user","content":"x"}]}`, 400, "model", ""},
		{complete, `{"model":"m","prompt":5}`, 400, "prompt", ""},
		{complete, `{"model":"m","prompt":[]}`, 400, "prompt", ""},
		{complete, `{"model":"m","prompt":[[]]}`, 400, "prompt", ""},
		{complete, `{"model":"m","prompt":[999]}`, 400, "prompt", ""},
		{complete, `{"model":"m","prompt":[-1]}`, 400, "prompt", ""},
		{complete, `{"model":"m","prompt":["a",1]}`, 400, "prompt", ""},
		{complete, `{"model":"m","prompt":[null]}`, 400, "prompt", ""},
		{complete, `{"model":"m","prompt":[1,null]}`, 400, "prompt", ""},
		{complete, `{"model":"m","prompt":[[1,null]]}`, 400, "prompt", ""},
		{complete, `{"model":"m","stop":["a",null]}`, 400, "stop", ""},
		{complete, `{"model":"m","n":128,"candidates":50,"logprobs":5,"max_tokens":126}`, 400, "", ""},
		{complete, `{"model":"m","prompt":[` + strings.Repeat(`"",`, 128) + `""]}`, 400, "prompt", ""},
		{"/v1/score", `{"model":"r","messages":[{"role":"user","content":"x"}],"answer":[` + strings.Repeat(`"",`, 128) + `""]}`, 400, "answer", ""},
		{complete, `{"model":"m","suffix":"x"}`, 400, "suffix", "unsupported_parameter"},
		{complete, `{"model":"m","logprobs":6}`, 400, "logprobs", ""},
		{complete, `{"model":"m","best_of":21}`, 400, "best_of", ""},
		{complete, `{"model":"m","n":3,"best_of":2}`, 400, "best_of", ""},
		{complete, `{"model":"m","best_of":2,"stream":true}`, 400, "best_of", ""},
		{complete, `{"model":"m","max_tokens":0}`, 400, "max_tokens", ""},
		{"/v1/score", `{"model":"m","messages":[{"role":"user","content":"x"}],"answer":"y"}`, 400, "model", ""},
		{"/v1/feedback", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, 404, "model", ""},
		{"/v1/nothing", `{}`, 404, "", ""},
		{talk, ``, 400, "", ""},
		{talk, `[]`, 400, "", ""},
		{talk, `{`, 400, "", ""},
		{talk, `{} {}`, 400, "", ""},
		{talk, `null`, 400, "", ""},
		{talk, strings.Repeat(`{"a":`, 100000), 400, "", ""},
		{talk, `{"messages":` + strings.Repeat(`[`, 100000), 400, "", ""},
		{talk, `{` + hi + `,"user":"\u0000"}`, 400, "", ""},
		{talk, `{` + hi + `,"user":"\ud800"}`, 400, "", ""},
		{talk, `{` + hi + `,"user":"\udc00x"}`, 400, "", ""},
		{talk, `{` + hi + `,"user":"\ud800\ud800"}`, 400, "", ""},
		{talk, "{" + hi + ",\"user\":\"\xff\"}", 400, "", ""},
		{talk, `{"model":"` + strings.Repeat("x", bodyLimit) + `"}`, 413, "", ""},
	} {
		status, header, answer := call(t, h, k.path, k.body)
		param, code := "null", "null"
		if k.param != "" {
			param = `"` + k.param + `"`
		}
		if k.code != "" {
			code = `"` + k.code + `"`
		}
		want := `"type":"invalid_request_error","param":` + param + `,"code":` + code
		if status != k.status || header.Get("Content-Type") != "application/json" || !strings.Contains(string(answer), want) {
			t.Errorf("%s %.100s: %d %.300s, want %d %s", k.path, k.body, status, answer, k.status, want)
		}
	}
	if status, _, answer := call(t, h, "/v1/score", `{"model":"r","messages":[{"role":"user","content":"x"}],"answer":"no number"}`); status != 500 {
		t.Errorf("a reward that is no number: %d %s", status, answer)
	}
	for _, body := range []string{
		`{` + hi + `,"max_tokens":1,"temperature":null,"stop":null,"tools":[],"response_format":{"type":"text"},"user":"\ud83d\ude00 \\u0000"}`,
		`{` + hi + `,"max_tokens":1,"temperature":1e-30,"top_p":0,"top_k":-1}`,
		`{"model":"m","messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],"max_completion_tokens":1}`,
	} {
		if status, _, answer := call(t, h, talk, body); status != 200 {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if _, header, _ := call(t, h, talk, `{`+hi+`,"max_tokens":1,"zzz":1,"aé\n":2,"messages":[{"role":"user","content":"x","name":"Mia"}]}`); header.Get("X-Ignored-Fields") != "a??, zzz, messages[0].name" {
		t.Errorf("ignored %q", header.Get("X-Ignored-Fields"))
	}
	if got := ask[object](t, h, "/v1/score", `{"messages":[{"role":"user","content":"x"}],"answer":["y","yy"]}`); got["model"] != "r" || len(got["scores"].([]any)) != 2 {
		t.Errorf("%v", got)
	}
}

// send sends a request with headers.
func send(t *testing.T, h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "localhost:8080"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Other web pages can't use the server, and nobody without the key if there is one.
func TestProtection(t *testing.T) {
	o := testOptions
	o.Hosts, o.Origins = []string{"gpt.example"}, []string{"https://friend.example"}
	s, _ := start(t, o)
	o.Key, o.Hosts, o.Origins = "secret", nil, nil
	keyed, _ := start(t, o, testModel(t, "m"))
	body := `{"model":"m","prompt":"x","max_tokens":1}`
	for _, k := range []struct {
		s      *Server
		method string
		path   string
		body   string
		status int
		header []string
	}{
		{s, "GET", "/health", "", 200, nil},
		{s, "GET", "/health", "", 200, []string{"Host", "127.0.0.1:8080"}},
		{s, "GET", "/health", "", 200, []string{"Host", "[::1]:8080"}},
		{s, "GET", "/health", "", 200, []string{"Host", "gpt.example"}},
		{s, "GET", "/health", "", 403, []string{"Host", "evil.example"}},
		{s, "GET", "/health", "", 403, []string{"Host", "localhost.evil.example:8080"}},
		{s, "POST", "/v1/completions", body, 200, nil},
		{s, "POST", "/v1/completions", body, 200, []string{"Origin", "http://localhost:8080"}},
		{s, "POST", "/v1/completions", body, 200, []string{"Origin", "https://friend.example"}},
		{s, "POST", "/v1/completions", body, 403, []string{"Origin", "http://evil.example"}},
		{s, "POST", "/v1/completions", body, 403, []string{"Origin", "null"}},
		{s, "POST", "/v1/completions", body, 403, []string{"Origin", "http://localhost:9999"}},
		{s, "POST", "/v1/completions", body, 415, []string{"Content-Type", "text/plain"}},
		{s, "POST", "/v1/completions", body, 415, []string{"Content-Type", ""}},
		{s, "POST", "/v1/completions", body, 200, []string{"Content-Type", "application/json; charset=utf-8"}},
		{s, "OPTIONS", "/v1/completions", "", 403, []string{"Origin", "http://evil.example", "Access-Control-Request-Method", "POST"}},
		{s, "OPTIONS", "/v1/completions", "", 204, []string{"Origin", "https://friend.example", "Access-Control-Request-Method", "POST"}},
		{s, "DELETE", "/v1/completions", "", 405, nil},
		{s, "GET", "/v1/completions", "", 405, nil},
		{s, "POST", "/v1/models", "", 405, nil},
		{s, "GET", "/../../etc/passwd", "", 404, nil},
		{keyed, "POST", "/v1/completions", body, 401, nil},
		{keyed, "POST", "/v1/completions", body, 401, []string{"Authorization", "Bearer secre"}},
		{keyed, "POST", "/v1/completions", body, 401, []string{"Authorization", "secret"}},
		{keyed, "POST", "/v1/completions", body, 200, []string{"Authorization", "Bearer secret"}},
		{keyed, "GET", "/metrics", "", 401, nil},
		{keyed, "GET", "/", "", 200, nil},
		{keyed, "GET", "/health", "", 200, nil},
	} {
		w := send(t, k.s, k.method, k.path, k.body, k.header...)
		if w.Code != k.status && !(k.path[1] == '.' && w.Code/100 == 3) {
			t.Errorf("%s %s %q: %d %s, want %d", k.method, k.path, k.header, w.Code, w.Body, k.status)
		}
	}
	if allow := send(t, s, "DELETE", "/v1/completions", "").Header().Get("Allow"); allow != "POST" {
		t.Errorf("Allow: %q", allow)
	}
	w := send(t, s, "GET", "/", "")
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self';", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if !strings.HasPrefix(w.Header().Get(name), want) {
			t.Errorf("%s: %q", name, w.Header().Get(name))
		}
	}
	if w := send(t, s, "POST", "/v1/completions", body, "Origin", "http://localhost:8080"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("an origin is allowed that needs no leave")
	}
}

func TestStrictAndAnyModel(t *testing.T) {
	o := testOptions
	o.Strict, o.AnyModel = true, true
	_, h := start(t, o)
	if status, _, answer := call(t, h, "/v1/completions", `{"prompt":"x","zzz":1}`); status != 400 || !bytes.Contains(answer, []byte(`"zzz"`)) {
		t.Errorf("%d %s", status, answer)
	}
	if got := ask[completion](t, h, "/v1/completions", `{"model":"gpt-3.5-turbo","prompt":"x","max_tokens":1}`); got.Model != "m" {
		t.Errorf("%+v", got)
	}
}

// A prompt can't write lines of the log, and isn't in it unless asked for.
func TestLog(t *testing.T) {
	for _, prompts := range []bool{false, true} {
		var log bytes.Buffer
		o := testOptions
		o.LogPrompts, o.Log = prompts, slog.New(slog.NewTextHandler(&log, nil))
		s, err := New([]*Model{testModel(t, "m")}, o)
		if err != nil {
			t.Fatal(err)
		}
		send(t, s, "POST", "/v1/completions", `{"model":"m","prompt":"SECRET\n\u001b[31mlevel=ERROR","max_tokens":3}`)
		send(t, s, "GET", "/%0Alevel=ERROR%1b[31m", "")
		s.Close()
		text := log.String()
		if strings.Contains(text, "SECRET") != prompts {
			t.Errorf("log with prompts %v: %s", prompts, text)
		}
		if strings.Contains(text, "\nlevel=ERROR") || strings.ContainsRune(text, 0x1b) {
			t.Errorf("the log has what a client wrote: %q", text)
		}
	}
}

// A request for far too many texts is refused before memory is taken for them.
func TestManyTexts(t *testing.T) {
	s, _ := start(t, testOptions)
	body := `{"model":"m","n":128,"prompt":[` + strings.Repeat(`"",`, 10_000) + `""]}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := send(t, s, "POST", "/v1/completions", body)
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; w.Code != 400 || taken > 64<<20 {
		t.Errorf("%d: %d bytes are taken for a request of %d", w.Code, taken, len(body))
	}
	// A vocabulary may have tokens of a megabyte.
	s.models[0].longest = 1 << 20
	for body, code := range map[string]int{
		`{"model":"m","prompt":"a","max_tokens":4}`: 200, `{"model":"m","prompt":"a","max_tokens":5,"n":128}`: 400, `{"model":"m","prompt":"a","max_tokens":5,"n":128,"stream":true}`: 400,
		`{"model":"m","prompt":"a","max_tokens":4,"logprobs":5}`: 200, `{"model":"m","prompt":"a","max_tokens":4,"n":2,"logprobs":5}`: 400, `{"model":"m","prompt":"a","max_tokens":4,"n":2,"logprobs":5,"stream":true}`: 200,
		`{"model":"m","prompt":"aaaaaaaaaa","max_tokens":4,"n":2,"logprobs":5,"stream":true,"echo":true}`: 400,
	} {
		if w := send(t, s, "POST", "/v1/completions", body); w.Code != code {
			t.Errorf("%s: %d, expected %d: %s", body, w.Code, code, w.Body)
		}
	}
}

// A name that is no text is refused, rather than by a trace of the metrics' library.
func TestNameOfBytes(t *testing.T) {
	_, err := New([]*Model{{Name: "r\xff"}}, testOptions)
	expect.OneLine(t, err, `a model's name is "r\xff": expected UTF-8`)
}

// What is looked at for each token has limits, and a token can't have two biases, of which one
// would count, now this and now that.
func TestManyStops(t *testing.T) {
	s, _ := start(t, testOptions)
	var keys strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&keys, `"%d":1,`, i)
	}
	for member, code := range map[string]int{
		`"stop":"` + strings.Repeat("a", 1000) + `"`: 200, `"stop":"` + strings.Repeat("a", 1001) + `"`: 400,
		`"logit_bias":{"1":5}`: 200, `"logit_bias":{"01":5}`: 400, `"logit_bias":{"+1":5}`: 400, `"logit_bias":{` + strings.TrimSuffix(keys.String(), ",") + `}`: 400,
	} {
		if w := send(t, s, "POST", "/v1/completions", `{"model":"m","prompt":"a","max_tokens":1,`+member+`}`); w.Code != code {
			t.Errorf("%.40s: %d, expected %d: %s", member, w.Code, code, w.Body)
		}
	}
}

// A client that stops reading an answer is given up, also if it isn't a stream.
func TestStalledReader(t *testing.T) {
	defer func(before time.Duration) { writeTimeout = before }(writeTimeout)
	writeTimeout = 200 * time.Millisecond
	ended := make(chan bool, 10)
	o := testOptions
	o.Log = slog.New(slog.NewTextHandler(writerFunc(func(line []byte) {
		if bytes.Contains(line, []byte("/v1/tokenize")) {
			ended <- true
		}
	}), nil))
	_, h := start(t, o)
	c, err := net.Dial("tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := `{"model":"m","prompt":"` + strings.Repeat("a", 1_000_000) + `"}` // whose answer has about 30 MB
	fmt.Fprintf(c, "POST /v1/tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the answer waits for a client that doesn't read")
	}
}

// writerFunc is an io.Writer.
type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// Whatever a body holds, the answer is one of the API's, and never an error of the
// server.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{
		`{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":2,"logprobs":true,"top_logprobs":2,"n":2}`,
		`{"model":"m","prompt":["a","b"],"echo":true,"logprobs":2,"best_of":3,"max_tokens":2,"seed":-1}`,
		`{"model":"m","prompt":[[1,2],[3]],"stream":true,"stream_options":{"include_usage":true},"stop":["x"],"candidates":3}`,
		`{"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"\ud83d\ude00"}]}],"logit_bias":{"5":-100},"answer":"x"}`,
		`{"model":"m","messages":[{"role":"user","content":"a"}],"answers":["x","y"],"ranks":[0,1]}`,
		`{"a":null,"b":[{}],"c":1e999}`,
	} {
		for path := range 5 {
			f.Add(path, body)
		}
	}
	s, _ := start(f, testOptions)
	s.models[0].Feedback = &chat.Feedback{Path: f.TempDir() + "/feedback.jsonl"}
	paths := []string{"/v1/completions", "/v1/chat/completions", "/v1/tokenize", "/v1/score", "/v1/feedback"}
	f.Fuzz(func(t *testing.T, path int, body string) {
		if path < 0 || path >= len(paths) {
			return
		}
		r := httptest.NewRequest("POST", paths[path], strings.NewReader(body))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code != 200 && !strings.HasPrefix(w.Body.String(), `{"error":{"message":`) {
			t.Errorf("%s %q: %d %s", paths[path], body, w.Code, w.Body)
		}
	})
}
