package train

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"tinygpt/data"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/model/modeltest"
)

// formulaModel returns a model with the weights of testdata/perplexity.py.
func formulaModel(t *testing.T, arch model.Arch) *model.Model {
	t.Helper()
	m := modeltest.New(t, model.Config{Arch: arch, Layers: 2, Heads: 2, Width: 16, Context: 16, VocabSize: 40}, 1)
	for _, p := range m.Parameters {
		fixture.Formula(p.Value.Float32s(), p.Name, p.Value.Dims() == 1 && strings.HasSuffix(p.Name, "weight"))
	}
	return m
}

func evaluator(t *testing.T, m *model.Model, stream *data.Stream) *Evaluator {
	t.Helper()
	w := modeltest.Weights(t, m)
	return NewEvaluator(w, stream)
}

// Perplexities with strided windows equal those of Hugging Face's transformers.
func TestPerplexityEqualsTransformers(t *testing.T) {
	text := expect.File(t, "testdata/perplexity.json")
	var golden struct {
		Cases []struct {
			Arch           model.Arch
			Stride, Tokens int
			Exact          float64
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 6 {
		t.Fatalf("%d cases only", len(golden.Cases))
	}
	stream := &data.Stream{Bytes: 300}
	for i := range 101 {
		stream.Tokens = append(stream.Tokens, int32((i*i*7+i*3)%40))
	}
	for _, k := range golden.Cases {
		e := evaluator(t, formulaModel(t, k.Arch), stream)
		e.Windows = stream.SlidingWindows(16, k.Stride)
		got, err := e.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Tokens != k.Tokens || !(math.Abs(got.Perplexity()/k.Exact-1) < 2e-6) {
			t.Errorf("%s, stride %d: perplexity %.6f of %d tokens, want %.6f of %d", k.Arch, k.Stride, got.Perplexity(), got.Tokens, k.Exact, k.Tokens)
		}
		if want := math.Log2(got.Perplexity()) * float64(got.Tokens) / 300; math.Abs(got.BitsPerByte()-want) > 1e-9 {
			t.Errorf("%v bits per byte, want %v", got.BitsPerByte(), want)
		}
	}
}

// Every document is read from its beginning, and the loss is what the graph computes.
func TestEvaluateDocuments(t *testing.T) {
	m := formulaModel(t, model.GPT2)
	stream := &data.Stream{Tokens: []int32{39}, Bytes: 77}
	for i, n := range []int{3, 16, 40, 1, 15, 17, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2} {
		stream.Starts = append(stream.Starts, len(stream.Tokens)-1)
		for j := range n {
			stream.Tokens = append(stream.Tokens, int32((i*7+j*j)%39))
		}
		stream.Tokens = append(stream.Tokens, 39)
	}
	nats, tokens := 0.0, 0
	for w := range stream.DocumentWindows(16) {
		read := stream.Tokens[w.Begin : w.End-1]
		g := m.NewGraph(1, len(read), false)
		logits := g.Logits()
		if err := g.Compile(nil); err != nil {
			t.Fatal(err)
		}
		copy(g.Tokens, read)
		if err := g.Run(); err != nil {
			t.Fatal(err)
		}
		all := logits.Value().Data().([]float32)
		for at := w.From; at < w.End; at++ {
			row, sum := all[(at-1-w.Begin)*40:(at-w.Begin)*40], 0.0
			for _, x := range row {
				sum += math.Exp(float64(x))
			}
			nats += math.Log(sum) - float64(row[stream.Tokens[at]])
			tokens++
		}
	}
	e := evaluator(t, m, stream)
	told := 0
	e.Progress = func(n int) { told = n }
	for range 2 { // the second time with memory from the first
		got, err := e.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Tokens != tokens || got.Bytes != 77 || told != tokens || math.Abs(got.Loss-nats/float64(tokens)) > 1e-5 {
			t.Errorf("%+v, progress to %d, want loss %v of %d tokens", got, told, nats/float64(tokens), tokens)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
