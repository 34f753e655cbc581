package suggest

import "testing"

func TestClosest(t *testing.T) {
	commands := []string{"train", "trace", "tokenizer", "max-tokens", "temperature", "top-k", "top-p", "h"}
	for word, want := range map[string]string{
		"trian": "train", "Train": "train", "tokeniser": "tokenizer", "temprature": "temperature", "temp": "temperature",
		"tokens": "max-tokens", "topk": "top-k", "frobnicate": "", "x": "", "": "",
	} {
		if got := Closest(word, commands); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got, back := Distance(c.a, c.b), Distance(c.b, c.a); got != c.want || back != c.want {
			t.Errorf("%q and %q: %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}
