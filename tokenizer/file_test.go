package tokenizer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fileOf returns what Save writes for tok.
func fileOf(t testing.TB, tok Tokenizer) string {
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	if err := Save(path, tok); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSaveLoad(t *testing.T) {
	bytesOnly, err := TrainBPE(texts("x"), minVocab)
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range append(kinds(t), bytesOnly, newChar([]rune("\x00\"<\\\u2028磨🕰\U0010ffff"))) {
		dir := t.TempDir()
		path := filepath.Join(dir, "tokenizer.json")
		for range 2 { // the second replaces the first
			if err := Save(path, tok); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if Fingerprint(got) != Fingerprint(tok) {
			t.Errorf("%s: the fingerprint changed", tok.Name())
		}
		text := "a cab\n"
		a, err := tok.Encode(text)
		b, err2 := got.Encode(text)
		if !slices.Equal(a, b) || (err == nil) != (err2 == nil) {
			t.Errorf("%s: %v, %v before; %v, %v after", tok.Name(), a, err, b, err2)
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 {
			t.Errorf("%s: %d files in the folder, want 1", tok.Name(), len(files))
		}
	}
}

// foreign is a tokenizer of some other package.
type foreign struct{ Tokenizer }

func TestSaveErrors(t *testing.T) {
	dir := t.TempDir()
	if err := Save(filepath.Join(dir, "t.json"), foreign{NewByte()}); err == nil || !strings.Contains(err.Error(), "has no file form") {
		t.Errorf("foreign tokenizer: error %v", err)
	}
	if err := Save(filepath.Join(dir, "missing", "t.json"), NewByte()); err == nil || !strings.Contains(err.Error(), "saving tokenizer byte") {
		t.Errorf("missing folder: error %v", err)
	}
	// A folder in the way makes the rename fail: the temporary file must go.
	path := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Save(path, NewByte()); err == nil {
		t.Error("saved over a folder")
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files left over, want the folder only", len(files))
	}
}

func TestLoadErrors(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.json")); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("missing file: error %v", err)
	}
	small, err := TrainBPE(texts("abab abab"), 260, MinCount(1))
	if err != nil {
		t.Fatal(err)
	}
	bpeFile, charFile := fileOf(t, small), fileOf(t, newChar([]rune("abc")))
	for _, c := range []struct {
		name, file, old, new, want string
	}{
		{"empty", "", "", "", "line 1: the file ends in the middle of the JSON"},
		{"cut off", bpeFile[:len(bpeFile)/2], "", "", "the file ends in the middle of the JSON"},
		{"binary", "\x1f\x8b\xff", "", "", "it is not UTF-8 text"},
		{"not JSON", "Ġ t\n", "", "", "line 1: invalid character"},
		{"syntax", bpeFile, `"version": 1,`, `"version": 1`, "line 4: invalid character"},
		{"type", bpeFile, `"version": 1`, `"version": "1"`, `line 3: key "version" has a string, expected int`},
		{"unknown key", bpeFile, `"kind"`, `"kid"`, `unknown field "kid"`},
		{"more after it", bpeFile + "{}", "", "", "there is more after the closing brace"},
		{"format", bpeFile, "tinygpt tokenizer", "other", `key "format" is "other"`},
		{"version", bpeFile, `"version": 1`, `"version": 2`, `key "version" is 2; this program reads version 1`},
		{"kind", bpeFile, `"kind": "bpe"`, `"kind": "wordpiece"`, `key "kind" is "wordpiece", expected "bpe"`},
		{"size", bpeFile, `"vocab_size": 260`, `"vocab_size": 300`, `key "vocab_size" is 300, but the file describes 260 tokens`},
		{"end of text", bpeFile, `"end_of_text": 259`, `"end_of_text": 0`, `key "end_of_text" is 0`},
		{"name", bpeFile, `"name": "bpe-260"`, `"name": "gpt2"`, `key "name" is "gpt2", but the file describes "bpe-260"`},
		{"hash", bpeFile, `"sha256": "`, `"sha256": "0`, "the file was changed after training"},
		{"pattern", bpeFile, `\\p{L}`, `\\p{Lu}`, `key "pattern" is`},
		{"swapped merge", bpeFile, `"a b"`, `"b a"`, `merge 2, "ab ab": no merge before it makes the token "ab"`},
		{"merge without space", bpeFile, `"a b"`, `"ab"`, `merge 1 is "ab", expected two tokens with a space between them`},
		{"three parts", bpeFile, `"a b"`, `"a b c"`, `merge 1, "a b c": ' ' (U+0020) does not stand for a byte`},
		{"empty side", bpeFile, `"a b"`, `" b"`, `no merge before it makes the token ""`},
		{"strange character", bpeFile, `"a b"`, `"a 磨"`, `'磨' (U+78E8) does not stand for a byte`},
		{"merge twice", bpeFile, `"ab ab"`, `"a b"`, `merge 2, "a b", makes a token that is there already, with id 256`},
		{"other letters", bpeFile, `"a b"`, `"c d"`, `no merge before it makes the token "ab"`},
		{"no characters", charFile, `"chars": "abc"`, `"chars": ""`, `key "chars" is empty`},
		{"order", charFile, `"abc"`, `"acb"`, `key "chars": 'b' (U+0062) after 'c' (U+0063)`},
		{"repeated", charFile, `"abc"`, `"abb"`, `key "chars": 'b' (U+0062) after 'b' (U+0062)`},
		{"changed character", charFile, `"abc"`, `"abd"`, "the file was changed after training"},
	} {
		file := c.file
		if c.old != "" {
			if !strings.Contains(file, c.old) {
				t.Fatalf("%s: no %s in %s", c.name, c.old, file)
			}
			file = strings.Replace(file, c.old, c.new, 1)
		}
		path := filepath.Join(t.TempDir(), "tokenizer.json")
		if err := os.WriteFile(path, []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error has several lines: %q", c.name, err)
		}
	}
}

// FuzzLoad: a file that is accepted describes a tokenizer that saves and loads.
func FuzzLoad(f *testing.F) {
	for _, tok := range kinds(f) {
		f.Add([]byte(fileOf(f, tok)))
	}
	f.Add([]byte(`{"format":"tinygpt tokenizer","version":1,"kind":"bpe","merges":["a a","aa aa"]}`))
	f.Add([]byte(`{"format":"tinygpt tokenizer","version":1,"kind":"char","chars":"\ud800"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := parseFile(b)
		if err != nil {
			return
		}
		again, err := parseFile([]byte(fileOf(t, tok)))
		if err != nil || Fingerprint(again) != Fingerprint(tok) {
			t.Fatalf("%s does not survive saving: %v", tok.Name(), err)
		}
	})
}
