package serve

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"tinygpt/tokenizer"
)

// randomGeneration are parameters that both endpoints take.
func randomGeneration(r *rand.Rand) object {
	o := object{"model": "m", "seed": r.Int64(), "temperature": []float64{0, 0.7, 1, 2}[r.IntN(4)]}
	if r.IntN(2) == 0 {
		o["n"] = 1 + r.IntN(3)
	}
	if r.IntN(2) == 0 {
		var stops []string
		for range 1 + r.IntN(3) {
			stops = append(stops, string(rune(' '+r.IntN(95)))+[]string{"", "", string(rune(' ' + r.IntN(95)))}[r.IntN(3)])
		}
		o["stop"] = stops
	}
	if r.IntN(3) == 0 {
		o["frequency_penalty"] = 0.5
		o["logit_bias"] = object{"65": 3, "66": -100}
	}
	if r.IntN(3) == 0 {
		o["top_p"], o["top_k"] = 0.9, 100
	}
	return o
}

// printable is a random text.
func printable(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = ' ' + byte(r.IntN(95))
	}
	return string(b)
}

// What comes in chunks is what comes whole: texts, tokens, log-probabilities, reasons
// and usage, for 1,000 random requests, with stop texts, several texts, and texts that are
// cut within a character. One model has random weights, the other says the same each time,
// in characters of one to four bytes.
func TestStreamEqualsWhole(t *testing.T) {
	const spoken = "Zoë: 你好, 🙂👩‍👧! naïve ½ — "
	_, h := start(t, testOptions, testModel(t, "m"), speaking(t, "s", strings.Repeat(spoken, 4), 0))
	r := rand.New(rand.NewPCG(1, 2))
	tests := 1000
	if testing.Short() {
		tests = 20
	}
	met := map[string]int{} // what the texts met
	meet := func(text, reason string) {
		met[reason]++
		if reason == "length" && strings.HasSuffix(text, "\ufffd") {
			met["cut within a character"]++
		}
	}
	for range tests {
		body := randomGeneration(r)
		body["max_tokens"] = 1 + r.IntN(30)
		if r.IntN(2) == 0 {
			body["model"], body["temperature"] = "s", 1
			if body["stop"] != nil {
				runes := []rune(spoken)
				at := r.IntN(len(runes) - 3)
				body["stop"] = []string{string(runes[at : at+1+r.IntN(3)]), "\ufffd"}[:1+r.IntN(2)]
			}
		}
		streamed := func() object {
			o := object{"stream": true, "stream_options": object{"include_usage": true}}
			for k, v := range body {
				o[k] = v
			}
			return o
		}
		if r.IntN(2) == 0 {
			body["messages"] = []object{{"role": "system", "content": printable(r, 5)}, {"role": "user", "content": printable(r, r.IntN(20))}}
			if r.IntN(2) == 0 {
				body["logprobs"], body["top_logprobs"] = true, r.IntN(4)
			}
			want := ask[chatAnswer](t, h, "/v1/chat/completions", body)
			got := chatAnswer{Choices: make([]chatChoice, len(want.Choices))}
			for i := range got.Choices {
				got.Choices[i] = chatChoice{Index: i, Message: &chatMessage{Role: "?"}}
				if body["logprobs"] != nil {
					got.Choices[i].LogProbs = &chatLogProbs{Content: []chatToken{}}
				}
			}
			list := chunks[chatAnswer](t, h, "/v1/chat/completions", streamed())
			for n, c := range list {
				if c.ID != list[0].ID || c.Created != list[0].Created || c.Object != "chat.completion.chunk" || (c.Usage != nil) != (n == len(list)-1) {
					t.Fatalf("chunk %d: %+v", n, c)
				}
				if n == len(list)-1 {
					got.Usage = c.Usage
					continue
				}
				d := c.Choices[0]
				choice := &got.Choices[d.Index]
				if choice.FinishReason != nil {
					t.Fatal("a chunk after the last of a text")
				}
				if d.Delta.Role != "" {
					choice.Message.Role = d.Delta.Role
				}
				if d.Delta.Content != nil {
					choice.Message.Content += *d.Delta.Content
				}
				if d.LogProbs != nil {
					choice.LogProbs.Content = append(choice.LogProbs.Content, d.LogProbs.Content...)
				}
				choice.FinishReason = d.FinishReason
			}
			sameUsage(t, got.Usage, want.Usage)
			if !reflect.DeepEqual(got.Choices, want.Choices) {
				t.Fatalf("%v\nstreamed %.2000s\nwhole    %.2000s", body, mustJSON(got.Choices), mustJSON(want.Choices))
			}
			for _, c := range want.Choices {
				checkBytes(t, c)
				meet(c.Message.Content, *c.FinishReason)
			}
			continue
		}
		body["prompt"] = []string{printable(r, r.IntN(20)), printable(r, 3)}
		if r.IntN(2) == 0 {
			body["logprobs"] = r.IntN(4)
		}
		if r.IntN(2) == 0 {
			body["echo"] = true
		}
		want := ask[completion](t, h, "/v1/completions", body)
		got := make([]completionChoice, len(want.Choices))
		var usage any
		for _, c := range chunks[completion](t, h, "/v1/completions", streamed()) {
			if len(c.Choices) == 0 {
				usage = c.Usage
				continue
			}
			d := c.Choices[0]
			choice := &got[d.Index]
			choice.Index, choice.FinishReason = d.Index, d.FinishReason
			choice.Text += d.Text
			switch {
			case d.LogProbs == nil:
			case choice.LogProbs == nil:
				choice.LogProbs = d.LogProbs
			default:
				l := choice.LogProbs
				l.Tokens = append(l.Tokens, d.LogProbs.Tokens...)
				l.TokenLogProbs = append(l.TokenLogProbs, d.LogProbs.TokenLogProbs...)
				l.TopLogProbs = append(l.TopLogProbs, d.LogProbs.TopLogProbs...)
				l.TextOffset = append(l.TextOffset, d.LogProbs.TextOffset...)
			}
		}
		sameUsage(t, usage, want.Usage)
		for i := range got {
			if want.Choices[i].LogProbs != nil && got[i].LogProbs == nil {
				got[i].LogProbs = &completionLogProbs{Tokens: []string{}, TokenLogProbs: []*float64{}, TopLogProbs: []map[string]float64{}, TextOffset: []int{}}
			}
		}
		if !reflect.DeepEqual(got, want.Choices) {
			t.Fatalf("%v\nstreamed %.2000s\nwhole    %.2000s", body, mustJSON(got), mustJSON(want.Choices))
		}
		for _, c := range want.Choices {
			meet(c.Text, *c.FinishReason)
		}
	}
	for _, what := range []string{"stop", "length", "cut within a character"} {
		if met[what] < tests/10 {
			t.Errorf("texts met %v: %q too seldom", met, what)
		}
	}
}

// sameUsage compares but for cached tokens: the second request finds the first one's.
func sameUsage(t *testing.T, got, want any) {
	t.Helper()
	for _, u := range []any{got, want} {
		if m, ok := u.(object); ok {
			delete(m, "prompt_tokens_details")
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("usage streamed %v, whole %v", got, want)
	}
}

// checkBytes: the bytes of the tokens are the text.
func checkBytes(t *testing.T, c chatChoice) {
	t.Helper()
	if c.LogProbs == nil {
		return
	}
	var all []byte
	for _, token := range c.LogProbs.Content {
		for _, b := range token.Bytes {
			all = append(all, byte(b))
		}
	}
	// A stream of byte tokens makes of them what the text has.
	s, text := tokenizer.NewStream(tokenizer.NewByte()), ""
	for _, b := range all {
		piece, err := s.Next(int32(b))
		if err != nil {
			t.Fatal(err)
		}
		text += piece
	}
	if *c.FinishReason == "length" {
		text += s.Flush()
	}
	if text += s.Flush(); text != c.Message.Content && text != c.Message.Content+"\ufffd" {
		t.Fatalf("tokens' bytes are %q, the text %q", text, c.Message.Content)
	}
}
