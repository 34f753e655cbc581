package commands

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestFullDisk: a command whose output is lost doesn't end with status 0.
func TestFullDisk(t *testing.T) {
	inTinyRun(t)
	fixture.Write(t, "text.txt", strings.Repeat("Mia went home. ", 40))
	for _, line := range []string{
		"tokenizer train --data text.txt --output tok --vocab-size 260", "tokenizer inspect", "tokenizer encode a", "eval", "plot", "--version", "help",
		"sample --prompt Mia --max-tokens 2", "graph --config tiny.yaml", "scaling table gpt1",
	} {
		var errs strings.Builder
		if status := execute(context.Background(), append([]string{"gpt"}, strings.Fields(line)...), full{}, &errs); status != 1 || !strings.Contains(errs.String(), "no space left on device") {
			t.Errorf("gpt %s: exit %d, %s", line, status, errs.String())
		}
	}
}

// TestEarlyRefusal: a folder that can't be written to is noticed before the work.
func TestEarlyRefusal(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "text.txt", strings.Repeat("Mia went home. ", 40))
	fixture.Write(t, "file", "")
	status, stdout, stderr := gpt("tokenizer", "train", "--data", "text.txt", "--to", "file/tok")
	if status != 1 || strings.Contains(stdout, "text: ") {
		t.Errorf("exit %d\n%s%s", status, stdout, stderr)
	}
}

// TestCleanPrompts: prompts and files are cleaned as the texts of training are.
func TestCleanPrompts(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "text.txt", "\ufeff"+strings.Repeat("Mia went\r\nhome. ", 60))
	succeed(t, "train", "--config", "tiny.yaml", "--set", "tokenizer.kind=char", "--set", "train.steps=1", "--data", "text.txt")
	plain := succeed(t, "sample", "--prompt", "Mia went\nhome", "--temperature", "0")
	fixture.Write(t, "prompt.txt", "\ufeffMia went\r\nhome\r\n")
	for _, args := range [][]string{{"--prompt", "\ufeffMia went\r\nhome"}, {"--prompt-file", "prompt.txt"}} {
		if got := succeed(t, append([]string{"sample", "--temperature", "0"}, args...)...); got != plain {
			t.Errorf("%q gives %q, want %q", args, got, plain)
		}
	}
	succeed(t, "trace", "--prompt-file", "prompt.txt")
	ids := succeed(t, "tokenizer", "encode", "Mia went\nhome\n")
	if got := succeed(t, "tokenizer", "encode", "-f", "prompt.txt"); got != ids {
		t.Errorf("%s, want %s", got, ids)
	}
	succeed(t, "tokenizer", "encode", "-f", "text.txt")
}

// TestOwnSpecialTokens: tokens that a user has given a tokenizer are those of training
// texts and prompts.
func TestOwnSpecialTokens(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "text.txt", strings.Repeat("<q>Who?<a>Mia went home. ", 60))
	succeed(t, "tokenizer", "train", "--data", "text.txt", "--to", "tok", "--vocab-size", "280", "--special-token", "<q>", "--special-token", "<a>")
	contains(t, succeed(t, "train", "--config", "tiny.yaml", "--data", "text.txt", "--tokenizer", "tok", "--set", "train.steps=1"), "done: 1 steps")
	contains(t, succeed(t, "sample", "--prompt", "<q>Who", "--max-tokens", "1", "--show"), "<q>")
	contains(t, succeed(t, "tokenizer", "inspect", "--data", "text.txt", "--tokenizer", "tok", "--format", "json"), `"bytes":1500`)
}

// console is a terminal whose output is kept.
type console struct{ bytes.Buffer }

func (*console) Columns() int { return 80 }

// Control characters in labels, texts and paths don't get to a terminal.
func TestNoControlCharactersOnTerminal(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "text.txt", strings.Repeat("a\x1b[31m b\x08c \x13d plain words\n", 60))
	fixture.Write(t, "rows.tsv", "text\tlabel\n"+strings.Repeat("one\tx\x1b[31m\ntwo\ty\x07\n", 20))
	odd := "a\x1b[31m\x08\u009b\u202e"
	fixture.Write(t, "texts/"+odd+".txt", "")
	fixture.Write(t, "texts/a.txt", strings.Repeat("Mia went home. ", 40))
	for _, args := range [][]string{
		{"train", "--config", "tiny.yaml", "--data", "text.txt", "--tokenizer", "byte"},
		append([]string{"finetune", "--data", "rows.tsv"}, quickly...),
		{"classify", "one"},
		{"eval", "--run", "no\x1b[31m"},
		{"train", "--config", "tiny.yaml", "--data", "texts", "--tokenizer", "byte", "--run", odd},
		{"eval", "--run", odd, "--data", "texts"},
		{"tokenizer", "train", "--data", "texts", "--vocab-size", "260", "--to", odd + "-tok"},
		{"tokenizer", "decode", "--tokenizer", "byte", "27", "91", "51", "49", "109", "8", "194", "155"},
		{"tokenizer", "inspect", "--tokenizer", "byte", "a\x08\u009b"},
		{"plot", odd},
		{"trace", "--run", odd, "--to", odd + ".html", "Mia"},
		{"graph", "--config", "tiny.yaml", "--to", odd + ".svg"},
		{"export", "--run", odd, "--to", odd + "-out"},
		{"import", odd + "-out"},
		{"train", "--from", odd, "--data", "texts", "--set", "train.steps=1"},
		{"train", "--resume", "--run", odd},
		{"runs"},
		{odd},
	} {
		var out, errs console
		status := execute(context.Background(), append([]string{"gpt"}, args...), &out, &errs)
		if wrong := args[0] == odd || len(args) > 2 && args[2] == "no\x1b[31m"; (status != 0) != wrong {
			t.Errorf("gpt %q: exit %d, %s", args, status, errs.String())
		}
		for _, label := range []string{"\x1b[31m", "\x07", "\x08", "\x13", "\u009b", "\u202e"} {
			if strings.Contains(out.String(), label) || strings.Contains(errs.String(), label) {
				t.Errorf("gpt %s writes %q", strings.Join(args, " "), label)
			}
		}
	}
}
