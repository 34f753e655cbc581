package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/run"
)

// labelledFiles writes a table whose label a word tells, to train on and to test.
func labelledFiles(t *testing.T) {
	t.Helper()
	for name, n := range map[string]int{"train.tsv": 60, "test.tsv": 20} {
		var b strings.Builder
		b.WriteString("sentence\tlabel\n")
		for i := range n {
			word := []string{"happy", "sad"}[i%2]
			fmt.Fprintf(&b, "%s was %s.\t%s!\n", []string{"Mia", "Max", "Ben"}[i%3], word, strings.ToUpper(word))
		}
		fixture.Write(t, name, b.String())
	}
}

// quickly is what makes a fine-tuning end in a moment.
var quickly = []string{"--set", "finetune.min_steps=24", "--set", "finetune.evaluations=3", "--set", "train.learning_rate=0.01"}

func finetuneArgs(more ...string) []string {
	return append(append([]string{"finetune", "--data", "train.tsv", "--test", "test.tsv"}, quickly...), more...)
}

// The commands of the README, on a small scale: fine-tune a run, predict a text, a
// file and standard input.
func TestFinetuneAndClassify(t *testing.T) {
	inTinyRun(t)
	labelledFiles(t)
	out := succeed(t, finetuneArgs()...)
	contains(t, out, "configuration:    preset finetune.yaml\n", "                  with finetune.train ", "labels:         HAPPY!, SAD!\n", "run folder:     "+filepath.Join("runs", "finetune-1"), "starts from:    ", filepath.Join("runs", "tiny-1")+"\n",
		"examples:       54 to train on, 6 for development, 20 to test", "truncated:      0 of them", "buckets:        sequences of ", "loss:           L2 + 0.5·L1", "on the development set",
		"test set:        accuracy 1.0000", "true \\ predicted", "results: ")
	for _, name := range []string{"config.yaml", "tokenizer.json", "results.json", "confusion.png", "worst.txt", "loss.svg", "metrics.jsonl", "best.safetensors"} {
		expect.File(t, "runs", "finetune-1", name)
	}
	contains(t, succeed(t, "classify", "Ben was sad.", "Mia was happy."), "SAD! ", "\nHAPPY! ", "\tBen was sad.\n")
	var answer struct {
		Label         string
		Probability   float64
		Probabilities []struct{ Probability float64 }
	}
	line := succeed(t, "classify", "--format", "json", "--run", "runs/finetune-1", "Max was sad.")
	if err := json.Unmarshal([]byte(line), &answer); err != nil || answer.Label != "SAD!" || answer.Probability < 0.5 || len(answer.Probabilities) != 2 {
		t.Errorf("%s: %v", line, err)
	}
	if got := strings.Count(succeed(t, "classify", "--file", "test.tsv"), "\n"); got != 20 {
		t.Errorf("%d lines for 20 rows", got)
	}
	fixture.Write(t, "lines", "Mia was sad.\nBen was happy.\n")
	before := os.Stdin
	defer func() { os.Stdin = before }()
	var err error
	if os.Stdin, err = os.Open("lines"); err != nil {
		t.Fatal(err)
	}
	if out := succeed(t, "classify"); !strings.HasPrefix(out, "SAD! ") || !strings.Contains(out, "\nHAPPY! ") {
		t.Errorf("of standard input: %s", out)
	}
	// A text that is longer than the context is read without its middle, which is said.
	if status, _, stderr := gpt("classify", "Mia was happy.", strings.Repeat("Mia was sad and then she went home. ", 20)); status != 0 || !strings.Contains(stderr, "1 of 2 examples are longer than the model's context and lost their middle\n") {
		t.Errorf("exit %d, %s", status, stderr)
	}
	// The run that was fine-tuned is no run to write with, unless it is named.
	contains(t, succeed(t, "eval"), "runs/tiny-1, step 6")
	succeed(t, "sample", "--run", "runs/finetune-1", "--prompt", "Mia")
	contains(t, succeed(t, "export", "--run", "runs/finetune-1", "--to", "out"), "AutoModelForSequenceClassification.from_pretrained(\"out\")", "its texts are written <|start|>TEXT<|extract|>")
	contains(t, succeed(t, "export", "--run", "runs/finetune-1", "--to", "gguf", "--as", "gguf"), "left out: the head of the task classification")
	// Of two checkpoints of which one is damaged the other one can be used, as is said.
	dir := filepath.Join("runs", "finetune-1")
	best, last := expect.File(t, dir, "best.safetensors"), expect.File(t, dir, "last.safetensors")
	fixture.Write(t, filepath.Join(dir, "last.safetensors"), last[:len(last)-9])
	contains(t, refused(t, 1, "finetune", "--resume", "--run", dir, "--epochs", "90"), "best.safetensors is undamaged: `gpt classify --run runs/finetune-1` uses it, and `gpt finetune --from runs/finetune-1` trains on from it")
	fixture.Write(t, filepath.Join(dir, "last.safetensors"), last)
	fixture.Write(t, filepath.Join(dir, "best.safetensors"), best[:len(best)-9])
	contains(t, refused(t, 1, "classify", "Mia was sad."), "last.safetensors is undamaged: copied over best.safetensors it can be used")
	fixture.Write(t, filepath.Join(dir, "best.safetensors"), last)
	contains(t, succeed(t, "classify", "Mia was sad."), "SAD! ")
	fixture.Write(t, filepath.Join(dir, "best.safetensors"), best)
	// A fine-tuned run can be fine-tuned.
	contains(t, succeed(t, finetuneArgs("--from", "runs/finetune-1", "--lambda", "0")...), "loss:           L2, without", filepath.Join("runs", "finetune-1")+"\n")
}

