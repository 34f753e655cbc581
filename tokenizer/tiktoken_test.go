package tokenizer

import (
	"slices"
	"strings"
	"testing"

	loader "github.com/pkoukk/tiktoken-go-loader"

	"tinygpt/internal/expect"
)

// TestTiktoken: the published r50k_base is GPT-2's vocabulary, and its text is
// what we write.
func TestTiktoken(t *testing.T) {
	ranks, err := loader.NewOfflineLoader().LoadTiktokenBpe("r50k_base.tiktoken")
	if err != nil {
		t.Fatal(err)
	}
	file, err := formatTiktoken(mustGPT2(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(file), "\n"); n != len(ranks) || !strings.HasPrefix(string(file), "IQ== 0\nIg== 1\n") {
		t.Errorf("%d lines, want %d: %.20q", n, len(ranks), file)
	}
	// The SHA-256 that tiktoken's own list of encodings has for r50k_base.
	if got := sumOfBytes(file); got != "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930" {
		t.Errorf("r50k_base.tiktoken is written with SHA-256 %s", got)
	}
	tok, err := parseTiktoken(file)
	if err != nil || Fingerprint(tok) != Fingerprint(mustGPT2(t)) {
		t.Errorf("read as %v, %v", tok, err)
	}

	// Special tokens are not in the file: the first free id is the end of text.
	tok, err = parseTiktoken([]byte(fileOf(t, formatTiktoken, mustRead(t, "testdata/golden/bytelevel"))))
	if err == nil {
		t.Errorf("read with two special tokens at the beginning: %v", tok)
	}
	more, err := WithSpecialTokens(trained(), "<a>")
	if err != nil {
		t.Fatal(err)
	}
	if tok, err = parseTiktoken([]byte(fileOf(t, formatTiktoken, more))); err != nil || Fingerprint(tok) != Fingerprint(trained()) {
		t.Errorf("without the special tokens after it it is another: %v", err)
	}
}

func TestTiktokenErrors(t *testing.T) {
	small, err := TrainBPE(texts("abab"), 259, MinCount(1))
	if err != nil {
		t.Fatal(err)
	}
	file := fileOf(t, formatTiktoken, small)
	for _, c := range []struct{ name, old, new, want string }{
		{"no rank", "IQ== 0", "IQ==", `line 1 is "IQ==", expected a token in base64, a space and its rank`},
		{"no number", "IQ== 0", "IQ== x", "line 1 is"},
		{"negative", "IQ== 0", "IQ== -1", "line 1 is"},
		{"too large", "IQ== 0", "IQ== 99999999999", "line 1 is"},
		{"no base64", "IQ== 0", "!!== 0", "line 1 is"},
		{"empty token", "IQ== 0", " 0", "line 1 is"},
		{"rank twice", "Ig== 1", "Ig== 0", "line 2: rank 0 is there already"},
		{"token twice", "Ig== 1", "IQ== 1", `line 2: token "!" is there already, with rank 0`},
		{"byte missing", "IQ== 0", "ISE= 0", `byte 0x21, written "!", is not in the vocabulary`},
		{"gap", "IQ== 0", "IQ== 1000", "rank 0 has no token, nor have others below 1000"},
		{"no pair", "YWJhYg== 257", "YWFhYg== 257", `token "aaab" is not made of two tokens before it: the merges before it make 3 of its text`},
	} {
		if !strings.Contains(file, c.old) {
			t.Fatalf("%s: no %s in\n%s", c.name, c.old, file)
		}
		_, err := parseTiktoken([]byte(strings.Replace(file, c.old, c.new, 1)))
		expect.Error(t, err, c.want)
	}
	if _, err := parseTiktoken(nil); err == nil {
		t.Error("an empty file is read")
	}
	// A vocabulary whose pattern is another would give wrong ids.
	ranks, err := loader.NewOfflineLoader().LoadTiktokenBpe("cl100k_base.tiktoken")
	if err != nil {
		t.Fatal(err)
	}
	tokens := make([][]byte, len(ranks))
	for token, rank := range ranks {
		tokens[rank] = []byte(token)
	}
	cl100k := &bpe{table: withEndOfText(tokens), merger: &merger{ids: identity(len(tokens))}}
	_, err = parseTiktoken([]byte(fileOf(t, formatTiktoken, cl100k)))
	expect.Error(t, err, "this is cl100k_base, which splits text by another pattern")
	// Ids in another order than the merges have no place in the file.
	ids := identity(258)
	ids[256], ids[257] = 257, 256
	shuffled := &bpe{table: withEndOfText(slices.Repeat([][]byte{{1}}, 258)), merger: &merger{ids: ids}}
	_, err = formatTiktoken(shuffled)
	expect.Error(t, err, "not in the order of its merges")
}

func FuzzTiktoken(f *testing.F) {
	f.Add([]byte(fileOf(f, formatTiktoken, trained())))
	f.Add([]byte(fileOf(f, formatTiktoken, NewByte())))
	f.Add([]byte("IQ== 0\r\n\nIg== 2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if tok, err := parseTiktoken(b); err == nil {
			checkSurvives(t, tok)
		}
	})
}
