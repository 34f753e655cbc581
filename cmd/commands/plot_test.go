package commands

import (
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

func TestPlot(t *testing.T) {
	inTinyRun(t)
	out := succeed(t, "plot")
	contains(t, out, "best validation loss", "runs/tiny-1", "6", "wrote runs/tiny-1/curves.png", "wrote runs/tiny-1/curves.svg")
	if strings.Contains(out, "reference") {
		t.Error("a run of another text is compared with a preset's")
	}
	succeed(t, "train", "--config", "tiny.yaml", "--set", "train.learning_rate=0.01")
	contains(t, succeed(t, "plot", "runs/tiny-1", "runs/tiny-2", "--to", "both.svg", "--reference", "small.yaml"), "runs/tiny-2", "reference: small.yaml")
	picture := expect.File(t, "both.svg")
	contains(t, string(picture), "runs/tiny-1", "runs/tiny-2", "reference: small.yaml", "floor: entropy of the text")

	succeed(t, "plot", "--to", "curve.jsonl", "--reference", "none")
	if lines := string(expect.File(t, "curve.jsonl")); strings.Count(lines, "\n") != 6+2 || strings.Contains(lines, "second") {
		t.Errorf("the curve:\n%s", lines)
	}

	refuse(t, `
1 | plot --to runs/tiny-1/metrics.jsonl | runs/tiny-1/metrics.jsonl is there already: name another place, or add --force
2 | plot --to x.gif | --to x.gif: expected a name that ends in .png, .svg or .jsonl
2 | plot runs/tiny-1 runs/tiny-2 --to x.jsonl | one run can be written as JSON lines, found 2
2 | plot --reference gpt1.yaml | expected shakespeare.yaml, small.yaml or small-zh.yaml, or none
1 | plot nowhere | nowhere: no such folder
1 | plot --to no/x.svg | no/x.svg
`)
	fixture.Remove(t, "runs/tiny-2/metrics.jsonl")
	contains(t, refused(t, 1, "plot"), "never trained")
	fixture.Write(t, "runs/tiny-2/metrics.jsonl", "")
	contains(t, refused(t, 1, "plot"), "no step in its metrics yet")
}
