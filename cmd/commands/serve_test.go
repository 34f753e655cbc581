package commands

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/serve"
)

// addresses passes on what a server prints first.
type addresses chan string

func (a addresses) Write(p []byte) (int, error) {
	a <- string(p)
	return len(p), nil
}

// The server answers with the text that sample writes, takes feedback, and ends in
// good order.
func TestServe(t *testing.T) {
	inTinyRun(t)
	ctx, cancel := context.WithCancel(t.Context())
	out, status := make(addresses, 1), make(chan int)
	go func() {
		status <- execute(ctx, []string{"gpt", "serve", "--addr", "127.0.0.1:0", "--grace", "1s"}, out, io.Discard)
	}()
	line := <-out
	_, url, ok := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), "; Ctrl-C ends"), "for clients ")
	if !ok {
		t.Fatalf("it says %q", line)
	}
	post := func(path, body string) (answer struct{ Choices []struct{ Text string } }) {
		t.Helper()
		r, err := http.Post(url+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if r.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(r.Body)
			t.Fatalf("%s: %s %s", path, r.Status, text)
		}
		if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	got := post("/completions", `{"model":"tiny-1","prompt":"Once there","max_tokens":8,"temperature":0.8,"seed":3}`)
	want := succeed(t, "sample", "--seed", "3", "Once there")
	if "Once there"+got.Choices[0].Text+"\n" != want {
		t.Errorf("served %q, sampled %q", got.Choices[0].Text, want)
	}
	post("/feedback", `{"model":"tiny-1","messages":[{"role":"user","content":"Hi"}],"answers":["Yes"],"label":true}`)
	expect.Says(t, "runs/tiny-1/feedback.jsonl", `"answers":["Yes"],"label":true,"model":"tiny-1"`)
	addr := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/v1")
	contains(t, refused(t, 1, "serve", "--addr", addr), "--addr "+addr+": ", "name another one, as in --addr 127.0.0.1:8081")
	cancel()
	if s := <-status; s != 0 {
		t.Errorf("exit %d", s)
	}
}

// Runs of one name in different folders are different models.
func TestServedNames(t *testing.T) {
	for want, dirs := range map[string][]string{
		"small":                         {"runs/small"},
		"r\ufffd":                       {"runs/r\xff"},
		"small ppo":                     {"runs/small", "runs/i-1/ppo"},
		"i-1/ppo i-2/ppo":               {"runs/i-1/ppo", "runs/i-2/ppo/"},
		"a/r/ppo b/r/ppo other/ppo sft": {"a/r/ppo", "b/r/ppo", "other/ppo", "b/r/sft"},
	} {
		var models []*serve.Model
		for _, dir := range dirs {
			models = append(models, &serve.Model{Name: dir})
		}
		nameApart(models)
		var names []string
		for _, m := range models {
			names = append(names, m.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q are named %q, want %q", dirs, got, want)
		}
	}
}

func TestServeRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "empty", "\n")
	fixture.Write(t, "tiny.yaml", tiny)
	succeed(t, "train", "--config", "tiny.yaml", "--set", "train.steps=1", "--run", "served")
	for want, args := range map[string][]string{
		"--sequences 1000000000 of served needs about ":          {"--run", "served", "--sequences", "1000000000"},
		"--addr 0.0.0.0:80 can be reached by others: give a key": {"--addr", "0.0.0.0:80"},
		"--addr :80 can be reached by others":                    {"--addr", ":80"},
		`--addr is "80": expected HOST:PORT`:                     {"--addr", "80"},
		"empty is empty: expected a key":                         {"--api-key-file", "empty"},
		"no run there yet":                                       {},
	} {
		if status, _, stderr := gpt(append([]string{"serve"}, args...)...); status == 0 || !strings.Contains(stderr, want) {
			t.Errorf("gpt serve %q: exit %d, %q, want %q", args, status, stderr, want)
		}
	}
}
