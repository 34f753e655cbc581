package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// evalJSON runs eval and returns its report.
func evalJSON(t *testing.T, args ...string) (r evalReport) {
	t.Helper()
	out := succeed(t, append([]string{"eval", "--format", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEval(t *testing.T) {
	inTinyRun(t)
	split := evalJSON(t)
	if split.Run != "runs/tiny-1" || split.Step != 6 || split.Floor == 0 || math.Abs(split.Perplexity-math.Exp(split.Loss)) > 1e-9 {
		t.Errorf("%+v", split)
	}
	contains(t, succeed(t, "eval"), "windows:        documents, up to 24 tokens", "bits per byte: ", "floor: ")
	contains(t, succeed(t, "eval", "--stride", "12"), "windows:        24 tokens, stride 12")

	text := strings.Repeat("Mia went home. ", 20)
	writeFile(t, "text.txt", text)
	withStdin(t, text)
	file, stdin := evalJSON(t, "--data", "text.txt"), evalJSON(t, "--data", "-")
	if file != stdin || file.Bytes != len(text) || file.Floor != 0 {
		t.Errorf("file %+v, standard input %+v", file, stdin)
	}
	// Whatever overlaps, each token counts once; without overlap the first of each
	// window isn't predicted, nor are its bytes counted.
	half, none := evalJSON(t, "--data", "text.txt", "--stride", "12"), evalJSON(t, "--data", "text.txt", "--stride", "24")
	if half.Tokens != file.Tokens || half.Bytes != len(text) || half.Loss == file.Loss {
		t.Errorf("stride 12: %+v, by documents %+v", half, file)
	}
	if windows := (file.Tokens + 24) / 24; none.Tokens != file.Tokens-(windows-1) || none.Bytes >= len(text) || none.Bytes < len(text)-10*windows {
		t.Errorf("stride 24: %+v, by documents %+v", none, file)
	}
}

// Smaller weights are measured beside the trained ones, and write other texts.
func TestWeights(t *testing.T) {
	inTinyRun(t)
	plain := evalJSON(t)
	for _, p := range []string{"bfloat16", "int8"} {
		small := evalJSON(t, "--weights", p)
		if small.Before == nil || *small.Before != plain.measured || string(small.Weights) != p {
			t.Fatalf("%s: %+v, before %+v, want %+v", p, small, small.Before, plain.measured)
		}
		if change := math.Abs(small.Perplexity/plain.Perplexity - 1); change == 0 || change > 0.01 {
			t.Errorf("%s: perplexity %v, in float32 %v", p, small.Perplexity, plain.Perplexity)
		}
		contains(t, succeed(t, "eval", "--weights", p), "weights:        "+p+"; in brackets: float32", "a change of ")
		if out := succeed(t, "sample", "--weights", p, "Once there"); !strings.HasPrefix(out, "Once there") {
			t.Errorf("%s writes %q", p, out)
		}
	}
}
