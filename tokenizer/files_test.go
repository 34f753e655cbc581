package tokenizer

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// forms are the ways to write a tokenizer into a folder and to read it back.
var forms = []struct {
	name  string
	write func(dir string, t Tokenizer) error
	path  string // of what Load reads
}{
	{"Save", func(dir string, t Tokenizer) error { return Save(dir, t, 128) }, ""},
	{"WriteJSON", func(dir string, t Tokenizer) error { return WriteJSON(filepath.Join(dir, "t.json"), t) }, "t.json"},
	{"WriteTiktoken", func(dir string, t Tokenizer) error { return WriteTiktoken(filepath.Join(dir, "t.tiktoken"), t) }, "t.tiktoken"},
	{"vocab.json", func(dir string, t Tokenizer) error {
		err := WriteHuggingFace(dir, t, 0)
		return errors.Join(err, os.Remove(filepath.Join(dir, "tokenizer.json")))
	}, ""},
	{"vocab.json without configuration", func(dir string, t Tokenizer) error {
		err := WriteHuggingFace(dir, t, 0)
		for _, name := range []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"} {
			err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
		}
		return err
	}, ""},
}

// TestWriteRead: each kind comes back from each form as it was, special tokens
// included; what a form cannot hold is refused.
func TestWriteRead(t *testing.T) {
	for _, tok := range allKinds(t) {
		for _, f := range forms {
			if tok.VocabSize() > 50257 && f.name != "Save" {
				continue // to save time
			}
			dir := t.TempDir()
			err := f.write(dir, tok)
			isChar, isGPT1 := strings.HasPrefix(tok.Name(), "char"), strings.HasPrefix(tok.Name(), "gpt1")
			if f.name == "WriteTiktoken" && (isChar || isGPT1) {
				expect.Error(t, err, "it is not byte-level BPE")
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if f.name == "WriteTiktoken" && len(tok.SpecialTokens()) > 1 || isGPT1 && f.name == "vocab.json without configuration" && len(tok.SpecialTokens()) > 0 {
				continue // the files say nothing of special tokens
			}
			got, err := Load(filepath.Join(dir, f.path))
			if isChar && strings.HasPrefix(f.name, "vocab.json") {
				expect.Error(t, err, "no tokenizer in it")
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", tok.Name(), f.name, err)
				continue
			}
			if Fingerprint(got) != Fingerprint(tok) {
				t.Errorf("%s, %s: it came back as %s of %d tokens with %v, was %d with %v", tok.Name(), f.name, got.Name(), got.VocabSize(), got.SpecialTokens(), tok.VocabSize(), tok.SpecialTokens())
			}
			text := "a cab\n"
			a, errA := tok.Encode(text)
			b, errB := got.Encode(text)
			if !slices.Equal(a, b) || (errA == nil) != (errB == nil) {
				t.Errorf("%s, %s: %v, %v before; %v, %v after", tok.Name(), f.name, a, errA, b, errB)
			}
		}
	}
}

// TestWriteNothingHalf: files appear complete or not at all, and replace others.
func TestWriteNothingHalf(t *testing.T) {
	// A folder in the way makes the rename fail: the temporary file must go.
	dir := fixture.Files(t, map[string]string{"folder/full/a.txt": ""})
	path := filepath.Join(dir, "folder")
	for range 2 {
		if err := WriteJSON(filepath.Join(dir, "t.json"), NewByte()); err != nil {
			t.Fatal(err)
		}
	}
	for _, write := range []func(string, Tokenizer) error{WriteJSON, WriteTiktoken} {
		if err := write(path, NewByte()); err == nil {
			t.Error("wrote over a folder")
		}
		expect.Error(t, write(filepath.Join(dir, "missing", "t"), NewByte()), "writing tokenizer byte")
		expect.Error(t, write(filepath.Join(dir, "t"), foreign{NewByte()}), "writing tokenizer byte")
	}
	expect.Folder(t, dir, "folder", "t.json")
}

// foreign is a tokenizer of some other package.
type foreign struct{ Tokenizer }

func gzipped(t testing.TB, text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestVocabNames: a vocabulary and its merges are found under all of their names.
func TestVocabNames(t *testing.T) {
	vocab, merges := readTestdata(t, "golden/lowercase/vocab.json"), readTestdata(t, "golden/lowercase/merges.txt")
	want := Fingerprint(mustRead(t, "testdata/golden/lowercase"))
	for _, names := range vocabFiles {
		for _, files := range []map[string]string{
			{names[0]: vocab, names[1]: merges},
			{names[0] + ".gz": gzipped(t, vocab), names[1] + ".gz": gzipped(t, merges)},
			{names[0] + ".gz": gzipped(t, vocab), names[1]: merges},
		} {
			if got := mustRead(t, fixture.Files(t, files)); Fingerprint(got) != want {
				t.Errorf("%v: another tokenizer", names)
			}
		}
	}
}

// TestConfiguration: the end of text is what the configuration names.
func TestConfiguration(t *testing.T) {
	file := readTestdata(t, "golden/bytelevel/tokenizer.json")
	for _, c := range []struct {
		files map[string]string
		want  int32
	}{
		{nil, 0},
		{map[string]string{"tokenizer_config.json": `{"eos_token": null}`}, 0},
		{map[string]string{"tokenizer_config.json": `{"eos_token": "<|start|>"}`}, 1},
		{map[string]string{"tokenizer_config.json": `{"eos_token": {"content": "<|start|>", "lstrip": false}}`}, 1},
		{map[string]string{"special_tokens_map.json": `{"eos_token": "<|start|>"}`}, 1},
		{map[string]string{"special_tokens_map.json": `{"eos_token": "<|start|>"}`, "tokenizer_config.json": `{"eos_token": "<|endoftext|>"}`}, 0},
	} {
		files := map[string]string{"tokenizer.json": file}
		for name, text := range c.files {
			files[name] = text
		}
		if got := mustRead(t, fixture.Files(t, files)).EndOfText(); got != c.want {
			t.Errorf("%v: end of text %d, want %d", c.files, got, c.want)
		}
	}
	// Tokens that were added to GPT-1's kind, as transformers 4 and others save them.
	vocab, merges := readTestdata(t, "golden/lowercase/vocab.json"), readTestdata(t, "golden/lowercase/merges.txt")
	size := int32(mustRead(t, "testdata/golden/lowercase").VocabSize())
	for _, more := range []map[string]string{
		{"added_tokens.json": `{"<a>": SIZE, "<b>": SIZE1}`},
		{"tokenizer_config.json": `{"unk_token": "<unk>", "added_tokens_decoder": {"0": {"content": "<unk>"}, "SIZE1": {"content": "<b>"}, "SIZE": {"content": "<a>"}}}`},
	} {
		files := map[string]string{"vocab.json": vocab, "merges.txt": merges}
		for name, text := range more {
			text = strings.ReplaceAll(text, "SIZE1", itoa(size+1))
			files[name] = strings.ReplaceAll(text, "SIZE", itoa(size))
		}
		tok := mustRead(t, fixture.Files(t, files))
		if want := []SpecialToken{{Name: "<a>", ID: size}, {Name: "<b>", ID: size + 1}}; !slices.Equal(tok.SpecialTokens(), want) {
			t.Errorf("special tokens %v, want %v", tok.SpecialTokens(), want)
		}
	}
}

// TestReadErrors: what is wrong is said in one line that names the file.
func TestReadErrors(t *testing.T) {
	vocab, merges := readTestdata(t, "golden/lowercase/vocab.json"), readTestdata(t, "golden/lowercase/merges.txt")
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing":          {nil, "no tokenizer in it: expected tokenizer.json, or vocab.json and merges.txt"},
		"no merges":        {map[string]string{"vocab.json": vocab}, "not the merges that belong to it in merges.txt"},
		"no vocabulary":    {map[string]string{"merges.txt": merges}, "no tokenizer in it"},
		"configuration":    {map[string]string{"tokenizer_config.json": "{"}, "tokenizer_config.json: line 1: the file ends in the middle"},
		"end of text":      {map[string]string{"tokenizer_config.json": `{"eos_token": 7}`}, `a token is "7", expected its name`},
		"strange end":      {map[string]string{"vocab.json": vocab, "merges.txt": merges, "tokenizer_config.json": `{"eos_token": "</s>"}`}, `the end of text, "</s>", is not among the special tokens`},
		"added id":         {map[string]string{"vocab.json": vocab, "merges.txt": merges, "tokenizer_config.json": `{"added_tokens_decoder": {"x": {"content": "a"}}}`}, `key "added_tokens_decoder.x": expected an id`},
		"added elsewhere":  {map[string]string{"vocab.json": vocab, "merges.txt": merges, "added_tokens.json": `{"th": 1}`}, `added token "th" has id 1, in the vocabulary it has`},
		"added far off":    {map[string]string{"vocab.json": vocab, "merges.txt": merges, "added_tokens.json": `{"<a>": 9999}`}, `token "<a>" has id 9999, but there are`},
		"vocabulary":       {map[string]string{"vocab.json": "[1]", "merges.txt": merges}, "found a list, expected an object"},
		"no object":        {map[string]string{"vocab.json": "null", "merges.txt": merges}, "expected an object of tokens and their ids"},
		"ids":              {map[string]string{"vocab.json": `{"a": 1.5}`, "merges.txt": merges}, "found a number 1.5, expected a whole number"},
		"same id":          {map[string]string{"vocab.json": `{"a": 0, "b": 0}`, "merges.txt": merges}, `tokens "a" and "b" have the same id, 0`},
		"cut off":          {map[string]string{"vocab.json": vocab[:200], "merges.txt": merges}, "the file ends in the middle of the JSON"},
		"merge":            {map[string]string{"vocab.json": vocab, "merges.txt": "#version: 0.2\nt h\nthe\n"}, `merges.txt: line 3: merge "the": expected two tokens`},
		"three parts":      {map[string]string{"vocab.json": vocab, "merges.txt": "t h e\n"}, `line 1: merge "t h e": expected two tokens`},
		"binary merges":    {map[string]string{"vocab.json": vocab, "merges.txt": "\xff\xfe"}, "merges.txt: it is not UTF-8"},
		"unknown merge":    {map[string]string{"vocab.json": vocab, "merges.txt": merges + "q q\n"}, `"qq" is not in the vocabulary`},
		"merge twice":      {map[string]string{"vocab.json": vocab, "merges.txt": merges + "t h\n"}, "makes a token that is there already"},
		"merges are short": {map[string]string{"vocab.json": vocab, "merges.txt": merges[:len(merges)/2]}, "is neither a character nor made by a merge"},
		"order":            {map[string]string{"vocab.json": vocab, "merges.txt": swapLines(merges, 2, 4)}, "before it"},
		"bytes missing":    {map[string]string{"vocab.json": `{"a": 0, "b": 1, "ab": 2}`, "merges.txt": "a b\n"}, "byte 0x00, written \"Ā\", is not in the vocabulary"},
		"no gzip":          {map[string]string{"vocab.json.gz": vocab, "merges.txt": merges}, "vocab.json.gz: not gzip although its name ends in .gz"},
		"damaged gzip":     {map[string]string{"vocab.json": vocab, "merges.txt.gz": gzipped(t, merges)[:100]}, "merges.txt.gz: damaged gzip data"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fixture.Files(t, c.files)
			_, err := ReadHuggingFace(dir)
			expect.OneLine(t, err, c.want, dir)
		})
	}
	expect.Errors(t, map[string]string{
		"none":                          "none: no such file or folder: expected a folder with tokenizer.json",
		"testdata/text.txt":             "testdata/text.txt: expected a folder with tokenizer.json, or a file that ends in .json or .tiktoken",
		"testdata/golden/none.json":     "golden/none.json: no such file or folder",
		"testdata/golden/ids.json":      `ids.json: key "model" is missing`,
		"testdata/golden/none.tiktoken": "none.tiktoken: no such file",
	}, Load)
}

