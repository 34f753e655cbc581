package commands

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/tokenizer"
)

// equals compares what a command line prints.
func equals(t *testing.T, want string, args ...string) {
	t.Helper()
	if got := succeed(t, args...); got != want {
		t.Errorf("gpt %s prints\n%q, want\n%q", strings.Join(args, " "), got, want)
	}
}

func TestEncodeDecode(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "text.txt", "Hello 磨\n")
	fixture.Write(t, "ids.txt", "[15496, 13328, 96, 101, 198]")
	ids := "15496 13328 96 101 198\n" // of tiktoken's r50k_base
	equals(t, "15496 995\n", "tokenizer", "encode", "-t", "gpt2", "Hello world")
	equals(t, "\n", "tokenizer", "encode", "-t", "gpt2", "")
	equals(t, ids, "tokenizer", "encode", "-t", "gpt2", "--file", "text.txt")
	fixture.Stdin(t, "Hello 磨\n")
	equals(t, ids, "tokenizer", "encode", "-t", "r50k_base")
	fixture.Stdin(t, "Hello 磨\n")
	equals(t, ids, "tokenizer", "encode", "-t", "gpt2", "-f", "-")
	equals(t, "27 91 437 1659 5239 91 29\n", "tokenizer", "encode", "-t", "gpt2", "<|endoftext|>")
	equals(t, "50256\n", "tokenizer", "encode", "-t", "gpt2", "--allow-special", "<|endoftext|>")
	const asJSON = `{"tokenizer":"gpt2","ids":[15496,50256],"tokens":["Hello","<|endoftext|>"]}` + "\n"
	equals(t, asJSON, "tokenizer", "encode", "-t", "gpt2", "--allow-special", "--format", "json", "Hello<|endoftext|>")

	equals(t, "Hello world", "tokenizer", "decode", "-t", "gpt2", "15496", "995")
	equals(t, "Hello 磨\n", "tokenizer", "decode", "-t", "gpt2", "--file", "ids.txt")
	fixture.Stdin(t, asJSON)
	equals(t, "Hello<|endoftext|>", "tokenizer", "decode", "-t", "gpt2")
	fixture.Stdin(t, asJSON+asJSON+"{\"ids\":[]}\n"+asJSON)
	equals(t, "Hello<|endoftext|>\nHello<|endoftext|>\n\nHello<|endoftext|>\n", "tokenizer", "decode", "-t", "gpt2")
	fixture.Stdin(t, asJSON+asJSON)
	equals(t, "{\"text\":\"Hello<|endoftext|>\"}\n{\"text\":\"Hello<|endoftext|>\"}\n", "tokenizer", "decode", "-t", "gpt2", "--format", "json")
	fixture.Stdin(t, ids)
	equals(t, `{"text":"Hello 磨\n"}`+"\n", "tokenizer", "decode", "-t", "gpt2", "--format", "json")
	equals(t, "Hello", "tokenizer", "decode", "-t", "gpt2", "--skip-special-tokens", "15496,50256")
	// Half a character, which a special token or the end cuts off.
	equals(t, "\ufffd<|endoftext|>\ufffd", "tokenizer", "decode", "-t", "byte", "231", "163", "256", "231")
}

