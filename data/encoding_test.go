package data

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

const (
	chinese  = "第一回，甄士隐梦幻识通灵，贾雨村风尘怀闺秀。此开卷第一回也。作者自云曾历过一番梦幻之后，故将真事隐去。"
	russian  = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему."
	japans   = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で泣いていた事だけは記憶している。"
	european = "Les élèves étaient à l'école, où le maître leur apprît à lire: ça va très bien."
)

// TestEncodings: a text in an encoding is refused with that encoding's name, and read
// with it.
func TestEncodings(t *testing.T) {
	for _, c := range []struct {
		name string
		e    encoding.Encoding
		text string
	}{
		{"gb18030", simplifiedchinese.GB18030, chinese},
		{"gb18030", simplifiedchinese.GBK, chinese},
		{"windows-1251", charmap.Windows1251, russian},
		{"koi8-r", charmap.KOI8R, russian},
		{"shift_jis", japanese.ShiftJIS, japans},
		{"euc-jp", japanese.EUCJP, japans},
		{"windows-1252", charmap.ISO8859_1, european},
		{"utf-16", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), european},
		{"utf-16", unicode.UTF16(unicode.BigEndian, unicode.UseBOM), chinese},
		{"utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), european},
		{"utf-16be", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), european},
	} {
		text := "Plain English first.\r\n" + c.text + "\n"
		raw, err := c.e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = clean("a.txt", []byte(raw), Options{})
		expect.OneLine(t, err, "--encoding "+c.name)
		got, err := clean("a.txt", []byte(raw), Options{Encoding: c.name})
		if want := strings.ReplaceAll(text, "\r\n", "\n"); err != nil || got != want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	expect.Error(t, CheckEncoding("latin-9000"), `encoding "latin-9000": expected a name like`)
	for _, name := range []string{"", "utf-8", "UTF-8", "latin1", "GBK", "cp437"} {
		if err := CheckEncoding(name); err != nil {
			t.Error(err)
		}
	}
}

// TestWrongEncoding: bytes that an encoding doesn't have aren't read as anything.
func TestWrongEncoding(t *testing.T) {
	raw := []byte("one\n\x81\x30\xff two")
	if text, err := clean("a.txt", raw, Options{Encoding: "gb18030"}); err == nil || !strings.Contains(err.Error(), "a.txt:2: bytes that aren't gb18030") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestNotText: files of other kinds are named.
func TestNotText(t *testing.T) {
	var archive, word, packed bytes.Buffer
	z := zip.NewWriter(&archive)
	f, _ := z.Create("a.txt")
	f.Write([]byte("text"))
	z.Close()
	z = zip.NewWriter(&word)
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "word/document.xml"} {
		f, _ = z.Create(name)
		f.Write([]byte("<xml/>"))
	}
	z.Close()
	g := gzip.NewWriter(&packed)
	g.Write([]byte("text"))
	g.Close()
	for raw, want := range map[string]string{
		archive.String():                   "not text but a zip archive: unpack it",
		word.String():                      "not text but a Word document",
		packed.String():                    "packed by gzip",
		"%PDF-1.7\n%\xe2\xe3":              "a PDF document",
		"{\\rtf1\\ansi text}":              "an RTF document",
		"\x89PNG\r\n\x1a\n\x00\x00":        "not text but image/png",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "Microsoft Office",
		"SQLite format 3\x00":              "an SQLite data base",
		"text\nwith\x00a NUL":              "a.txt:2: a NUL character at offset 9",
	} {
		_, err := clean("a.txt", []byte(raw), Options{})
		expect.Error(t, err, want)
		_, err = clean("a.txt", []byte(raw), Options{Encoding: "windows-1252"})
		expect.Error(t, err, want)
	}
	for _, fine := range []string{"<svg xmlns='http://www.w3.org/2000/svg'/>", "<html><body>x</body></html>", "#!/bin/sh\nls", "%!PS", "BM of W", "GIF", "{\"a\": 1}", "PK"} {
		if _, err := clean("a.txt", []byte(fine), Options{}); err != nil {
			t.Error(err)
		}
	}
}

