package tokenizer

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// TestAddedTokens: special and other added tokens, with what they strip and where they
// are found, as Hugging Face's tokenizers has them; see testdata/added.py.
func TestAddedTokens(t *testing.T) {
	var texts []struct {
		Text    string
		IDs     []int32
		Decoded string
	}
	b := expect.File(t, "testdata/golden/added/ids.json")
	if err := json.Unmarshal(b, &texts); err != nil || len(texts) < 5 {
		t.Fatalf("%d texts: %v", len(texts), err)
	}
	first := mustRead(t, "testdata/golden/added")
	again := fixture.NewPath(t, "tokenizer.json")
	if err := WriteJSON(again, first); err != nil {
		t.Fatal(err)
	}
	second, err := ReadJSON(again)
	if err != nil {
		t.Fatal(err)
	}
	if Fingerprint(first) != Fingerprint(second) {
		t.Error("written and read back it is another tokenizer")
	}
	for _, tok := range []Tokenizer{first, second} {
		for _, c := range texts {
			ids, err := EncodeSpecial(tok, c.Text)
			if err != nil || !slices.Equal(ids, c.IDs) {
				t.Errorf("%q: %v, %v; want %v", c.Text, ids, err, c.IDs)
			}
			if text, err := tok.Decode(ids); err != nil || text != c.Decoded {
				t.Errorf("%q is decoded to %q, %v; want %q", c.Text, text, err, c.Decoded)
			}
		}
	}
	expect.Error(t, WriteTiktoken(fixture.NewPath(t, "x.tiktoken"), first), "can't say that")
	if _, _, err := ByteLevelVocabulary(first); err == nil {
		t.Error("no error")
	}
}

// TestForTexts: a user's own special tokens are found in texts, the end of text isn't.
func TestForTexts(t *testing.T) {
	tok, err := WithSpecialTokens(NewByte(), "<q>", "<a>")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := ForTexts(tok).Encode("<q>1<a>2<|")
	if want := []int32{257, '1', 258, '2', '<', '|'}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("%v, %v; want %v", ids, err, want)
	}
	if ids, _ := ForTexts(tok).Encode(EndOfTextName); slices.Contains(ids, tok.EndOfText()) {
		t.Errorf("the end of text is made by its name: %v", ids)
	}
	if plain := NewByte(); ForTexts(plain) != plain {
		t.Error("a tokenizer without special tokens of its own is another one")
	}
}

// TestManyNames: the time to find names doesn't depend on how many there are.
func TestManyNames(t *testing.T) {
	var special []SpecialToken
	for i := range 20_000 {
		special = append(special, SpecialToken{Name: "<extra_" + strconv.Itoa(i) + ">", ID: int32(i)})
	}
	text := strings.Repeat("a <b> c <extra_12> <extra_x> ", 20_000)
	n := newNames(special)
	cost := func(n *names) time.Duration {
		best := time.Hour
		for range 3 {
			began := time.Now()
			found := 0
			for at := 0; ; found++ {
				_, _, end, ok := n.find(text, at)
				if !ok {
					break
				}
				at = end
			}
			if found != 20_000 {
				t.Fatalf("found %d", found)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	few, many := cost(newNames(special[12:13])), cost(n)
	if many > 20*few {
		t.Errorf("%v with 20,000 names, %v with one", many, few)
	}
}

// TestBreak: none of the names is left in a text, wherever they begin and however they overlap.
func TestBreak(t *testing.T) {
	tok, err := WithSpecialTokens(NewByte(), "<a>", "<a><b>", "aa", "éé")
	if err != nil {
		t.Fatal(err)
	}
	n := NewSpecialNames(tok)
	for text, want := range map[string]string{
		"": "", "plain": "plain", "x<a>y": "x<|a>y", "<a><b>": "<|a><b>", "aaa": "a|a|a", "éééb": "é|é|éb", "<<a>": "<<|a>", "<|endoftext|>": "<||endoftext|>",
	} {
		if got := n.Break(text, "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestLongNames: a file's token that is found by a name of a thousand characters is refused,
// since a text of a million would be compared with it at each place.
func TestLongNames(t *testing.T) {
	file := `{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}, "added_tokens": [{"id": 2, "content": "<` + strings.Repeat("a", 1000) + `>", "special": true}]}`
	_, err := parseTokenizerJSON([]byte(file), "")
	expect.Error(t, err, "by its name of 1002 bytes: expected 1000 or fewer")
	_, err = WithSpecialTokens(NewByte(), strings.Repeat("a", 1001))
	expect.Error(t, err, "expected 1000 bytes or fewer")
}

// FuzzNames: encoding by names and decoding with names gives the text back.
func FuzzNames(f *testing.F) {
	tok, err := WithSpecialTokens(NewByte(), "<a>", "<a><b>", "é!")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("<a><b>é!<a")
	f.Fuzz(func(t *testing.T, text string) {
		ids, err := EncodeSpecial(tok, text)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, id := range ids {
			if name, ok := tok.(extendable).base().specialName(id); ok {
				b.WriteString(name)
			} else {
				b.Write(tok.Bytes(id))
			}
		}
		if b.String() != text {
			t.Errorf("%q became %q", text, b.String())
		}
	})
}