// A network that has hardly learned anything predicts with n-grams what the words tell.
func TestFinetuneNGrams(t *testing.T) {
	inTinyRun(t)
	labelledFiles(t)
	weak := []string{"--ngrams", "--epochs", "4", "--set", "finetune.min_steps=0", "--set", "finetune.evaluations=2", "--set", "train.learning_rate=1e-9", "--set", "train.batch_size=4"}
	ctx, cancel := context.WithCancel(context.Background())
	var errs bytes.Buffer
	if status := execute(ctx, append([]string{"gpt", "finetune", "--data", "train.tsv", "--test", "test.tsv"}, weak...), &interrupter{at: "step 8: ", stop: cancel}, &errs); status != 130 {
		t.Fatalf("exit %d\n%s", status, errs.String())
	}
	dir := filepath.Join("runs", "finetune-1")
	contains(t, refused(t, 1, "classify", "Mia was sad."), "runs/finetune-1 has no ngrams.bin, which a fine-tuning makes at its end: go on with `gpt finetune --resume --run runs/finetune-1`")
	contains(t, succeed(t, "finetune", "--resume"), "test set:        accuracy 1.0000", "n-grams:         ", " by n-grams alone")
	// One that wasn't stopped, and one that gets them afterwards, are the same.
	ngrams := expect.File(t, dir, "ngrams.bin")
	contains(t, succeed(t, append([]string{"finetune", "--data", "train.tsv", "--test", "test.tsv"}, weak...)...), "n-grams:        fitted at the end, to predict together with the network")
	succeed(t, append([]string{"finetune", "--data", "train.tsv", "--test", "test.tsv"}, weak[1:]...)...)
	contains(t, succeed(t, "finetune", "--resume", "--ngrams"), " by n-grams alone")
	for _, other := range []string{"finetune-2", "finetune-3"} {
		if string(expect.File(t, "runs", other, "ngrams.bin")) != string(ngrams) {
			t.Errorf("the n-grams of %s differ", other)
		}
	}
	// classify predicts what was measured.
	for i, line := range strings.Split(strings.TrimSpace(succeed(t, "classify", "--run", dir, "--file", "test.tsv")), "\n") {
		if want := []string{"HAPPY! ", "SAD! "}[i%2]; !strings.HasPrefix(line, want) {
			t.Errorf("row %d: %s, want %s", i+1, line, want)
		}
	}
	contains(t, succeed(t, "export", "--run", dir, "--to", "out"), "left out: the n-grams that it predicts together with; the network alone is exported\n", "AutoModelForSequenceClassification")
	ngrams[len(ngrams)/2] ^= 1
	fixture.Write(t, filepath.Join(dir, "ngrams.bin"), ngrams)
	contains(t, refused(t, 1, "classify", "--run", dir, "Mia was sad."), "ngrams.bin: the file is damaged", "make the file again with `gpt finetune --resume --run runs/finetune-1`")
	succeed(t, "finetune", "--resume", "--run", dir)
	contains(t, succeed(t, "classify", "--run", dir, "Mia was sad."), "SAD! ")
}

func TestFinetuneSeeds(t *testing.T) {
	inTinyRun(t)
	labelledFiles(t)
	out := succeed(t, finetuneArgs("--seeds", "2", "--scratch", "--freeze-embeddings", "--examples", "20")...)
	contains(t, out, "random weights, tokenizer and shape of ", "20 to train on", "seed 1 (1 of 2): runs/finetune-1", "seed 2 (2 of 2): runs/finetune-2", "accuracy on the test set, 2 seeds: ", " ± ")
}

