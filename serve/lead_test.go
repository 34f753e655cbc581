package serve

import (
	"strings"
	"testing"

	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// The space between "Assistant:" and an answer is no part of the answer, nor of its
// tokens; a second one is.
func TestLead(t *testing.T) {
	tok := tokenizer.NewByte()
	for given, want := range map[string]string{" Hi you": "Hi you", "  Hi": " Hi", "Hi": "Hi", " ": "", "": ""} {
		k := newTracker(tok, wanted{}, nil, " ")
		var text strings.Builder
		for i := range len(given) {
			text.WriteString(k.next(&sample.Step{Token: int32(given[i]), Text: given[i : i+1]}).text)
		}
		if text.String() != want {
			t.Errorf("%q becomes %q, want %q", given, text.String(), want)
		}
	}
	_, h := start(t, testOptions)
	for seed := range 3 {
		body := object{"model": "m", "seed": seed, "max_tokens": 6, "logit_bias": object{"32": 100}, "logprobs": true,
			"messages": []object{{"role": "user", "content": "Hi"}}}
		whole := ask[chatAnswer](t, h, "/v1/chat/completions", body).Choices[0]
		body["stream"] = true
		var text, tokens strings.Builder
		for _, c := range chunks[chatAnswer](t, h, "/v1/chat/completions", body) {
			if d := c.Choices[0].Delta; d.Content != nil {
				text.WriteString(*d.Content)
			}
		}
		for _, token := range whole.LogProbs.Content {
			tokens.WriteString(token.Token)
		}
		if got := whole.Message.Content; got != strings.Repeat(" ", 5) || text.String() != got || tokens.String() != got {
			t.Fatalf("seed %d: whole %q, stream %q, tokens %q; want 5 spaces of 6", seed, got, text.String(), tokens.String())
		}
	}
}
