package tokenizer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"

	"tinygpt/internal/fixture"
)

// golden is testdata/golden/ids.json: ids from Hugging Face's libraries. See
// testdata/golden.py.
type golden struct {
	Texts []struct {
		Text      string  `json:"text"`
		ByteLevel []int32 `json:"bytelevel"`
		LowerCase []int32 `json:"lowercase"`
		GPT1      []int32 `json:"gpt1"`
		GPT2      []int32 `json:"gpt2"`
	} `json:"texts"`
	GPT1Files map[string]struct {
		Tokens int    `json:"tokens"`
		SHA256 string `json:"sha256"`
	} `json:"gpt1_files"`
	GPT1Ranges []struct {
		First  rune   `json:"first"`
		End    rune   `json:"end"`
		SHA256 string `json:"sha256"`
	} `json:"gpt1_ranges"`
}

func readGolden(t testing.TB) (g golden) {
	if err := json.Unmarshal([]byte(readTestdata(t, "golden/ids.json")), &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Texts) < 20 || len(g.GPT1Files) < 2 || len(g.GPT1Ranges) < 5 {
		t.Fatalf("%d texts, %d files and %d ranges only", len(g.Texts), len(g.GPT1Files), len(g.GPT1Ranges))
	}
	return g
}

func mustRead(t testing.TB, dir string) Tokenizer {
	t.Helper()
	tok, err := ReadHuggingFace(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// mustReadShared reads one of OpenAI's vocabularies, which not every machine has.
func mustReadShared(t testing.TB, name string) Tokenizer {
	return mustRead(t, fixture.Path(t, "data/"+name))
}

// checkGolden compares the ids of all texts.
func checkGolden(t *testing.T, tok Tokenizer, ids func(i int) []int32) {
	t.Helper()
	for i, g := range readGolden(t).Texts {
		got, err := tok.Encode(g.Text)
		if err != nil || !slices.Equal(got, ids(i)) {
			t.Errorf("%s: Encode(%q) =\n%v, %v; want\n%v", tok.Name(), g.Text, got, err, ids(i))
		}
	}
}

func TestGoldenGPT2(t *testing.T) {
	g := readGolden(t)
	checkGolden(t, mustGPT2(t), func(i int) []int32 { return g.Texts[i].GPT2 })
	if tok := mustGPT2(t); tok.VocabSize() != 50257 || tok.EndOfText() != 50256 {
		t.Errorf("%d tokens, end of text %d", tok.VocabSize(), tok.EndOfText())
	}
	shared := mustReadShared(t, "gpt2_vocab")
	if shared.Name() != "gpt2" || Fingerprint(shared) != Fingerprint(mustGPT2(t)) {
		t.Errorf("OpenAI's files are read as %s, not as what is built in", shared.Name())
	}
}

// TestGoldenByteLevel reads what Hugging Face's trainer wrote, whose special tokens
// come first.
func TestGoldenByteLevel(t *testing.T) {
	g := readGolden(t)
	tok := mustRead(t, "testdata/golden/bytelevel")
	checkGolden(t, tok, func(i int) []int32 { return g.Texts[i].ByteLevel })
	start, ok := SpecialID(tok, "<|start|>")
	if tok.Name() != "bpe-400" || tok.EndOfText() != 0 || start != 1 || !ok {
		t.Errorf("%s: end of text %d, start %d %v; want bpe-400, 0, 1", tok.Name(), tok.EndOfText(), start, ok)
	}
	if one, err := Load("testdata/golden/bytelevel/tokenizer.json"); err != nil || Fingerprint(one) != Fingerprint(tok) {
		t.Errorf("the file alone is another tokenizer: %v", err)
	}
}

func TestGoldenLowerCase(t *testing.T) {
	g := readGolden(t)
	tok := mustRead(t, "testdata/golden/lowercase")
	checkGolden(t, tok, func(i int) []int32 { return g.Texts[i].LowerCase })
	if tok.Name() != "gpt1" || tok.EndOfText() != -1 || len(tok.SpecialTokens()) != 0 {
		t.Errorf("%s: end of text %d, special tokens %v; want gpt1, none", tok.Name(), tok.EndOfText(), tok.SpecialTokens())
	}
	ids, err := tok.Encode("The Clock's 磨")
	if text, err2 := tok.Decode(ids); err != nil || err2 != nil || text != "the clock ' s <unk>" {
		t.Errorf("%q, %v, %v", text, err, err2)
	}
}

func TestGoldenGPT1(t *testing.T) {
	g := readGolden(t)
	tok := mustReadShared(t, "gpt1_vocab")
	if tok.VocabSize() != 40478 || tok.EndOfText() != -1 {
		t.Errorf("%d tokens, end of text %d", tok.VocabSize(), tok.EndOfText())
	}
	checkGolden(t, tok, func(i int) []int32 { return g.Texts[i].GPT1 })
	for name, want := range g.GPT1Files {
		ids, err := tok.Encode(readShared(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sumOf(ids); len(ids) != want.Tokens || got != want.SHA256 {
			t.Errorf("%s: %d ids with SHA-256 %s, want %d with %s", name, len(ids), got, want.Tokens, want.SHA256)
		}
	}
}

// TestGoldenCharacters encodes each character of most scripts within, between and
// at the end of words.
func TestGoldenCharacters(t *testing.T) {
	tok := mustReadShared(t, "gpt1_vocab")
	for _, want := range readGolden(t).GPT1Ranges {
		var all []int32
		for r := want.First; r < want.End; r++ {
			c := string(r)
			ids, err := tok.Encode("ab" + c + "cd " + c + " x" + c)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, ids...)
		}
		if got := sumOf(all); got != want.SHA256 {
			t.Errorf("U+%04X to U+%04X: SHA-256 %s, want %s", want.First, want.End-1, got, want.SHA256)
		}
	}
}

// sumOf is the SHA-256 of ids as little endian int32.
func sumOf(ids []int32) string {
	var b []byte
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	return sumOfBytes(b)
}

func sumOfBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
