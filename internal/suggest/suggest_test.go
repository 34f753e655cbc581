package suggest

import "testing"

func TestClosest(t *testing.T) {
	commands := []string{"train", "trace", "tokenizer", "max-tokens", "temperature", "top-k", "top-p", "truncate", "h", "sft", "json"}
	for word, want := range map[string]string{
		"trian": "train", "Train": "train", "tokeniser": "tokenizer", "temprature": "temperature", "temp": "temperature",
		"tokens": "max-tokens", "topk": "top-k", "top_k": "top-k", "MAX_TOKENS": "max-tokens", "stf": "sft", "JSON": "json", "jsno": "json", "ken": "",
		"frobnicate": "", "x": "", "": "",
	} {
		if got := Closest(word, commands); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestExpected(t *testing.T) {
	for _, c := range []struct {
		found   string
		choices []string
		want    string
	}{
		{"jsno", []string{"text", "json"}, "expected text or json; did you mean json?"},
		{"xml", []string{"text", "json"}, "expected text or json"},
		{"", []string{"a", "b", "c"}, "expected a, b or c"},
		{"two", []string{"one"}, "expected one"},
		{"cbwo", []string{"sgns", "cbow", "glove"}, "expected sgns, cbow or glove; did you mean cbow?"},
	} {
		if got := Expected(c.found, c.choices...); got != c.want {
			t.Errorf("%q: %q, want %q", c.found, got, c.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"prot", "port", 1}, {"ca", "abc", 3}, {"stpes", "steps", 1}, {"abcd", "badc", 2}} {
		if got, back := Distance(c.a, c.b), Distance(c.b, c.a); got != c.want || back != c.want {
			t.Errorf("%q and %q: %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}
