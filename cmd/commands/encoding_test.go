package commands

import (
	"strings"
	"testing"

	"tinygpt/internal/fixture"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Every command that reads texts takes their encoding, and one that is given none says
// which it likely is.
func TestEncodingEverywhere(t *testing.T) {
	inTinyFolder(t)
	gb := func(text string) string {
		encoded, err := simplifiedchinese.GB18030.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	fixture.Write(t, "text.txt", gb(strings.Repeat("从前有一只小猫，它住在森林里。\n", 60)))
	fixture.Write(t, "rows.jsonl", gb(strings.Repeat(`{"question":"热","choices":["冷","大"],"answer":"冷"}`+"\n", 30)))
	fixture.Write(t, "rows.tsv", gb("text\tlabel\n"+strings.Repeat("小猫很高兴\t好\n小猫很难过\t坏\n", 30)))
	succeed(t, "train", "--config", "tiny.yaml", "--data", "text.txt", "--encoding", "gb18030", "--tokenizer", "char")
	for _, args := range [][]string{
		{"train", "--config", "tiny.yaml", "--data", "text.txt"},
		{"eval", "--data", "text.txt"},
		{"sample", "--prompt-file", "text.txt", "--max-tokens", "1"},
		{"trace", "--prompt-file", "text.txt"},
		{"tokenizer", "train", "--data", "text.txt", "--output", "tok"},
		{"tokenizer", "inspect", "--data", "text.txt"},
		{"tokenizer", "inspect", "--file", "text.txt"},
		{"tokenizer", "encode", "--file", "text.txt"},
		{"fewshot", "--task", "rows.jsonl", "--shots", "0", "--trials", "2"},
		append([]string{"finetune", "--data", "rows.tsv"}, quickly...),
		{"classify", "--run", "runs/finetune-1", "--file", "rows.tsv"},
		{"scaling", "run", "--data", "text.txt", "--tokens", "64", "--layers", "1", "--layers", "2", "--layers", "3", "--layers", "4", "--set", "tokenizer.vocab_size=260", "--set", "model.context=8", "--set", "train.batch_size=2", "--set", "train.warmup_steps=1"},
		{"vectors", "train", "--data", "text.txt", "--words", "characters", "--force"},
		{"vectors", "phrases", "--data", "text.txt", "--to", "joined.txt"},
	} {
		name := strings.Join(args, " ")
		contains(t, refused(t, 1, args...), "--encoding gb18030")
		if args[0] == "trace" { // the prompt is longer than the context
			continue
		}
		status, _, stderr := gpt(append(args, "--encoding", "gb18030")...)
		if args[0] == "scaling" && strings.Contains(stderr, "there is nothing that falls with size") { // of so little training
			continue
		}
		if status != 0 {
			t.Errorf("gpt %s --encoding gb18030: exit %d: %s", name, status, stderr)
		}
	}
}

// What is piped in is the text that a command is about, if it is given no other.
func TestPipedText(t *testing.T) {
	inTinyRun(t)
	fixture.Stdin(t, "\ufeffOnce upon\r\n")
	piped := succeed(t, "tokenizer", "inspect")
	contains(t, piped, "characters: 10")
	fixture.Stdin(t, "")
	contains(t, succeed(t, "tokenizer", "inspect"), "longest tokens:")
	fixture.Stdin(t, "Once upon")
	contains(t, succeed(t, "trace", "--to", "page.html"), "wrote page.html")
}

// Texts from Windows, in arguments and in small files, are read as others are.
func TestWindowsText(t *testing.T) {
	inFolderOf(t, "\ufeff"+strings.ReplaceAll(tiny, "\n", "\r\n"))
	fixture.Write(t, "text.txt", strings.Repeat("the cat sat on a mat\r\nthe dog ran in a fog\r\n", 40))
	fixture.Write(t, "rows.tsv", "text\tlabel\r\n"+strings.Repeat("the cat\tx\r\nthe dog\ty\r\n", 20))
	succeed(t, "train", "--config", "tiny.yaml", "--data", "text.txt", "--tokenizer", "char")
	succeed(t, append([]string{"finetune", "--data", "rows.tsv"}, quickly...)...)
	if a, b := succeed(t, "classify", "the cat\r\n"), succeed(t, "classify", "the cat"); a != b {
		t.Errorf("%q with a line end, %q without", a, b)
	}
	succeed(t, "vectors", "train", "--data", "text.txt", "--force", "--epochs", "1", "--min-count", "1")
	fixture.Write(t, "pairs.txt", "\ufeffcat\tdog\r\nmat\tfog\r\n")
	succeed(t, "vectors", "plot", "--pairs", "pairs.txt", "--to", "pairs.svg")
	fixture.Write(t, "dict.txt", "\ufeffthe 5\r\ncat 3\r\n")
	succeed(t, "vectors", "phrases", "--data", "text.txt", "--dict", "dict.txt", "--to", "joined.txt")
	fixture.Write(t, "questions.txt", "\ufeff: animals\r\ncat mat dog fog\r\n")
	contains(t, succeed(t, "vectors", "score", "--analogies", "questions.txt"), "│ animals │")
}