// From nothing but the labelled file.
func TestFinetuneWithoutRun(t *testing.T) {
	t.Chdir(t.TempDir())
	labelledFiles(t)
	out := succeed(t, finetuneArgs("--scratch", "--set", "model.layers=1", "--set", "model.width=16", "--set", "model.context=32", "--set", "tokenizer.kind=char")...)
	contains(t, out, "starts from:    random weights\n", "test set:")
	contains(t, succeed(t, "classify", "Mia was sad."), " %")
	// The list of runs counts the head's parameters, as the graph does.
	var listed []run.Info
	var drawn struct{ Parameters int64 }
	for line, into := range map[string]any{"runs": &listed, "graph --run finetune-1": &drawn} {
		if err := json.Unmarshal([]byte(succeed(t, append(strings.Fields(line), "--format", "json")...)), into); err != nil {
			t.Fatal(err)
		}
	}
	if len(listed) != 1 || listed[0].Parameters != drawn.Parameters {
		t.Errorf("%+v has %d parameters", listed, drawn.Parameters)
	}
}

// Labels that are numbers, nearly as many as examples, are more likely grades than classes.
// The format of a file may have to be said.
func TestFinetuneGrades(t *testing.T) {
	t.Chdir(t.TempDir())
	var rows strings.Builder
	rows.WriteString("text,score\n")
	for i := range 60 {
		fmt.Fprintf(&rows, "story %d,%.2f\n", i%7, float64(i)/20)
	}
	fixture.Write(t, "rows.txt", rows.String())
	args := []string{"finetune", "--scratch", "--set", "model.layers=1", "--set", "model.width=16", "--set", "model.context=32", "--set", "tokenizer.kind=char", "--set", "finetune.min_steps=2", "--epochs", "1", "--set", "finetune.evaluations=1", "--data", "rows.txt", "--file-format", "csv", "--run"}
	const note = "different numbers are the labels, each a class of its own; if they are grades, --head regression learns them as such"
	contains(t, succeed(t, append(args, "a")...), note)
	if out := succeed(t, append(args, "b", "--head", "regression")...); strings.Contains(out, note) {
		t.Error(out)
	}
}

func TestFinetuneInterruptAndResume(t *testing.T) {
	inTinyRun(t)
	labelledFiles(t)
	ctx, cancel := context.WithCancel(context.Background())
	w := &interrupter{at: "step 8: ", stop: cancel}
	var errs bytes.Buffer
	if status := execute(ctx, append([]string{"gpt"}, finetuneArgs()...), w, &errs); status != 130 {
		t.Fatalf("exit %d\n%s\n%s", status, w.String(), errs.String())
	}
	contains(t, w.String(), "stopped after step 8", "finetune --resume --run runs/finetune-1")
	contains(t, succeed(t, "finetune", "--resume"), "resuming runs/finetune-1 at step 8 of 24", "test set:")
	contains(t, succeed(t, "finetune", "--resume"), "note: all 24 steps are made, so only the results are measured; to train on, add --epochs N")
	contains(t, succeed(t, "finetune", "--resume", "--epochs", "16", "--set", "train.patience=0"), "resuming runs/finetune-1 at step 24 of 32", "note: the learning rate goes from ", "test set:")
	text := expect.File(t, "runs/finetune-1/config.yaml")
	contains(t, string(text), "  epochs: 16\n", "  patience: 0\n", "  steps: 32\n")
}