// swapLines exchanges two lines, counted from 1.
func swapLines(text string, a, b int) string {
	lines := strings.SplitAfter(text, "\n")
	lines[a-1], lines[b-1] = lines[b-1], lines[a-1]
	return strings.Join(lines, "")
}

// FuzzVocabFiles: a vocabulary that is accepted gives back what it takes, and
// survives writing.
func FuzzVocabFiles(f *testing.F) {
	f.Add([]byte(readTestdata(f, "golden/lowercase/vocab.json")), []byte(readTestdata(f, "golden/lowercase/merges.txt")))
	dir := f.TempDir()
	if err := WriteHuggingFace(dir, trained(), 0); err != nil {
		f.Fatal(err)
	}
	for _, path := range []string{dir} {
		f.Add(expect.File(f, path, "vocab.json"), expect.File(f, path, "merges.txt"))
	}
	f.Add([]byte(`{"<unk>":0,"a":1,"a</w>":2,"aa</w>":3}`), []byte("#version: 0.2\na a</w>\n"))
	f.Add([]byte(`{"a":0,"a":1}`), []byte("a a"))
	f.Fuzz(func(t *testing.T, vocab, merges []byte) {
		dir := fixture.Files(t, map[string]string{"vocab.json": string(vocab), "merges.txt": string(merges)})
		if tok, err := ReadHuggingFace(dir); err == nil {
			checkSurvives(t, tok)
		}
	})
}

// checkSurvives writes and reads a tokenizer, and encodes with both.
func checkSurvives(t *testing.T, tok Tokenizer) {
	b, err := formatTokenizerJSON(tok)
	if err != nil {
		t.Fatalf("%s cannot be written: %v", tok.Name(), err)
	}
	end := ""
	if e := tok.EndOfText(); e >= 0 {
		end, _ = tok.(extendable).base().specialName(e)
	}
	again, err := parseTokenizerJSON(b, end)
	if err != nil || Fingerprint(again) != Fingerprint(tok) {
		t.Fatalf("%s does not survive writing: %v\n%s", tok.Name(), err, b)
	}
	for _, text := range hardTexts {
		ids, err := tok.Encode(text)
		more, err2 := again.Encode(text)
		if !slices.Equal(ids, more) || (err == nil) != (err2 == nil) {
			t.Fatalf("%s encodes %q as %v, read again as %v", tok.Name(), text, ids, more)
		}
		if _, err := tok.Decode(ids); err != nil {
			t.Fatalf("%s cannot decode its own %v: %v", tok.Name(), ids, err)
		}
	}
}
