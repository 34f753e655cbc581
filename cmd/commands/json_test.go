package commands

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// withoutResults are the commands that print no results, and what they do.
var withoutResults = map[string]string{
	"chat":       "talks with a person",
	"serve":      "answers over HTTP",
	"completion": "prints a script for a shell",
	"complete":   "answers such a script",
}

// Every command that prints results has --format with json, and refuses other names before
// it does anything.
func TestFormatOfAllCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	commands := allCommands()
	for name, c := range commands {
		if withoutResults[name] != "" {
			if hasFlag(c.Flags, "format") {
				t.Errorf("gpt %s has --format, and prints no results", name)
			}
			continue
		}
		if !hasFlag(c.Flags, "format") {
			t.Errorf("gpt %s has no --format", name)
			continue
		}
		status, stdout, stderr := gpt(append(strings.Fields(name), "--format", "xml")...)
		if status != 2 || stdout != "" || !strings.HasPrefix(stderr, `gpt: --format is "xml": expected text`) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("gpt %s --format xml: exit %d, %s%s", name, status, stdout, stderr)
		}
	}
	for name := range withoutResults {
		if commands[name] == nil {
			t.Errorf("there is no gpt %s", name)
		}
	}
}

// slow are the commands that take seconds, and where their JSON is looked at.
var slow = map[string]string{
	"bench":         "TestPrintBench",
	"scaling table": "plan, which prints the same report",
	"scaling run":   "TestScalingRun",
	"align all":     "align compare, which prints the same results",
}

// With --format json a command prints objects or lists of them, one a line, and nothing
// else. The lines follow one another in a folder; each has a key that its result has.
func TestJSONOfAllCommands(t *testing.T) {
	vectors, err := filepath.Abs(space)
	if err != nil {
		t.Fatal(err)
	}
	inFolderOf(t, tinyAsked)
	fixture.Write(t, "align.yaml", tinyAlign)
	fixture.Write(t, "book.txt", strings.Repeat("It was the first day of the year, and it was cold. ", 400))
	fixture.Write(t, "names.txt", strings.Repeat("Mia I-NAME\nwas O\nthere O\n\n", 30))
	labelledFiles(t)
	const fast = " --set finetune.min_steps=2 --set finetune.evaluations=1 --epochs 1"
	tested := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(`
train --config tiny.yaml --set data.quizzes=0.3 --set data.stories_bytes=60000 | bits_per_byte
train --resume | finished
runs | parameters
version | instructions
config tiny.yaml | model
config --keys learning_rate | sections
plan --config tiny.yaml | measured_speed
eval | perplexity
sample --prompt Mia --max-tokens 2 | finish
plot --to curves.svg | training_loss
trace --prompt Mia | tokens
graph | nodes
verify | checks
export --to exported | to
import exported | vocab_size
runs remove exported-1 --yes | removed
tokenizer train --data book.txt --to tok --vocab-size 280 | bytes_per_token
tokenizer encode --tokenizer tok cold | ids
tokenizer decode --tokenizer tok 40 41 | text
tokenizer inspect --tokenizer tok | sha256
tokenizer export --tokenizer tok --to tok.tiktoken | vocab_size
fewshot --shots 0 --trials 2 | right
fewshot run --config tiny.yaml --layers 1,2 --shots 0 --trials 2 --set data.quizzes=0.3 --set data.stories_bytes=60000 | points
finetune --data train.tsv --run runs/tuned` + fast + ` | metric
finetune --resume --run runs/tuned | metric
classify --run runs/tuned "It was good." | label
ablate --data train.tsv --sizes 10 --seeds 1` + fast + ` | arm
align data --scale 0.01 --examples | counts
align sft | run
align sft --resume | run
align reward | measures
align ppo --force | run
align grpo --force | run
align dpo | run
align compare | preferred_by_gold
align best-of --n 2 --prompts 2 | kl_bound
align overoptimise --n 2 --held-out 2 --updates 1 --prompts 2 | points
vectors train --data book.txt --min-count 1 --dim 8 --epochs 1 --force --run vec | words
vectors train --resume --force --run vec | finished
vectors train --tokenizer runs/tiny-1 --set data.stories_bytes=20000 --dim 16 --min-count 1 --epochs 1 --run tokens | dim
vectors init --vectors tokens --config tiny.yaml | filled
vectors explain --part onehot,windows | rows
vectors neighbours --run vec --top 1 cold | neighbours
vectors analogy --run vec --top 1 it was day | answers
vectors score --from SPACE/space.txt --analogies SPACE/questions.txt | analogies
vectors plot --from SPACE/space.txt --method pca --to map.svg | method
vectors convert --from SPACE/space.txt --to v.bin | dim
vectors phrases --data book.txt | best
vectors ner --data names.txt --set ner.epochs=1 --start frozen --seeds 1 --from SPACE/space.txt | test
vectors classify --run vec --data train.tsv | classifiers
`)) {
		line, key, _ := strings.Cut(strings.TrimSpace(line), " | ")
		args := words(t, strings.ReplaceAll(line, "SPACE", vectors))
		for name := range allCommands() {
			if n := strings.Fields(name); len(args) >= len(n) && slices.Equal(args[:len(n)], n) && !(len(n) == 1 && tested[name]) {
				tested[name] = true
			}
		}
		status, stdout, stderr := gpt(append(args, "--format", "json")...)
		if status != 0 {
			t.Errorf("gpt %s: exit %d, %s", line, status, stderr)
			continue
		}
		for object := range strings.Lines(stdout) {
			var value any
			if err := json.Unmarshal([]byte(object), &value); err != nil {
				t.Errorf("gpt %s prints %q: %v", line, object, err)
				break
			}
		}
		if !strings.Contains(stdout, `"`+key+`":`) {
			t.Errorf("gpt %s: no %q in %s", line, key, stdout)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(allCommands())) {
		if !tested[name] && withoutResults[name] == "" && slow[name] == "" {
			t.Errorf("gpt %s isn't in the table", name)
		}
	}
}
