package commands

import (
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// tinyAlign are the steps of alignment in moments, for a model that tiny makes with a
// context that conversations fit into.
const tinyAlign = `
world: {scale: 0.01, max_tokens: 8}
sft: {epochs: 1, batch_size: 8, evaluations: 1}
reward: {evaluations: 1, most_answers: 4}
ppo: {updates: 2, episodes: 4, mini_batch: 2, eval_every: 2}
grpo: {updates: 1, episodes: 4, group: 2, mini_batch: 4, eval_every: 1}
dpo: {evaluations: 1}
evaluation: {prompts: 6, during: 2}
`

// The steps of alignment as they are typed, one after another, then what is made of
// them.
func TestAlign(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "align.yaml", tinyAlign)
	refuse(t, `
2 | align ppo --top-k 5 | --top-k: answers are drawn from the policy itself
2 | align grpo --temperature 0.7 | --temperature: answers are drawn from the policy itself
1 | align sft | no run there yet: make one with 'gpt train
1 | align ppo | make one with 'gpt align sft'
1 | align compare | no aligned run to compare
1 | align compare runs/x:3b runs/x:-1 | runs/x:3b
1 | align sft --set ppo.kll=1 | did you mean ppo.kl?
1 | align sft --set ppo.episodes=5 | ppo.episodes is 5: expected a multiple of ppo.mini_batch
2 | align sft --resume --set ppo.kl=1 | leave out --set
2 | align ppo --reward a --reward-command b | expected one of them
2 | align data x | found "x"
`)
	contains(t, succeed(t, "align", "data", "--scale", "0.01", "--examples"), "33,207", "1,557", "[trap]")
	succeed(t, "train", "--config", "tiny.yaml", "--set", "model.context=128")
	contains(t, succeed(t, "align", "sft", "--set", "sft.batch_size=7"), "configuration: file align.yaml\n               with sft.batch_size 7 (not 8)\n", "demonstrations", "runs/sft-1")
	contains(t, succeed(t, "align", "reward"), "right about the validation pairs", "two labelers agree                          72.6 %")
	contains(t, refused(t, 1, "sample", "--run", "reward-1", "Mia"), "runs/reward-1: a run of kind reward writes no texts: expected one of kind dpo, grpo, imported, ppo, sft or text")
	contains(t, refused(t, 1, "align", "ppo", "--from", "runs/reward-1"), "ppo starts from a run of kind sft, dpo, ppo or grpo")
	contains(t, succeed(t, "align", "ppo", "--force"), "episode 8:", "KL")
	table := strings.Split(succeed(t, "plot", "ppo-1", "--to", "ppo.svg"), "\n")
	if row := strings.Fields(table[1]); len(row) != 3 || row[0] != "runs/ppo-1" || row[1] != "4" { // without a validation loss
		t.Errorf("%q", table)
	}
	succeed(t, "align", "ppo", "--reward", "gold", "--run", "from-gold")
	succeed(t, "align", "grpo", "--reward-command", `while read -r l; do echo '{"score": 1}'; done`)
	contains(t, succeed(t, "align", "dpo"), "pairs of")
	contains(t, succeed(t, "align", "compare", "runs/sft-1", "runs/tiny-1:2", "runs/ppo-1"), "tiny-1 (2 examples)", "by labelers")
	contains(t, succeed(t, "align", "best-of", "--n", "2", "--prompts", "2"), "KL")
	contains(t, succeed(t, "export", "--run", "runs/reward-1", "--to", "score"), "AutoModelForSequenceClassification")
	expect.Says(t, filepath.Join("score", "config.json"), "GPT2ForSequenceClassification")
	contains(t, succeed(t, "align", "sft", "--resume"), "resuming runs/sft-1")
}