func TestAblate(t *testing.T) {
	inTinyRun(t)
	labelledFiles(t)
	args := append([]string{"ablate", "--data", "train.tsv", "--test", "test.tsv", "--sizes", "20", "--seeds", "2"}, quickly...)
	out := succeed(t, args...)
	contains(t, out, "15 of 19: n-grams, 54 examples, seed 1: accuracy 1.0000", "19 of 19: no pre-training, 54 examples, seed 2: ", "| accuracy, by labelled examples | 20 | 54 |", "| pre-trained, λ = 0.5 | ", "| pre-trained, λ = 0.5, with n-grams | ", "| no pre-training | ", "picture: ")
	for _, name := range []string{"ablation.svg", "ablation.png", "table.md", "points.jsonl"} {
		expect.File(t, "runs", "finetune-ablation", name)
	}
	if again := succeed(t, args...); strings.Contains(again, " of 19: ") || !strings.Contains(again, "| n-grams | ") {
		t.Errorf("the same command computes again:\n%s", again)
	}
	// A folder of an earlier program has no mixtures, and nothing is trained for them again; what
	// a program that was killed between a mixture and its network left is made good.
	path := filepath.Join("runs", "finetune-ablation", "points.jsonl")
	points := string(expect.File(t, path))
	var networks, mixtures []string
	for _, line := range strings.SplitAfter(points, "\n") {
		if strings.Contains(line, ", with n-grams") {
			mixtures = append(mixtures, line)
		} else {
			networks = append(networks, line)
		}
	}
	fixture.Write(t, path, strings.Join(networks, ""))
	if old := succeed(t, args...); len(mixtures) != 4 || strings.Contains(old, " of 1") || !strings.Contains(old, "| pre-trained, λ = 0.5, with n-grams | | |\n") {
		t.Errorf("%d mixtures; without them:\n%s", len(mixtures), old)
	}
	fixture.Write(t, path, strings.Replace(points, networks[0], "", 1))
	contains(t, succeed(t, args...), "19 of 19: pre-trained, λ = 0.5, 20 examples, seed 1: ")
	if text := string(expect.File(t, path)); strings.Count(text, "\n") != strings.Count(points, "\n") {
		t.Errorf("the results afterwards:\n%s", text)
	}
	// One arm alone.
	one := succeed(t, append(args, "--to", "one", "--arm", "ngrams")...)
	contains(t, one, "3 of 3: n-grams, 54 examples, seed 1: ")
	if strings.Contains(one, "| no pre-training |") {
		t.Errorf("an arm that isn't asked for is in the table:\n%s", one)
	}
	// One more arm, in the same folder.
	contains(t, succeed(t, append(args, "--averaged")...), "23 of 23: averaged vectors, 54 examples, seed 2: ", "| averaged vectors | ")
	contains(t, refused(t, 1, append(args, "--lambda", "0.7")...), "holds an ablation with other settings")
	// Results of other weights aren't put next to these.
	succeed(t, "train", "--resume", "--run", "tiny-1", "--set", "train.steps=8")
	contains(t, refused(t, 1, args...), "holds results of other weights than ", "runs/tiny-1 has by now: restore that run, or name another folder with --to")
	// Results on other examples aren't put next to these.
	fixture.Write(t, "test.tsv", "sentence\tlabel\nMia was happy.\tHAPPY!\nMax was sad.\tSAD!\n")
	contains(t, refused(t, 1, args...), "holds results on other examples: restore the files, or name another folder with --to")
	entries, err := os.ReadDir(filepath.Join("runs", "finetune-ablation"))
	if err != nil || len(entries) != 5 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// Bad input gets one line that says what and where.
func TestFinetuneErrors(t *testing.T) {
	inTinyRun(t)
	labelledFiles(t)
	fixture.Write(t, "unseen.tsv", "sentence\tlabel\nMia was odd.\tODD!\n")
	fixture.Write(t, "short.tsv", "sentence\tlabel\nMia was sad.\tSAD!\nBen\n")
	fixture.Write(t, "commas.txt", "Mia was sad,SAD!\nMax was happy,HAPPY!\n")
	fixture.Write(t, "one.tsv", "sentence\tlabel\na\tx\nb\tx\n")
	fixture.Write(t, "empty.tsv", "sentence\tlabel\n  \tx\nb\ty\n")
	succeed(t, finetuneArgs()...)
	refuse(t, `
1 | finetune --data train.tsv --test unseen.tsv | unseen.tsv:2: the label "ODD!" isn't one of the classes that training saw: HAPPY!, SAD!
1 | finetune --data short.tsv | short.tsv:3: 1 column, expected at least 2
1 | finetune --data one.tsv | one.tsv: every row (2 of them) has the label "x"
1 | finetune --data empty.tsv | empty.tsv:2: the text (column 1, "sentence") is empty
1 | finetune --data train.tsv --label lable | no column "lable"; it has "sentence", "label"
1 | finetune --data commas.txt | which columns hold the label? it has the columns 1 ("Mia was sad,SAD!"): name them with --label; if commas or semicolons divide its columns, say --file-format csv
1 | finetune --data missing.tsv | missing.tsv: no such file
1 | finetune --data train.tsv --from nowhere | nowhere: no such folder
2 | finetune --config small.yaml | small.yaml configures a language model: did you mean 'gpt train --config small.yaml'?
1 | finetune | finetune.train is missing: give --data FILE
1 | finetune --data train.tsv --task sorting | finetune.task is "sorting"
1 | finetune --data train.tsv --task choice | which columns hold the choices? it has "sentence", "label": name them with --choices
1 | finetune --data train.tsv --freeze-layers 3 | finetune.freeze_layers is 3, but the model has 2
2 | finetune --data train.tsv --seeds 0 | --seeds is 0
1 | finetune --data train.tsv --run runs/tiny-1 | holds a run already
2 | finetune --resume --head classes | leave out --head
1 | finetune --resume --run runs/tiny-1 | is no fine-tuned run
2 | finetune extra | takes flags only
1 | classify --run runs/tiny-1 x | is no fine-tuned run: make one with 'gpt finetune --from runs/tiny-1'
1 | classify ok ' ' | argument:2: the text is empty
2 | classify --file test.tsv x | expected one of them
1 | classify --file test.tsv --text words | no column "words"
2 | ablate --data train.tsv --seeds 0 | --seeds is 0: expected 1 to 1000
2 | ablate --data train.tsv --seeds 1000000000 | --seeds is 1000000000: expected 1 to 1000
1 | ablate --data train.tsv --to runs/tiny-1 | is the folder of a run: name another one for a study
1 | scaling run --to runs/tiny-1 | is the folder of a run
1 | fewshot run --to runs/tiny-1 | is the folder of a run
2 | ablate --data train.tsv --arm ngram | --arm is "ngram": expected full, lambda-0, scratch or ngrams; did you mean ngrams?
2 | finetune --data train.tsv --seeds 1000000000 | --seeds is 1000000000: expected 1 to 1000
`)
	// A class list that doesn't fit the checkpoint.
	path := filepath.Join("runs", "finetune-1", "config.yaml")
	text := expect.File(t, path)
	fixture.Write(t, path, strings.Replace(string(text), `["HAPPY!", `, `["HAPPY!", "MAD!", `, 1))
	status, _, stderr := gpt("classify", "--run", "runs/finetune-1", "x")
	if status != 1 || !strings.Contains(stderr, `tensor "score.weight" has shape [16 2], the configuration asks for [16 3]`) || !strings.Contains(stderr, "3 classes") {
		t.Errorf("exit %d: %s", status, stderr)
	}
}

// Examples from a pipe can be learned from but not read again.
func TestFinetuneFromPipe(t *testing.T) {
	inTinyRun(t)
	labelledFiles(t)
	text := expect.File(t, "train.tsv")
	fixture.Stdin(t, string(text))
	ctx, cancel := context.WithCancel(context.Background())
	w := &interrupter{at: "step 8: ", stop: cancel}
	var errs bytes.Buffer
	if status := execute(ctx, append([]string{"gpt", "finetune", "--data", "-"}, quickly...), w, &errs); status != 130 {
		t.Fatalf("exit %d\n%s\n%s", status, w.String(), errs.String())
	}
	contains(t, w.String(), "stopped after step 8", "came through a pipe")
	if strings.Contains(w.String(), "--resume") {
		t.Errorf("a resume that can't work is proposed:\n%s", w.String())
	}
	contains(t, refused(t, 1, "finetune", "--resume"), "its examples came through a pipe and can't be read again")
	succeed(t, "classify", "Ben was sad.") // which needs no examples
}

// A fine-tuned run knows the texts of the run that it started from, and doesn't take others
// for them.
func TestEvalOfFinetuned(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "text.txt", strings.Repeat("One and two and three. ", 100))
	succeed(t, "train", "--config", "tiny.yaml", "--data", "text.txt")
	labelledFiles(t)
	succeed(t, finetuneArgs()...)
	contains(t, succeed(t, "eval", "--run", "runs/finetune-1"), "perplexity:")
	fixture.Write(t, "text.txt", strings.Repeat("Something else. ", 100))
	contains(t, refused(t, 1, "eval", "--run", "runs/finetune-1"), "the texts are not those that the run began with")
}

// A configuration may come from a pipe, which can be read once only.
func TestPipedConfiguration(t *testing.T) {
	inTinyRun(t)
	for args, want := range map[string]struct{ text, message string }{
		"finetune --data none.tsv": {"finetune: {task: classification}\n", "none.tsv: no such file"},
		"ablate --data none.tsv":   {"finetune: {task: classification}\n", "none.tsv: no such file"},
		"align sft --from none":    {"sft: {epochs: 1}\n", "none: no such folder"},
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("/dev/fd/%d", r.Fd())
		if _, err := os.Stat(path); err != nil {
			t.Skip("no /dev/fd here")
		}
		if _, err := w.WriteString(want.text); err != nil {
			t.Fatal(err)
		}
		w.Close()
		contains(t, refused(t, 1, append(strings.Fields(args), "--config", path)...), want.message)
		r.Close()
	}
}