// FuzzDecode: whatever the bytes, what is read is UTF-8 without NUL.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbftext"), "gb18030")
	f.Add([]byte("\xff\xfet\x00"), "utf-16")
	f.Add([]byte("caf\xe9"), "")
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		if CheckEncoding(name) != nil {
			return
		}
		text, err := clean("f", raw, Options{Encoding: name})
		if err == nil && (strings.ToValidUTF8(text, "") != text || strings.Contains(text, "\x00")) {
			t.Errorf("%q in %s is read as %q", raw, name, text)
		}
	})
}

// TestNoEncoding: bytes that aren't UTF-8 get no advice that would make nonsense of them.
func TestNoEncoding(t *testing.T) {
	expect.Errors(t, map[string]string{
		"\x80\x04\x95xx pickled":         "a.txt:1: byte 0x80 at offset 0 is not UTF-8, and near it is byte 0x4, which no text has",
		"MZ\x90\x00\x03":                 "and near it is byte 0x0",
		"a\n \xed\xa0\xbd\xed\xb8\x80 b": "a.txt:2: byte 0xed at offset 3 begins half of a character: this is CESU-8",
		"a\xc0\x80b":                     "begins half of a character",
	}, func(raw string) (any, error) {
		text, err := clean("a.txt", []byte(raw), Options{})
		return text, err
	})
}

// TestSeparators: <|endoftext|> ends a document wherever it is.
func TestSeparators(t *testing.T) {
	for text, want := range map[string]struct {
		docs   string // with | between them
		inline int
	}{
		"a\n<|endoftext|>\nb":                   {"a|b", 0},
		"a\n<|endoftext|> \nb":                  {"a|b", 0},
		"a\n\t<|endoftext|>\nb\n":               {"a|b\n", 0},
		"a<|endoftext|>\nb":                     {"a|b", 1},
		"a\n<|endoftext|>b":                     {"a|b", 1},
		"a <|endoftext|> b":                     {"a | b", 1},
		"<|endoftext|>a<|endoftext|>":           {"a", 2},
		"a\n\n<|endoftext|>\n\nb":               {"a\n|\nb", 0},
		"a\n<|endoftext|>\n<|endoftext|>\nb":    {"a|b", 0},
		"a <|end|>":                             {"a <|end|>", 0},
		"a\n<|endoftext|>":                      {"a", 0},
		"a\n  <|endoftext|><|endoftext|>  \n b": {"a| b", 0},
	} {
		docs, inline := divide("f", text)
		var texts []string
		for _, d := range docs {
			texts = append(texts, d.Text)
		}
		if got := strings.Join(texts, "|"); got != want.docs {
			t.Errorf("%q: %q, want %q", text, got, want.docs)
		}
		if want.inline != inline {
			t.Errorf("%q: %d within lines, want %d", text, inline, want.inline)
		}
	}
	dir := fixture.Files(t, map[string]string{"a.txt": "a<|endoftext|>b"})
	if _, r := load(t, dir, "a.txt"); !strings.HasSuffix(r.String(), "1 <|endoftext|> within a line of text: each ended a document") {
		t.Error(r)
	}
	// What ends documents elsewhere is text, which is said.
	dir = fixture.Files(t, map[string]string{"a.txt": "a\n</s>\nb\r\n<|ENDOFTEXT|> \r\nc\n</s>\nd </s>\n<|endoftext|>\n<b>\n[note]\n"})
	if _, r := load(t, dir, "a.txt"); !slices.Equal(r.Notes(), []string{
		"2 lines of </s> taken for text: what ends a document is a line of <|endoftext|>",
		"1 line of <|ENDOFTEXT|> taken for text: what ends a document is a line of <|endoftext|>",
	}) {
		t.Error(r)
	}
}

// TestEastAsian: encodings that a detector doesn't know from two short lines.
func TestEastAsian(t *testing.T) {
	for _, c := range []struct {
		e          encoding.Encoding
		text, want string
	}{
		{unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "从前有一只小猫，\n它住在森林里。\n", "add --encoding utf-16le"},
		{unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "从前有一只小猫，\n它住在森林里。\n", "add --encoding utf-16be"},
		{japanese.ShiftJIS, "それは猫です。\n", "add --encoding shift_jis"},
		{encoding.Nop, "\xff\xfe\x00\x00a\x00\x00\x00", "iconv -f UTF-32 -t UTF-8"},
	} {
		raw, err := c.e.NewEncoder().String(c.text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = clean("a.txt", []byte(raw), Options{})
		expect.OneLine(t, err, c.want)
	}
}
