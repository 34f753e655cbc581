package commands

import (
	"testing"

	"tinygpt/configs"
	"tinygpt/internal/fixture"
)

// What config prints is a configuration, as it was asked for.
func TestConfig(t *testing.T) {
	inTinyRun(t)
	contains(t, succeed(t, "config"), "# the number of updates of the parameters\n  steps: 1776\n", "stages: [{until: 0.35, layers: 4, context: 128}, ")
	fixture.Write(t, "mine.yaml", succeed(t, "config", "tiny.yaml", "--set", "train.steps=3"))
	c, _, err := configs.Load("mine.yaml")
	if err != nil || c.Train.Steps != 3 || c.Model.Context != 24 {
		t.Errorf("%+v, %v", c, err)
	}
	contains(t, succeed(t, "config", "runs/tiny-1"), "  vocab_size: 300\n")
	contains(t, succeed(t, "config", "classroom.yaml"), "ppo:\n", "  kl_in: reward\n")
	contains(t, succeed(t, "config", "--keys"), "──── gpt train ────", "train.steps  (whole number, default 1000)\n", "──── gpt align ────", "ner.crf")
	contains(t, succeed(t, "config", "--keys", "dropout", "--format", "json"), `{"command":"gpt train","sections":[{"section":"model","comment":"`, `"key":"sft.dropout"`)
	contains(t, succeed(t, "config", "--format", "json"), `"layers":12`)
	contains(t, refused(t, 1, "config", "smal.yaml"), "did you mean the preset small.yaml?")
	fixture.Write(t, "bad.yaml", "train: {stepz: 1}")
	contains(t, refused(t, 1, "config", "bad.yaml"), "bad.yaml:1:9: unknown key \"stepz\": did you mean train.steps?")
}

// A configuration that is for another command is refused in one line, which says for which.
func TestConfigurationOfAnotherCommand(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "tuning.yaml", "finetune: {task: classification, stories: sentiment}\n")
	fixture.Write(t, "vec.yaml", "vectors: {dim: 8}\n")
	fixture.Write(t, "ppo.yaml", "ppo: {kl: 0.1}\n")
	fixture.Write(t, "ner.yaml", "ner: {window: 1}\n")
	refuse(t, `
2 | train --config sentiment.yaml | sentiment.yaml configures a fine-tuning: did you mean 'gpt finetune --config sentiment.yaml'?
2 | train --config tuning.yaml | did you mean 'gpt finetune --config tuning.yaml'?
2 | train --config vectors.yaml | vectors.yaml configures word vectors: did you mean 'gpt vectors train --config vectors.yaml'?
2 | train --config classroom.yaml | classroom.yaml configures an alignment: did you mean 'gpt align all --config classroom.yaml'?
2 | finetune --config small.yaml | small.yaml configures a language model: did you mean 'gpt train --config small.yaml'?
2 | finetune --config tiny.yaml | did you mean 'gpt train --config tiny.yaml'?
2 | ablate --config vec.yaml | did you mean 'gpt vectors train --config vec.yaml'?
2 | vectors train --config small.yaml | did you mean 'gpt train --config small.yaml'?
2 | vectors train -c ppo.yaml | did you mean 'gpt align all --config ppo.yaml'?
2 | vectors init --config vectors.yaml | did you mean 'gpt vectors train --config vectors.yaml'?
2 | vectors ner --config small.yaml | did you mean 'gpt train --config small.yaml'?
2 | align sft --config small.yaml | did you mean 'gpt train --config small.yaml'?
2 | align all --config ner.yaml | did you mean 'gpt vectors ner --config ner.yaml'?
2 | align compare --config sst2.yaml | did you mean 'gpt finetune --config sst2.yaml'?
2 | fewshot run --config sentiment.yaml | did you mean 'gpt finetune --config sentiment.yaml'?
2 | plan --config wiki.yaml | did you mean 'gpt vectors train --config wiki.yaml'?
2 | graph --config align.yaml | did you mean 'gpt align all --config align.yaml'?
1 | graph --config sentiment.yaml | sentiment.yaml fine-tunes the model of a run
`)
	// What could be for several commands is left to them.
	fixture.Write(t, "text.yaml", "data: {stories_bytes: 20000}\n")
	succeed(t, "plan", "--config", "text.yaml", "--format", "json")
}
