package commands

import (
	"runtime"
	"strings"
	"testing"
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
		"train --data":                       "flag needs an argument: -data: see gpt train --help",
		"completion":                         "expected bash, zsh or fish",
		"completion tcsh":                    `found "tcsh": expected bash, zsh or fish`,
		"finetune --seeds two --data a.json": "see gpt finetune --help",
	} {
		status, _, stderr := gpt(strings.Fields(line)...)
		if status != 2 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("gpt %s: exit %d, %s; want %s", line, status, stderr, want)
		}
	}
}

func TestVersion(t *testing.T) {
	contains(t, succeed(t, "--version"), "gpt version ", runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	contains(t, succeed(t, "version"), "gpt ", runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
}

// TestComplete: what the last word of a command line may become.
func TestComplete(t *testing.T) {
	inTinyRun(t)
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
		{"train/--config/ti", []string{"tiny.yaml"}},
		{"train/-c/shak", []string{"shakespeare.yaml"}},
		{"vectors/train/--config/w", []string{"wiki.yaml"}},
		{"align/sft/--config/cl", []string{"classroom.yaml"}},
		{"config/wn", []string{"wnut17.yaml"}},
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
