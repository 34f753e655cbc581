package commands

import (
	"os"
	"strings"
	"testing"

	"tinygpt/internal/fixture"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// TestUnquotedGlob: a shell makes several arguments of --data *.txt.
func TestUnquotedGlob(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "a.txt", strings.Repeat("Mia went home. ", 40))
	fixture.Write(t, "b.txt", strings.Repeat("Max went out. ", 40)+"<|endoftext|>More.")
	for _, name := range []string{"d/c.txt", "d/c.txt~", "d/.c.txt"} {
		fixture.Write(t, name, strings.Repeat("Max went out. ", 80))
	}
	out := succeed(t, "train", "--data", "a.txt", "b.txt", "--config", "tiny.yaml", "--set", "train.steps=1")
	contains(t, out, "2 files, 3 documents, 1,165 bytes\n1 <|endoftext|> within a line of text: each ended a document\n")
	contains(t, succeed(t, "train", "--data", "d/*", "--config", "tiny.yaml", "--set", "train.steps=1"),
		"left out: 1 an editor's copy (d/c.txt~); 1 hidden (d/.c.txt)")
}

// TestEncodingFlag: a text that isn't UTF-8 is read as what it is, by each command.
func TestEncodingFlag(t *testing.T) {
	inTinyFolder(t)
	text := strings.Repeat("第一回，甄士隐梦幻识通灵，贾雨村风尘怀闺秀。\n", 20)
	raw, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, "gb.txt", raw)
	for _, line := range []string{"train --config tiny.yaml --data gb.txt", "tokenizer train --data gb.txt --output tok", "tokenizer inspect --tokenizer byte --data gb.txt",
		"vectors train --words characters --min-count 1 --force --dim 4 --epochs 1 --run vectors --data gb.txt"} {
		contains(t, refused(t, 1, strings.Fields(line)...), "if it is gb18030, which reads \"第一回，甄士隐")
		args := strings.Fields(line)
		if args[0] == "train" {
			args = append(args, "--set", "train.steps=1")
		}
		succeed(t, append(args, "--encoding", "gb18030")...)
	}
	if config, err := os.ReadFile("vectors/config.yaml"); err != nil || !strings.Contains(string(config), "encoding: gb18030") {
		t.Errorf("%s, %v", config, err)
	}
	contains(t, refused(t, 1, "vectors", "train", "--data", "gb.txt", "--encoding", "klingon"), `data.encoding: encoding "klingon": expected a name like`)
	contains(t, succeed(t, "eval", "--data", "gb.txt", "--encoding", "gbk"), "bits per byte")
	contains(t, refused(t, 2, "eval", "--data", "gb.txt", "--encoding", "klingon"), `--encoding: encoding "klingon": expected a name like`)
	if status, _, stderr := gpt("train", "--data", "", "--config", "tiny.yaml"); status == 0 || !strings.Contains(stderr, "the name of a file is empty") {
		t.Errorf("exit %d, %s", status, stderr)
	}
}
