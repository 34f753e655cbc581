package verify

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

// Checks are summed up by kind, with the worst of each: what doesn't pass comes before what
// is far off, and no number is worst of all.
func TestSummarise(t *testing.T) {
	list := Summarise([]Check{
		{Name: "lm.grad.wte.weight", Relative: 0.1, Pass: true}, {Name: "lm.loss", Relative: 3, Pass: true},
		{Name: "lm.grad.h.0.ln_1.bias", Relative: 0.2, Pass: true}, {Name: "lm.grad.h.1.ln_1.bias", Relative: 0.15, Pass: true},
		{Name: "ppo loss/policy", Relative: 0.1, Pass: false}, {Name: "ppo advantages", Relative: 5, Pass: true},
		{Name: "dpo loss", Relative: 1, Pass: false}, {Name: "dpo margins", Relative: math.NaN(), Pass: false},
	})
	want := []Summary{
		{"lm.grad", 3, 3, 0, 0.2, Check{Name: "lm.grad.h.0.ln_1.bias"}}, {"lm.loss", 1, 1, 0, 3, Check{Name: "lm.loss"}},
		{"ppo", 2, 1, 0, 5, Check{Name: "ppo loss/policy"}}, {"dpo", 2, 0, 0, math.NaN(), Check{Name: "dpo margins"}},
	}
	if len(list) != len(want) {
		t.Fatalf("%d kinds", len(list))
	}
	for i, w := range want {
		if s := list[i]; s.Kind != w.Kind || s.Count != w.Count || s.Passed != w.Passed || s.Worst.Name != w.Worst.Name || fmt.Sprint(s.Relative) != fmt.Sprint(w.Relative) {
			t.Errorf("%+v, want %+v", *s, w)
		}
	}
}

func TestCheckJSON(t *testing.T) {
	text, err := json.Marshal(Check{Name: "x", Absolute: math.Inf(1), Relative: 0.5, Bound: "b"})
	if want := `{"name":"x","absolute":null,"relative":0.5,"bound":"b","pass":false}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}
