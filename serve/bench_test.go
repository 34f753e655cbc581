package serve

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tinygpt/chat"
	"tinygpt/model"
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
	m, err := model.New(model.Config{Arch: model.GPT2, Layers: 12, Heads: 12, Width: 768, Context: 1024, VocabSize: 50257}, 1)
	if err != nil {
		b.Fatal(err)
	}
	w, err := m.Weights(model.Float32)
	if err != nil {
		b.Fatal(err)
	}
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
			s, err := New([]*Model{{
				Name: "m", Config: m.Config, Tokenizer: tok, Template: chat.Plain{Tokenizer: tok},
				Decoder: func(n int) sample.Decoder { return w.NewDecoder(n) },
			}}, Options{Sequences: 16, Queue: 64, PromptTokens: 128})
			if err != nil {
				b.Fatal(err)
			}
			h := httptest.NewServer(s)
			defer s.Close()
			defer h.Close()
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
	m, err := model.New(model.Config{Arch: model.GPT2, Layers: 12, Heads: 12, Width: 768, Context: 1024, VocabSize: 50257}, 1)
	if err != nil {
		b.Fatal(err)
	}
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
			for i := 0; b.Loop(); i++ {
				if prompt[0] = int32(i + 1); known {
					prompt[0] = 50000
				}
				run()
			}
		})
	}
}
