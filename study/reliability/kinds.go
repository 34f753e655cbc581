//go:build linux

package reliability

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Kind is a kind of run. In its command lines DIR is the run's folder; other runs have their
// names in base.
type Kind struct {
	Name   string
	Begin  string   // the command that begins the run
	Resume string   // the command that goes on once the folder has Marker; "" if Begin does
	Marker string   // the name of a file that the folder has as soon as the run can be resumed
	Reads  []string // commands that may read the folder at any time
	Done   string   // part of the message of a command that finds the work done; "" is "has made all its"
	server bool     // a server that appends rankings: see interruptServer
}

// The texts and configurations that base and all kinds use. They are as small as they can
// be: a kill and what follows takes about a second.
var files = map[string]string{
	"tiny.yaml": `data: {stories_bytes: 20000}
tokenizer: {kind: bpe, vocab_size: 300}
model: {layers: 1, heads: 1, width: 8, context: 128}
train: {steps: 60, batch_size: 2, eval_interval: 10, sample_interval: 10, checkpoint_interval: 5}
sample: {max_tokens: 4}
`,
	"align.yaml": `world: {scale: 0.01, max_tokens: 8}
sft: {epochs: 1, batch_size: 8, evaluations: 2}
reward: {evaluations: 2, most_answers: 4}
ppo: {updates: 3, episodes: 4, mini_batch: 2, eval_every: 1}
grpo: {updates: 2, episodes: 4, group: 2, mini_batch: 4, eval_every: 1}
dpo: {evaluations: 2}
evaluation: {prompts: 6, during: 2}
`,
	"train.tsv": rows(400),
	"test.tsv":  rows(20),
}

// rows is a table whose label a word tells.
func rows(n int) string {
	var b bytes.Buffer
	b.WriteString("sentence\tlabel\n")
	for i := range n {
		word := []string{"happy", "sad"}[i%2]
		fmt.Fprintf(&b, "%s was %s on day %d.\t%s!\n", []string{"Mia", "Max", "Ben"}[i%3], word, i*i%97, strings.ToUpper(word))
	}
	return b.String()
}

// base are the commands that make the runs that others start from. Each ends in the run's
// folder.
var base = []string{
	"train --config tiny.yaml --run base",
	"align sft --from base --run sft",
	"align reward --from sft --run reward",
	"export --run base --to exported",
	"vectors train --tokenizer base --set data.stories_bytes=20000 --dim 16 --epochs 1 --run vectors",
}

const (
	finetuning = " --data train.tsv --test test.tsv --from base --set finetune.min_steps=24 --set finetune.evaluations=3 --set train.learning_rate=0.01"
	vectors    = "vectors train --set data.stories_bytes=150000 --dim 16 --epochs 3 --set vectors.evaluations=6 --run DIR"
)

// readModel are commands that read a run of a language model.
var readModel = []string{"plot DIR --to DIR/curves.svg", "eval --run DIR", "sample --run DIR -n 4 --prompt Mia", "export --run DIR --to DIR-export"}

