package alignment

import (
	"bytes"
	"strings"
	"testing"

	"tinygpt/data/instruct"
)

// What no prompt asked for has no score.
func TestShowFewPrompts(t *testing.T) {
	r := &Result{Name: "a", Tasks: map[instruct.Task]float64{instruct.Quiz: -1}, KL: -1}
	var out bytes.Buffer
	(&Comparison{Prompts: make([]instruct.Prompt, 1), Results: []*Result{r}}).Show(&out)
	for line := range strings.Lines(out.String()) {
		name, cell, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want := map[string]string{"quiz": "-1.00", "tell": "–", "trap": "–", "made up": "–", "coherent": "–", "right": "–", "ends by itself": "0.0 %"}[name]
		if got := strings.TrimSpace(cell); want != "" && got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
