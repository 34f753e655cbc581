package commands

import (
	"os"
	"testing"

	"tinygpt/configs"
)

// What config prints is a configuration, as it was asked for.
func TestConfig(t *testing.T) {
	inTinyRun(t)
	contains(t, succeed(t, "config"), "# the number of updates of the parameters\n  steps: 1776\n", "stages: [{until: 0.35, layers: 4, context: 128}, ")
	writeFile(t, "mine.yaml", succeed(t, "config", "tiny.yaml", "--set", "train.steps=3"))
	c, _, err := configs.Load("mine.yaml")
	if err != nil || c.Train.Steps != 3 || c.Model.Context != 24 {
		t.Errorf("%+v, %v", c, err)
	}
	contains(t, succeed(t, "config", "runs/tiny-1"), "  vocab_size: 300\n")
	contains(t, succeed(t, "config", "classroom.yaml"), "ppo:\n", "  kl_in: reward\n")
	contains(t, succeed(t, "config", "--keys"), "──── gpt train ────", "train.steps  (whole number, default 1000)\n", "──── gpt align ────", "ner.crf")
	contains(t, succeed(t, "config", "--keys", "dropout", "--format", "json"), `{"command":"gpt train","sections":[{"section":"model","comment":"`, `"key":"sft.dropout"`)
	contains(t, succeed(t, "config", "--format", "json"), `"layers":12`)
	if status, _, stderr := gpt("config", "smal.yaml"); status != 1 {
		t.Error(stderr)
	} else {
		contains(t, stderr, "did you mean the preset small.yaml?")
	}
	if err := os.WriteFile("bad.yaml", []byte("train: {stepz: 1}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := gpt("config", "bad.yaml"); status != 1 {
		t.Error(stderr)
	} else {
		contains(t, stderr, "bad.yaml:1:9: unknown key \"stepz\": did you mean train.steps?")
	}
}