// A tokenizer goes from text to all of its forms and back into training.
func TestTokenizerRoundTrip(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "text.txt", strings.Repeat("The miller's daughter kept three clocks. ", 200))
	out := succeed(t, "tokenizer", "train", "--data", "text.txt", "--vocab-size", "280", "--special-token", "<|start|>", "--special-token", "<|end|>", "--to", "tok")
	contains(t, out, "learned bpe-280 from 8,200 bytes", "280 tokens", "train --tokenizer tok --data text.txt")
	out = succeed(t, "tokenizer", "train", "--data", "text.txt", "--vocab-size", "9000", "--to", "more")
	contains(t, out, "less than --vocab-size 9000: no further pair occurs 2 times")

	want := succeed(t, "tokenizer", "encode", "-t", "tok", "three clocks")
	for _, to := range []string{"hf", "t.json", "t.tiktoken", "a/deep/folder"} {
		contains(t, succeed(t, "tokenizer", "export", "-t", "tok", "--to", to), "wrote bpe-280, 280 tokens, to "+to)
		equals(t, want, "tokenizer", "encode", "-t", to, "three clocks")
	}
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt"} {
		expect.File(t, "hf", name)
	}
	// A folder that has one of the files keeps all that it has.
	fixture.Write(t, "own/vocab.json", "mine")
	contains(t, refused(t, 1, "tokenizer", "export", "-t", "tok", "--to", "own"), "own/vocab.json is there already")
	expect.Folder(t, "own", "vocab.json")
	fixture.Write(t, "own/tokenizer_config.json", "mine")
	contains(t, refused(t, 1, "tokenizer", "train", "--data", "text.txt", "--to", "own"), "own/tokenizer_config.json is there already")
	succeed(t, "tokenizer", "export", "-t", "byte", "--to", "t.json", "--force")
	contains(t, succeed(t, "tokenizer", "inspect", "-t", "t.json"), "tokenizer:       byte")

	fixture.Write(t, "tiny.yaml", tiny)
	out = succeed(t, "train", "--config", "tiny.yaml", "--tokenizer", "tok", "--data", "text.txt", "--set", "train.steps=1")
	contains(t, out, "of bpe-280\n", "with tokenizer.file tok ")
	equals(t, want, "tokenizer", "encode", "three clocks") // the latest run's
	equals(t, want, "tokenizer", "encode", "-t", "runs/tiny-1", "three clocks")
	tok, err := tokenizer.Load("runs/tiny-1")
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := tokenizer.SpecialID(tok, "<|end|>"); !ok || id != 279 {
		t.Errorf("<|end|> is %d, %v", id, ok)
	}

	succeed(t, "tokenizer", "train", "--data", "text.txt", "--kind", "char", "--to", "chars", "--special-token", "<a>")
	contains(t, succeed(t, "tokenizer", "inspect", "-t", "chars"), "tokenizer:       char+1", "<|endoftext|> 20 <a> 21")
}

