package sample

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/tokenizer"
)

func smallModel(t *testing.T) *model.Model {
	t.Helper()
	m := modeltest.New(t, model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 16, Context: 48, VocabSize: 257, InitStd: 0.4}, 3)
	return m
}

// randomRequest has a prompt that often begins like others'.
func randomRequest(r *rand.Rand, longest int) Request {
	o := Default()
	o.MaxTokens = 1 + r.IntN(30)
	o.Temperature = []Temperature{0, 0.7, 1}[r.IntN(3)]
	o.RepetitionPenalty = []RepetitionPenalty{1, 1.2}[r.IntN(2)]
	o.FrequencyPenalty = []FrequencyPenalty{0, 0.3}[r.IntN(2)]
	o.TopK = []TopK{0, 0, 20}[r.IntN(3)]
	if r.IntN(3) == 0 {
		o.Stop = []string{string(rune('a' + r.IntN(26)))}
	}
	prompt := make([]int32, 1+r.IntN(longest))
	for i := range prompt {
		prompt[i] = int32(i % 7)
		if r.IntN(4*longest) == 0 {
			prompt[i] = r.Int32N(257)
		}
	}
	request := Request{Prompt: prompt, Options: o, Seed: r.Uint64(), End: []int32{r.Int32N(257)}, LogProbs: true}
	if r.IntN(4) == 0 {
		request.LogitBias = map[int32]float32{r.Int32N(257): 5, 3: -100}
	}
	return request
}

// A text and its log-probabilities are the same bits alone and in a batch that
// others join and leave at random, with prompts read whole or in pieces, new or
// copied from another sequence.
func TestBatchIndependence(t *testing.T) {
	m, tok := smallModel(t), tokenizer.NewByte()
	for _, pieces := range []int{0, 1, 2} {
		r := rand.New(rand.NewPCG(uint64(pieces), 1))
		b := NewBatch(m.NewDecoder(5), tok)
		b.PromptTokens = pieces
		var requests []Request
		var texts []*Text
		copied := 0
		for len(requests) < 60 || b.Len() > 0 {
			for len(requests) < 60 && b.Free() > 0 && r.IntN(3) > 0 {
				requests = append(requests, randomRequest(r, longestPrompt))
				text, err := b.Add(requests[len(requests)-1])
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, text)
			}
			if err := b.Step(); err != nil {
				t.Fatal(err)
			}
		}
		for i, request := range requests {
			alone, err := Generate(t.Context(), m.NewDecoder(1), tok, []Request{request})
			if err != nil {
				t.Fatal(err)
			}
			copied += texts[i].Cached
			texts[i].Cached = 0
			if !reflect.DeepEqual(*texts[i], alone[0]) {
				t.Fatalf("pieces of %d, request %d (prompt of %d):\n%+v, alone\n%+v", pieces, i, len(request.Prompt), *texts[i], alone[0])
			}
		}
		if copied == 0 {
			t.Error("no prompt was copied: the test says less than it should")
		}
	}
}

// longestPrompt makes passes of the tests' texts have few rows and many.
const longestPrompt = 40

// A request that is cancelled leaves at the next step, and gives its place and what
// it has read to those that waited for it.
func TestBatchCancel(t *testing.T) {
	m := smallModel(t)
	prompt := make([]int32, 30)
	for i := range prompt {
		prompt[i] = int32(i)
	}
	o := Default()
	o.MaxTokens = 4
	want, err := Generate(t.Context(), m.NewDecoder(1), nil, []Request{{Prompt: prompt, Options: o, Seed: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for steps := range 10 {
		b := NewBatch(m.NewDecoder(3), nil)
		b.PromptTokens = 7
		ctx, cancel := context.WithCancel(t.Context())
		var texts []*Text
		for i := range 3 {
			request := Request{Prompt: prompt, Options: o, Seed: 2}
			if i == 0 {
				request.Context = ctx
			}
			text, err := b.Add(request)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		if _, err := b.Add(Request{Prompt: prompt, Options: o}); err == nil {
			t.Error("a full batch takes a request")
		}
		for range steps {
			if err := b.Step(); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		left := b.Len()
		if err := b.Step(); err != nil {
			t.Fatal(err)
		}
		if left == 3 && (b.Free() < 1 || !errors.Is(texts[0].Err, context.Canceled)) {
			t.Errorf("cancelled after %d steps: %d places free, %v", steps, b.Free(), texts[0].Err)
		}
		for b.Len() > 0 {
			if err := b.Step(); err != nil {
				t.Fatal(err)
			}
		}
		for _, text := range texts[1:] {
			if !slices.Equal(text.Tokens, want[0].Tokens) || text.Finish != Length || text.Err != nil {
				t.Errorf("cancelled after %d steps: another text is %+v, want %v", steps, text, want[0].Tokens)
			}
		}
	}
}

// A text that isn't Ready waits while the others go on.
func TestBatchReady(t *testing.T) {
	b := NewBatch(newFixed(2, 1, 2), nil)
	o := Default()
	o.MaxTokens = 3
	ready := false
	waits, _ := b.Add(Request{Prompt: []int32{0}, Options: o, Ready: func() bool { return ready }})
	other, _ := b.Add(Request{Prompt: []int32{1}, Options: o})
	for range 5 {
		if err := b.Step(); err != nil {
			t.Fatal(err)
		}
	}
	if other.Finish != Length || len(waits.Tokens) != 0 || !b.Waiting() {
		t.Errorf("%+v, the one that waits %+v, all wait: %v", other, waits, b.Waiting())
	}
	ready = true
	for range 3 {
		if err := b.Step(); err != nil {
			t.Fatal(err)
		}
	}
	if waits.Finish != Length || b.Len() != 0 {
		t.Errorf("%+v", waits)
	}
}

// A conversation reads only what is new; another one leaves it in place.
func TestBatchPrefix(t *testing.T) {
	d := newFixed(2, 0, 0, 1, 2)
	b := NewBatch(d, nil)
	run := func(prompt ...int32) *Text {
		t.Helper()
		o := Default()
		o.MaxTokens = 3
		text, err := b.Add(Request{Prompt: prompt, Options: o, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		for b.Len() > 0 {
			if err := b.Step(); err != nil {
				t.Fatal(err)
			}
		}
		return text
	}
	first := run(1, 2, 3)
	run(1, 0, 0, 0, 0)
	second := append([]int32{1, 2, 3}, first.Tokens...)
	if text := run(append(second, 1, 1)...); text.Cached != 5 {
		t.Errorf("%d tokens of the conversation were kept, want 5: all but the last that was drawn", text.Cached)
	}
	if text := run(1, 0, 0, 0, 0); text.Cached != 4 {
		t.Errorf("%d tokens of the other were kept, want 4", text.Cached)
	}
}

func ExampleGenerate() {
	m, err := model.New(model.Config{Arch: model.GPT2, Layers: 1, Heads: 2, Width: 16, Context: 32, VocabSize: 257}, 1)
	if err != nil {
		panic(err)
	}
	tok, options := tokenizer.NewByte(), Default()
	options.MaxTokens = 20
	requests, err := Continue(tok, "Once", options, 1, 3) // three texts, with seeds 1, 2, 3
	if err != nil {
		panic(err)
	}
	texts, err := Generate(context.Background(), m.NewDecoder(3), tok, requests)
	if err != nil {
		panic(err)
	}
	for _, t := range texts {
		fmt.Println(t.Seed, len(t.Tokens), t.Finish)
	}
	// Output:
	// 1 20 length
	// 2 20 length
	// 3 20 length
}
