package tokenizer

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// lowered returns the folder's tokenizer with do_lower_case as given.
func lowered(t testing.TB, lower string) Tokenizer {
	vocab := readTestdata(t, "golden/wordpiece/vocab.txt")
	return mustRead(t, fixture.Files(t, map[string]string{vocabTXTFile: vocab, configFile: `{"do_lower_case": ` + lower + `}`}))
}

// The ids are those of transformers' BertTokenizer (study/verify/python/wordpiece_golden.py),
// also when the tokenizer has been written and read again.
func TestWordPiece(t *testing.T) {
	var texts []struct {
		Text       string
		IDs, Lower []int32
	}
	if err := json.Unmarshal([]byte(readTestdata(t, "golden/wordpiece/ids.json")), &texts); err != nil || len(texts) < 20 {
		t.Fatalf("%d texts: %v", len(texts), err)
	}
	for _, lower := range []string{"false", "true"} {
		tok := lowered(t, lower)
		dir := t.TempDir()
		if err := WriteHuggingFace(dir, tok, 64); err != nil {
			t.Fatal(err)
		}
		back := mustRead(t, dir)
		if Fingerprint(back) != Fingerprint(tok) || TokenName(back, Begin(back)) != bertBegin || TokenName(back, back.EndOfText()) != bertEnd {
			t.Errorf("%s comes back as %s, texts begin with %d and end with %d", tok.Name(), back.Name(), Begin(back), back.EndOfText())
		}
		for _, c := range texts {
			want := c.IDs
			if lower == "true" {
				want = c.Lower
			}
			for _, tok := range []Tokenizer{tok, back} {
				if got, err := tok.Encode(c.Text); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: %q is %v, transformers has %v: %v", tok.Name(), c.Text, got, want, err)
				}
			}
		}
	}
}

// Text that the vocabulary doesn't have is counted.
func TestUnknownNote(t *testing.T) {
	tok := lowered(t, "true")
	for text, noted := range map[string]bool{"我在北京": false, "我在北京 ⚑": true, "": false} {
		ids, err := tok.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		note := UnknownNote(tok, ids)
		if (note != "") != noted || noted && !strings.HasPrefix(note, "20 % of the text's tokens are [UNK], ") {
			t.Errorf("%q: %q", text, note)
		}
	}
	if b := NewByte(); Unknown(b) != -1 || UnknownNote(b, []int32{0, 255}) != "" {
		t.Error("a byte is unknown")
	}
}

// Text comes back with spaces where words of letters begin.
func TestWordPieceDecode(t *testing.T) {
	tok := lowered(t, "false")
	for text, want := range map[string]string{
		"我在北京":        "我在北京",
		"the tower":   " the tower",
		"一天 quarter。": "一天 quarter。",
	} {
		ids, err := tok.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tok.Decode(ids); err != nil || got != want {
			t.Errorf("%q (%v) comes back as %q, expected %q: %v", text, ids, got, want, err)
		}
	}
	more, err := WithSpecialTokens(tok, "<a>")
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := SpecialID(more, "<a>"); !ok || TokenName(more, id) != "<a>" || more.Name() != "wordpiece+1" || tok.Name() != "wordpiece" {
		t.Errorf("the added token is %q in %s", TokenName(more, id), more.Name())
	}
}

func TestWordPieceRefused(t *testing.T) {
	expect.Errors(t, map[string]string{
		"":                      "vocab.txt: it is empty",
		"[UNK]\na\n\nb\n":       "vocab.txt: line 3 is empty",
		"[UNK]\na\na\n":         `vocab.txt: line 3: token "a" is on line 2 already`,
		"a\nb\n":                `the unknown token "[UNK]" is not in the vocabulary`,
		"[UNK]\n[CLS]\n[SEP]\n": "the vocabulary has no ordinary token",
		"[UNK]\n\xff\n":         "vocab.txt: it is not UTF-8",
	}, func(vocab string) (Tokenizer, error) {
		return ReadHuggingFace(fixture.Files(t, map[string]string{vocabTXTFile: vocab}))
	})
	file := fileOf(t, formatTokenizerJSON, lowered(t, "true"))
	for _, c := range [][3]string{
		{`"continuing_subword_prefix": "##"`, `"continuing_subword_prefix": "@@"`, `"model.continuing_subword_prefix" is "@@"`},
		{`"max_input_chars_per_word": 100`, `"max_input_chars_per_word": 7`, `is 7, expected 100`},
		{`"handle_chinese_chars": true`, `"handle_chinese_chars": false`, `BertNormalizer with clean_text and handle_chinese_chars`},
		{`"strip_accents": null`, `"strip_accents": false`, `expected both or neither`},
		{`"type": "BertPreTokenizer"`, `"type": "Whitespace"`, `BertPreTokenizer`},
		{`"truncation": null`, `"truncation": {"max_length": 8}`, `"truncation"`},
	} {
		if !strings.Contains(file, c[0]) {
			t.Fatalf("no %s in the file", c[0])
		}
		if _, err := parseTokenizerJSON([]byte(strings.Replace(file, c[0], c[1], 1)), ""); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %v", c[1], err)
		}
	}
}

// FuzzVocabTXT: a vocabulary is refused in one line, or encodes and survives writing.
func FuzzVocabTXT(f *testing.F) {
	f.Add("[UNK]\n[CLS]\n[SEP]\na\n##b\n我\n", "ab 我a", true)
	f.Add("[UNK]\r\n##\n#\n é\n", "## é", false)
	f.Fuzz(func(t *testing.T, vocab, text string, fold bool) {
		ids, err := parseVocabTXT([]byte(vocab))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("several lines: %v", err)
			}
			return
		}
		v := &vocabulary{ids: ids, special: map[string]bool{}, added: map[string]bool{}, match: map[string]Match{}}
		tok, err := newWordPiece(v, fold)
		if err != nil {
			return
		}
		got, err := tok.Encode(text)
		if err != nil {
			return
		}
		for _, id := range got {
			if id < 0 || int(id) >= tok.VocabSize() {
				t.Fatalf("id %d of %d", id, tok.VocabSize())
			}
		}
		checkSurvives(t, tok)
	})
}