func TestInspect(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "text.txt", "The cat's hat.\nThe\tcat.")
	equals(t, `[The|464][ cat|3797]['s|338][ hat|6877][.|13][\n|198]`+"\n"+`[The|464][\t|197][cat|9246][.|13]`+
		"\ntokens: 10 (gpt2), characters: 23, bytes: 23, 2.30 per token\n", "tokenizer", "inspect", "-t", "gpt2", "--file", "text.txt")
	out := succeed(t, "tokenizer", "inspect", "-t", "gpt2", "--data", "text.txt", "--top", "2")
	contains(t, out, "text:      23 bytes, 23 characters; documents: 1", "tokens:    10 of gpt2: 2.300 bytes per token",
		"coverage:  8 of 50,256 ordinary tokens occur (0.0 %)", "         2  20.00%       13  [.]", "a + t")
	var r corpusReport
	if err := json.Unmarshal([]byte(succeed(t, "tokenizer", "inspect", "-t", "gpt2", "--data", "text.txt", "--top", "2", "--format", "json")), &r); err != nil {
		t.Fatal(err)
	}
	if r.Tokens != 10 || r.Bytes != 23 || r.Used != 8 || !slices.Equal(r.TopTokens, []tokenReport{{13, ".", 2}, {464, "The", 2}}) || len(r.TopMerges) != 2 {
		t.Errorf("%+v", r)
	}
	var v vocabularyReport
	if err := json.Unmarshal([]byte(succeed(t, "tokenizer", "inspect", "-t", "gpt2", "--top", "1", "--format", "json")), &v); err != nil {
		t.Fatal(err)
	}
	if v.VocabSize != 50257 || v.Special["<|endoftext|>"] != 50256 || len(v.Longest) != 1 || v.Longest[0].ID != 35496 {
		t.Errorf("%+v", v)
	}
	equals(t, `{"tokenizer":"byte","ids":[97,195,169],"tokens":["a","Ã","©"]}`+"\n", "tokenizer", "inspect", "-t", "byte", "--format", "json", "aé")

	// On a terminal the pieces have backgrounds, and ids are grey.
	var b bytes.Buffer
	showPieces(&b, tokenizer.NewByte(), []int32{'a', '\n'}, true)
	if want := "\x1b[38;5;16;48;5;153ma\x1b[0m\x1b[38;5;244m97\x1b[0m \x1b[38;5;16;48;5;157m\\n\x1b[0m\x1b[38;5;244m10\x1b[0m \n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestTokenizerErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "text.txt", "abc abc")
	fixture.Write(t, "latin1.txt", "caf\xe9")
	fixture.Write(t, "empty.json", "{}")
	succeed(t, "tokenizer", "train", "-d", "text.txt", "--kind", "char", "--to", "tok")
	refuse(t, `
2 | tokenizer trian | no command "trian": did you mean gpt tokenizer train?
2 | tokenizer encode --tokeniser x | tokeniser
2 | tokenizer encode -t gpt2 a b | encode takes one text, found 2 arguments: put it in quotes
2 | tokenizer encode -t gpt2 -f text.txt a | encode takes either a text or --file
1 | tokenizer encode a | no run here to take a tokenizer from
1 | tokenizer encode -t none a | none: no such file or folder
1 | tokenizer encode -t empty.json a | empty.json: key "model" is missing
1 | tokenizer encode -t gpt2 -f none.txt | none.txt
1 | tokenizer encode -t gpt2 -f latin1.txt | latin1.txt:1: the file ends at offset 3 in the middle of a UTF-8 character: it was cut off, or if it is windows-1252
1 | tokenizer encode -t tok abX | line 1, column 3 of the text (character 2, byte 2) is character 'X'
2 | tokenizer encode -t gpt2 --format xml a | --format is "xml": expected text or json
1 | tokenizer decode -t gpt2 1 x | "x" is number 2 of the input, expected a token id
1 | tokenizer decode -t gpt2 50257 | token id 50257 is not in the vocabulary: tokenizer gpt2 has ids 0 to 50256
2 | tokenizer decode -t gpt2 -f text.txt 1 | decode takes either ids or --file
2 | tokenizer inspect a -t gpt2 -d text.txt | inspect takes a text, --file or --data
2 | tokenizer inspect -t gpt2 --top -1 | --top is -1
1 | tokenizer inspect -t gpt2 -d none.txt | none.txt: no such file
2 | tokenizer train -o new | no text to learn from: give --data FILE
2 | tokenizer train -d text.txt | no --to
1 | tokenizer train -d text.txt -o tok | tokenizer.json is there already: name another place, or add --force
2 | tokenizer train -d text.txt -o new --kind gpt2 | --kind is "gpt2": expected bpe or char
2 | tokenizer train -d text.txt -o new --min-frequency 0 | --min-frequency is 0
1 | tokenizer train -d text.txt -o new --vocab-size 256 | a vocabulary of 256 tokens is too small
1 | tokenizer train -d text.txt -o new --vocab-size 300 --special-token a | a token of that name already
1 | tokenizer train -d latin1.txt -o new | latin1.txt:1
1 | tokenizer inspect -t gpt2 -f latin1.txt | latin1.txt:1: the file ends at offset 3
1 | tokenizer decode -t gpt2 -f text.txt | text.txt: "abc" is number 1 of the input, expected a token id
2 | tokenizer train text.txt -o new | train takes flags only, found "text.txt": did you mean --data text.txt?
2 | tokenizer export -t gpt2 | no --to: name a folder, or a file that ends in .json or .tiktoken
2 | tokenizer export -t gpt2 -o tok.model | --to tok.model: no tokenizer's file ends in .model: expected .json or .tiktoken, or for a folder of that name tok.model/
1 | tokenizer export -t gpt2 -o tok | is there already
1 | tokenizer export -t tok -o new.tiktoken | it is not byte-level BPE
1 | train --tokenizer none --data text.txt | none: no such file or folder
2 | train --resume --tokenizer gpt2 | leave out --tokenizer
`)
	for _, name := range []string{"new", "new.tiktoken", "runs"} {
		expect.NoFile(t, name)
	}
}
