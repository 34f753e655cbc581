package serve

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"tinygpt/chat"
	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// BenchmarkServer measures tokens a second over HTTP with several clients at a time,
// next to the bare decoder with as many sequences and no sampling: GPT-2's smallest
// shape, prompts of 16 tokens and answers of 64. Prompts have nothing in common.
func BenchmarkServer(b *testing.B) {
	tok, err := tokenizer.GPT2()
	if err != nil {
		b.Fatal(err)
	}
	m := modeltest.New(b, model.Config{Arch: model.GPT2, Layers: 12, Heads: 12, Width: 768, Context: 1024, VocabSize: 50257}, 1)
	w := modeltest.Weights(b, m)
	const prompt, answer = 16, 64
	tokens := func(seed int) []int32 {
		ids := make([]int32, prompt)
		for i := range ids {
			ids[i] = int32((seed*7919 + i*104729) % 50000)
		}
		return ids
	}
	for _, n := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("decoder/sequences=%d", n), func(b *testing.B) {
			d := w.NewDecoder(n)
			start, round := time.Now(), 0
			for b.Loop() {
				round++
				inputs := make([]model.Input, n)
				for i := range inputs {
					d.Reset(i)
					inputs[i] = model.Input{Sequence: i, Tokens: tokens(round*n + i)}
				}
				for range answer {
					if err := d.Append(inputs); err != nil {
						b.Fatal(err)
					}
					for i := range inputs {
						inputs[i].Tokens = []int32{1}
					}
				}
			}
			b.ReportMetric(float64(b.N*n*answer)/time.Since(start).Seconds(), "tokens/s")
			b.ReportMetric(0, "ns/op")
		})
		b.Run(fmt.Sprintf("server/clients=%d", n), func(b *testing.B) {
			_, h := start(b, Options{Sequences: 16, Queue: 64, PromptTokens: 128}, &Model{
				Name: "m", Config: m.Config, Tokenizer: tok, Template: chat.Plain{Tokenizer: tok},
				Decoder: func(n int) sample.Decoder { return w.NewDecoder(n) },
			})
			start, round := time.Now(), 1000
			for b.Loop() {
				round++
				var group sync.WaitGroup
				for i := range n {
					group.Go(func() {
						ids, _ := json.Marshal(tokens(round*n + i))
						body := fmt.Sprintf(`{"model":"m","prompt":%s,"max_tokens":%d,"stream":true,"seed":%d,"logit_bias":{"50256":-100}}`, ids, answer, i)
						r, err := http.Post(h.URL+"/v1/completions", "application/json", strings.NewReader(body))
						if err != nil {
							b.Error(err)
							return
						}
						defer r.Body.Close()
						if text, _ := io.ReadAll(r.Body); r.StatusCode != 200 || !strings.HasSuffix(string(text), "[DONE]\n\n") {
							b.Errorf("%s %.200s", r.Status, text)
						}
					})
				}
				group.Wait()
			}
			b.ReportMetric(float64(b.N*n*answer)/time.Since(start).Seconds(), "tokens/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkPrefix measures the time to an answer of one token after a prompt of 512,
// that was read before or not.
func BenchmarkPrefix(b *testing.B) {
	m := modeltest.New(b, model.Config{Arch: model.GPT2, Layers: 12, Heads: 12, Width: 768, Context: 1024, VocabSize: 50257}, 1)
	batch := sample.NewBatch(m.NewDecoder(4), nil)
	o := sample.Default()
	o.MaxTokens = 1
	prompt := make([]int32, 512)
	run := func() {
		if _, err := batch.Add(sample.Request{Prompt: prompt, Options: o}); err != nil {
			b.Fatal(err)
		}
		for batch.Len() > 0 {
			if err := batch.Step(); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, known := range []bool{false, true} {
		b.Run(fmt.Sprintf("known=%v", known), func(b *testing.B) {
			prompt[0] = 50000
			run()
			for i := 0; b.Loop(); i++ {
				if !known {
					prompt[0] = int32(i + 1)
				}
				run()
			}
		})
	}
}

// BenchmarkFlood sends 500 requests at once to a server of small.yaml's shape that
// draws 16 texts and lets 64 requests wait, over connections of their own or kept
// ones. It reports how long those took that were refused: for the client, in
// milliseconds and in passes of the model, which a busy machine slows as much; and
// within the server from a request's header on.
func BenchmarkFlood(b *testing.B) {
	m := modeltest.New(b, model.Config{Arch: model.GPT2, Layers: 12, Heads: 4, Width: 128, Context: 256, VocabSize: 257}, 1)
	w := modeltest.Weights(b, m)
	tok := tokenizer.NewByte()
	const flood = 500
	for _, kept := range []bool{false, true} {
		b.Run(fmt.Sprintf("kept=%v", kept), func(b *testing.B) {
			var passes atomic.Int64
			s, h := start(b, Options{Sequences: 16, Queue: 64, PromptTokens: 128}, &Model{
				Name: "m", Config: m.Config, Tokenizer: tok, Template: chat.Plain{Tokenizer: tok},
				Decoder: func(n int) sample.Decoder { return &counting{w.NewDecoder(n), &passes} },
			})
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: !kept, MaxIdleConnsPerHost: flood, MaxConnsPerHost: flood}}
			defer client.CloseIdleConnections()
			ask := func(path, body string) (status int, w wait) {
				start, pass := time.Now(), passes.Load()
				r, err := client.Post(h.URL+path, "application/json", strings.NewReader(body))
				if err != nil {
					b.Error(err)
					return 0, w
				}
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
				return r.StatusCode, wait{time.Since(start), passes.Load() - pass}
			}
			together := func(path, body string) (refused []wait) {
				var mu sync.Mutex
				var group sync.WaitGroup
				begin := make(chan struct{})
				for range flood {
					group.Go(func() {
						<-begin
						if status, took := ask(path, body); status == http.StatusTooManyRequests {
							mu.Lock()
							refused = append(refused, took)
							mu.Unlock()
						}
					})
				}
				close(begin)
				group.Wait()
				return refused
			}
			together("/v1/tokenize", `{"model":"m","prompt":"x"}`) // opens the connections
			var refused []wait
			for b.Loop() {
				refused = append(refused, together("/v1/completions", `{"model":"m","prompt":"Once","max_tokens":128,"logit_bias":{"256":-100}}`)...)
			}
			if len(refused) == 0 {
				b.Fatal("nothing was refused")
			}
			for _, q := range []int{50, 99} {
				i := q * (len(refused) - 1) / 100
				slices.SortFunc(refused, func(a, b wait) int { return int(a.took - b.took) })
				b.ReportMetric(float64(refused[i].took)/float64(time.Millisecond), fmt.Sprintf("ms-p%d", q))
				slices.SortFunc(refused, func(a, b wait) int { return int(a.passes - b.passes) })
				b.ReportMetric(float64(refused[i].passes), fmt.Sprintf("passes-p%d", q))
			}
			b.ReportMetric(handled(b, s, 0.5), "ms-inside-p50")
			b.ReportMetric(handled(b, s, 0.99), "ms-inside-p99")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// wait is how long a client waited.
type wait struct {
	took   time.Duration
	passes int64 // of the model
}

// counting counts the passes of a decoder.
type counting struct {
	sample.Decoder
	passes *atomic.Int64
}

func (c *counting) Append(inputs []model.Input) error {
	c.passes.Add(1)
	return c.Decoder.Append(inputs)
}

// handled is a quantile of the time that refused requests took inside the server, in
// milliseconds: the upper bound of its bucket in /metrics.
func handled(b *testing.B, s *Server, q float64) float64 {
	families, err := s.metrics.registry.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() != "gpt_http_request_seconds" || !slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetValue() == "429" }) {
				continue
			}
			for _, bucket := range m.Histogram.Bucket {
				if float64(bucket.GetCumulativeCount()) >= q*float64(m.Histogram.GetSampleCount()) {
					return 1000 * bucket.GetUpperBound()
				}
			}
			return math.Inf(1)
		}
	}
	b.Fatal("no refused request in the metrics")
	return 0
}
