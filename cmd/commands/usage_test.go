package commands

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// TestSuggestions: a mistyped command or flag gets the one that was meant.
func TestSuggestions(t *testing.T) {
	for line, want := range map[string]string{
		"trian":                              `no command "trian": did you mean gpt train?`,
		"help trian":                         `no command "trian": did you mean gpt train?`,
		"tokenizer encod":                    "did you mean gpt tokenizer encode?",
		"tokenizer help encod":               "did you mean gpt tokenizer encode?",
		"scaling tabel":                      "did you mean gpt scaling table?",
		"frobnicate":                         `no command "frobnicate": see gpt help`,
		"sample --temprature 1":              "no flag --temprature: did you mean --temperature? See gpt sample --help",
		"sample --topk 1":                    "did you mean --top-k?",
		"sample --tokens 1":                  "did you mean --max-tokens?",
		"tokenizer train --vocabsize 300":    "did you mean --vocab-size? See gpt tokenizer train --help",
		"train --learning-rate 1":            "no flag --learning-rate: did you mean --set train.learning_rate=VALUE?",
		"train --learning_rate 1":            "did you mean --set train.learning_rate=VALUE?",
		"fewshot run --frobnicate":           "no flag --frobnicate: see gpt fewshot run --help",
		"config --keys lerning":              `no key has "lerning" in it: did you mean learning?`,
		"config a b":                         "config takes one name, found 2 arguments",
		"--vers":                             "did you mean --version?",
		"train --data":                       "--data has no value: see gpt train --help",
		"completion":                         "expected bash, zsh or fish",
		"completion tcsh":                    `found "tcsh": expected bash, zsh or fish`,
		"finetune --seeds two --data a.json": "See gpt finetune --help",
		"sample --max-tokens 1e3":            `--max-tokens is "1e3": expected a whole number. See gpt sample --help`,
		"sample --seed -1":                   `--seed is "-1": expected a whole number of 0 or more`,
		"serve --grace 5":                    `--grace is "5": expected a time like 30s or 5m`,
		"plan --network fast":                `--network is "fast": expected a number`,
		"fewshot --shots 0,many":             `--shots is "many": expected a whole number`,
		"train --resume=yse":                 `--resume is "yse": expected true or false`,
		"serve --queue 1000000000":           "--queue is 1000000000: expected 1 to 100000",
		"completion bsah":                    "did you mean bash?",
		// Letters swapped, capitals, other programs' names and lines.
		"serve --prot 1":            "no flag --prot: did you mean --addr HOST:PORT?",
		"sample --max_new_tokens 3": "did you mean --max-tokens N?",
		"sample --Top_K 3":          "did you mean --top-k?",
		"train --stpes 3":           "no flag --stpes: did you mean --set train.steps=VALUE? See gpt train --help",
		"train --n_layer=6":         "did you mean --set model.layers=VALUE?",
		"plan --run x":              "no flag --run: see gpt plan --help",
		"plot --run x":              "no flag --run: a run is named without it, as in gpt plot small-1.",
		"tokenizer inspect --run x": "no flag --run: did you mean --tokenizer FOLDER?",
		"classify --data a.csv":     "no flag --data: did you mean --file FILE?",
		// What other programs call a command, and a command without the one that it is in.
		"generate":     `no command "generate": did you mean gpt sample?`,
		"runs ls":      `no command "ls": did you mean gpt runs?`,
		"sft":          `no command "sft": did you mean gpt align sft?`,
		"inspect Mia":  `no command "inspect": did you mean gpt tokenizer inspect?`,
		"runs nothing": `no command "nothing": see gpt runs help`,
		// An argument in place of a flag's value.
		"train small.yaml":                    `train takes flags only, found "small.yaml": did you mean --config small.yaml?`,
		"train usage.go":                      "did you mean --data usage.go?",
		"finetune usage.go":                   "did you mean --data usage.go?",
		"fewshot usage.go":                    `fewshot takes flags only, found "usage.go": did you mean --task usage.go?`,
		"eval nothing":                        "see gpt eval --help",
		"align stf":                           `no command "stf": did you mean gpt align sft?`,
		"align sft --kl 1":                    "did you mean --set ppo.kl=VALUE?",
		"runs remvoe x":                       `no command "remvoe": did you mean gpt runs remove?`,
		"fewshot rnu":                         "did you mean gpt fewshot run?",
		"vectors train --objectve softmax":    "did you mean --set vectors.objective=VALUE?",
		"tokenizer encode --tokenizer gtp2 x": "no such file, folder or run; did you mean gpt2?",
	} {
		status, _, stderr := gpt(strings.Fields(line)...)
		if status != 2 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("gpt %s: exit %d, %s; want %s", line, status, stderr, want)
		}
	}
}