// Kinds are all kinds of run that are broken on purpose.
var Kinds = []Kind{
	{Name: "train", Begin: "train --config tiny.yaml --run DIR", Resume: "train --resume --run DIR", Marker: "config.yaml", Reads: readModel},
	{Name: "finetune", Begin: "finetune --run DIR" + finetuning, Resume: "finetune --resume --run DIR", Marker: "config.yaml", Reads: append(readModel[:1:1], "classify --run DIR Mia")},
	{Name: "finetune --adapt", Begin: "finetune --adapt 20 --run DIR" + finetuning, Resume: "finetune --resume --run DIR", Marker: "config.yaml", Reads: append(readModel[:1:1], "classify --run DIR Mia")},
	{Name: "finetune --ngrams", Begin: "finetune --ngrams --run DIR" + finetuning, Resume: "finetune --resume --run DIR", Marker: "config.yaml", Reads: append(readModel[:1:1], "classify --run DIR Mia")},
	{Name: "ablate", Begin: "ablate --to DIR --sizes 40 --seeds 1" + finetuning},
	{Name: "scaling", Begin: "scaling run --layers 1 --layers 2 --layers 3 --layers 4 --tokens 1000 --set data.stories_bytes=30000 --set data.val_fraction=0.1 --set model.context=32 --set tokenizer.vocab_size=300 --set train.batch_size=4 --to DIR"},
	{Name: "fewshot", Begin: "fewshot run --layers 1 --layers 2 --trials 4 --shots 0 --shots 1 --set train.steps=20 --set data.stories_bytes=30000 --set model.context=128 --set train.batch_size=2 --set tokenizer.vocab_size=300 --set train.eval_interval=10 --set train.checkpoint_interval=5 --to DIR"},
	{Name: "vectors, skip-gram", Begin: vectors, Resume: "vectors train --resume --run DIR", Marker: "config.yaml", Reads: []string{"vectors neighbours --run DIR mia"}},
	{Name: "vectors, glove", Begin: vectors + " --model glove", Resume: "vectors train --resume --run DIR", Marker: "config.yaml", Reads: []string{"vectors neighbours --run DIR mia"}},
	{Name: "align sft", Begin: "align sft --from base --run DIR", Resume: "align sft --resume --run DIR", Marker: "config.yaml", Reads: readModel},
	{Name: "align reward", Begin: "align reward --from sft --run DIR", Resume: "align reward --resume --run DIR", Marker: "config.yaml", Reads: readModel[:1]},
	{Name: "align reward with surprise", Begin: "align reward --set reward.surprise=true --from sft --run DIR", Resume: "align reward --resume --run DIR", Marker: "config.yaml", Reads: readModel[:1]},
	{Name: "align ppo", Begin: "align ppo --from sft --reward reward --force --run DIR", Resume: "align ppo --resume --run DIR", Marker: "config.yaml", Reads: readModel},
	{Name: "align dpo", Begin: "align dpo --from sft --comparisons reward --run DIR", Resume: "align dpo --resume --run DIR", Marker: "config.yaml", Reads: readModel},
	{Name: "align grpo", Begin: "align grpo --from sft --reward reward --force --run DIR", Resume: "align grpo --resume --run DIR", Marker: "config.yaml", Reads: readModel},
	{Name: "align all", Begin: "align all --from base --force --run DIR"},
	{Name: "align overoptimise", Begin: "align overoptimise --reward reward --prompts 2 --prompts 3 --n 4 --held-out 4 --updates 3 --to DIR"},
	{Name: "export", Begin: "export --run base --to DIR", Done: "is there already", Reads: []string{"import DIR --run DIR-export"}},
	{Name: "import", Begin: "import exported --run DIR", Done: "holds a run already", Reads: readModel[1:]},
	{Name: "vectors init", Begin: "vectors init --vectors vectors --set model.width=16 --run DIR", Done: "holds a run already", Reads: readModel[1:]},
	{Name: "rankings", Begin: "align reward --from sft --data DIR/" + rankingsFile + " --run DIR-export", server: true},
}

// KindsOf returns, for each of words, the kinds in whose names a word begins with it; all
// kinds if there are no words. It fails for a word that no kind has.
func KindsOf(words []string) (list []Kind, err error) {
	if len(words) == 0 {
		return Kinds, nil
	}
	for _, w := range words {
		found := false
		for _, k := range Kinds {
			if strings.Contains(" "+k.Name, " "+w) {
				list, found = append(list, k), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no kind of run %q: expected one of %s", w, strings.Join(names(), ", "))
		}
	}
	return list, nil
}

func names() (list []string) {
	for _, k := range Kinds {
		list = append(list, k.Name)
	}
	return list
}

// words returns a command line's words for a run in a folder.
func words(line, dir string) []string { return strings.Fields(strings.ReplaceAll(line, "DIR", dir)) }

// next returns the command that begins the run in dir or goes on with it.
func (k Kind) next(p *Program, dir string) []string {
	if k.Resume != "" {
		if _, err := os.Stat(filepath.Join(p.Folder, dir, k.Marker)); err == nil {
			return words(k.Resume, dir)
		}
	}
	return words(k.Begin, dir)
}

// NewProgram returns the program at path, and writes texts, configurations and base runs into
// folder, its work folder. limit is Program.Limit. It fails if a base run can't be made.
func NewProgram(path, folder string, limit time.Duration) (*Program, error) {
	p := &Program{Path: path, Folder: folder, Limit: limit}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(files[name]), 0o666); err != nil {
			return nil, err
		}
	}
	for _, line := range base {
		args := words(line, "")
		if err := os.RemoveAll(filepath.Join(folder, args[len(args)-1])); err != nil { // of an earlier time
			return nil, err
		}
		e, err := p.Run(args...)
		if err != nil {
			return nil, err
		}
		if e.Status != 0 {
			return nil, fmt.Errorf("a run that all others start from can't be made: %v", e)
		}
	}
	return p, nil
}
