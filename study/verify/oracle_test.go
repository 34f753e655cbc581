package verify

import (
	"os"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

// All losses of alignment against reference values with gradients by autograd.
func TestLosses(t *testing.T) {
	f, err := os.Open("testdata/losses.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	checks, err := RunLosses(f)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]bool{}
	for _, c := range checks {
		cases[strings.Fields(c.Name)[0]] = true
		if !c.Pass {
			t.Errorf("%s: absolute %.2g, relative %.2g, expected %s", c.Name, c.Absolute, c.Relative, c.Bound)
		}
	}
	for _, c := range oracleCases {
		if !cases[c.name] {
			t.Errorf("case %s was passed over", c.name)
		}
	}
	t.Logf("%d quantities", len(checks))
}

// A number that is wrong must be found, and inputs that don't fit must be an error.
func TestLossesOut(t *testing.T) {
	checks, err := RunLosses(strings.NewReader(`{"reward_extreme": {"difference": [0, 1], "loss": [0.6931471805599453, 0.4]}}`))
	if err != nil || len(checks) != 1 || checks[0].Pass {
		t.Errorf("a wrong loss gives %+v, %v", checks, err)
	}
	for text, want := range map[string]string{
		`[]`:                    "not a JSON object",
		`{"x": 1}`:              "no known case",
		`{"reward": {"in": 1}}`: `"in": expected an object`,
		`{"reward": {"in": {"ranks": [[0, 1]], "scores": [[1], [2]]}, "out": {}}}`: "don't fit",
	} {
		_, err := RunLosses(strings.NewReader(text))
		expect.Error(t, err, want)
	}
}

func FuzzLosses(f *testing.F) {
	f.Add(`{"grpo": {"in": {"rewards": [[1, 2]]}, "out": {"centred": [[-0.5, 0.5]]}}}`)
	f.Fuzz(func(t *testing.T, text string) { RunLosses(strings.NewReader(text)) })
}