// A value that is none of a flag's or setting's is refused with the one that was meant,
// before anything is opened.
func TestValueSuggestions(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "a.tsv", "text\tlabel\na\tx\nb\ty\n")
	refuse(t, `
2 | runs --format jsno                                    | --format is "jsno": expected text or json; did you mean json?
2 | eval --format JSON                                    | did you mean json?
2 | sample --format ''                                    | --format is "": expected text or json
2 | scaling table gpt1 --format markdwon                  | did you mean markdown?
2 | eval --checkpoint bset                                | --checkpoint is "bset": expected best or last; did you mean best?
2 | serve --weights in8                                   | did you mean int8?
2 | export --as ggfu --to x                               | did you mean gguf?
2 | export --dtype flaot16 --to x                         | did you mean float16?
2 | classify --header yse --file a.tsv                    | --header is "yse": expected yes or no; did you mean yes?
2 | classify --file-format jsnol --file a.tsv             | did you mean jsonl?
2 | tokenizer train --kind bep --data a.tsv --to x        | --kind is "bep": expected bpe or char; did you mean bpe?
2 | fewshot --normalise per-tokne                         | did you mean per-token?
2 | fewshot run --config smlal.yaml --task oposites       | no flag --task
2 | scaling run --preset lectrue                          | did you mean lecture?
2 | scaling table gtp2                                    | did you mean gpt2?
2 | scaling table gpt2 --accelerator a10                  | did you mean a100?
2 | vectors plot --method tnse                            | did you mean tsne?
2 | vectors ner --start randon                            | did you mean random?
2 | vectors explain --part oneot                          | did you mean onehot?
2 | vectors analogy --method 3cosad a b c                 | did you mean 3cosadd?
2 | vectors phrases --score nmpi --data a.tsv             | did you mean npmi?
2 | sample --encoding shfit_jis a                         | did you mean shift_jis?
1 | vectors train --model cbwo                            | vectors.model is "cbwo": expected sgns, cbow or glove; did you mean cbow?
1 | vectors train --engine grpah                          | vectors.engine is "grpah": expected kernel or graph; did you mean graph?
1 | vectors train --words charactres                      | did you mean characters?
1 | train --set data.windows=docmuents                    | did you mean documents?
1 | train --set data.stories_language=hz                  | did you mean zh?
1 | train --set train.decay=cosin                         | did you mean cosine?
1 | train --set tokenizer.kind=cahr                       | did you mean char?
1 | train --set model.arch=gtp2                           | did you mean gpt2?
1 | train --set model.activation=silo                     | did you mean silu?
1 | train --on-spike skpi                                 | did you mean skip?
2 | train --tokenizer btye                                | did you mean byte?
1 | finetune --task clasification --data a.tsv            | did you mean classification?
1 | finetune --data a.tsv --truncate middel               | did you mean middle?
1 | finetune --data a.tsv --metric acuracy                | did you mean accuracy?
1 | align dpo --set dpo.loss=hing                         | did you mean hinge?
1 | align ppo --set ppo.kl_in=rewrad                      | did you mean reward?
1 | plan --config smlal.yaml                              | did you mean the preset small.yaml?
`)
}

func TestVersion(t *testing.T) {
	contains(t, succeed(t, "--version"), "gpt version ", runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	contains(t, succeed(t, "version"), "gpt ", runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
}

// TestComplete: what the last word of a command line may become.
func TestComplete(t *testing.T) {
	inTinyRun(t)
	// Names that would do something in a command line aren't offered.
	for _, name := range []string{"$(touch x)", "`touch x`", "a;b", "a\x1b[2J", "a b", "a'b", "*"} {
		fixture.Write(t, filepath.Join("runs", "rude-"+name, "config.yaml"), "kind: text\n")
	}
	for _, c := range []struct {
		words string // with / between them
		want  []string
	}{
		{"samp", []string{"sample"}},
		{"tokenizer/e", []string{"encode", "export"}},
		{"sample/--te", []string{"--temperature"}},
		{"sample/--temperature/1/--te", nil}, // given already
		{"train/--config/a.yaml/--set/a/--se", []string{"--set"}},
		{"sample/--run/ru", []string{"runs/tiny-1"}},
		{"config/rude", nil},
		{"train/--config/ti", []string{"tiny.yaml"}},
		{"train/-c/shak", []string{"shakespeare.yaml"}},
		{"vectors/train/--config/w", []string{"wiki.yaml"}},
		{"align/sft/--config/cl", []string{"classroom.yaml"}},
		{"config/wn", []string{"wnut17.yaml"}},
		{"config/tiny-", []string{"tiny-1"}},
		{"export/--as/", []string{"huggingface", "gguf"}},
		{"eval/--checkpoint/l", []string{"last"}},
		{"train/--data/t", nil}, // a file
		{"nonsense/t", []string{"train", "trace", "tokenizer"}},
	} {
		args := append([]string{"complete", "--"}, strings.Split(c.words, "/")...)
		var got []string
		for line := range strings.Lines(succeed(t, args...)) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			got = append(got, name)
		}
		if strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%s: %q, want %q", c.words, got, c.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		contains(t, succeed(t, "completion", shell), "gpt complete -- ")
	}
}
