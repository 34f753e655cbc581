package data

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	gounicode "unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
	"github.com/wlynxg/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"tinygpt/internal/suggest"
	"tinygpt/internal/userfile"
)

// CheckEncoding says what is wrong with the name of an encoding: it is one of the
// WHATWG's Encoding Standard (encoding.spec.whatwg.org, section 4.2) or of IANA's
// registry, or "" for UTF-8.
func CheckEncoding(name string) error {
	_, err := encodingOf(name)
	return err
}

// usualEncodings are examples for messages; all names of WHATWG and IANA are known.
var usualEncodings = []string{"utf-8", "utf-16", "gb18030", "gbk", "big5", "shift_jis", "euc-jp", "euc-kr", "windows-1252", "latin1", "koi8-r"}

func encodingOf(name string) (encoding.Encoding, error) {
	if name == "" || strings.EqualFold(name, "utf-8") || strings.EqualFold(name, "utf8") {
		return nil, nil
	}
	if e, err := htmlindex.Get(name); err == nil {
		return e, nil
	}
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("encoding %q: expected a name like %s%s", name, strings.Join(usualEncodings, ", "), suggest.DidYouMean(name, usualEncodings...))
}

// decode makes UTF-8 of a file's bytes, which are in the encoding of that name.
func decode(file string, raw []byte, name string) (string, error) {
	if err := checkKind(file, raw); err != nil {
		return "", err
	}
	e, err := encodingOf(name)
	if err != nil {
		return "", err
	}
	text := raw
	if e != nil {
		// A byte order mark says more than the name.
		if text, _, err = transform.Bytes(unicode.BOMOverride(e.NewDecoder()), raw); err != nil {
			return "", fmt.Errorf("%s: not %s: %w", file, name, err)
		}
		if at := bytes.IndexRune(text, utf8.RuneError); at >= 0 {
			return "", otherEncoding(file, LineAt(text, at), name)
		}
	} else if err := checkUTF8(file, text); err != nil {
		return "", err
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return "", nul(file, LineAt(text, at), at)
	}
	return string(text), nil
}

// otherEncoding is the error about a file that isn't in the encoding of that name.
func otherEncoding(file string, line int, name string) error {
	return fmt.Errorf("%s:%d: bytes that aren't %s: name the encoding that the file has with --encoding", file, line, name)
}

// nul is the error about a NUL character.
func nul(file string, line, at int) error {
	return fmt.Errorf("%s:%d: a NUL character at offset %d: the file isn't text; remove it, or name only files of text", file, line, at)
}

// LineAt is the number of the line with that offset.
func LineAt(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }

// kinds says, by media type, what files are that aren't text, and how to get text out
// of them.
var kinds = map[string]string{
	"application/zip":                         "a zip archive: unpack it",
	"application/gzip":                        "packed by gzip: give its name the ending .gz",
	"application/x-bzip2":                     "packed by bzip2: unpack it with bunzip2",
	"application/x-xz":                        "packed by xz: unpack it with unxz",
	"application/zstd":                        "packed by zstd: unpack it with unzstd",
	"application/x-7z-compressed":             "a 7z archive: unpack it",
	"application/x-rar-compressed":            "a rar archive: unpack it",
	"application/x-tar":                       "a tar archive: unpack it",
	"application/pdf":                         "a PDF document: save its text, for example with pdftotext",
	"text/rtf":                                "an RTF document: save it as plain text",
	"application/x-ole-storage":               "a document of Microsoft Office: save it as plain text",
	"application/msword":                      "a Word document: save it as plain text",
	"application/vnd.ms-excel":                "an Excel sheet: save it as text with tabs or commas",
	"application/epub+zip":                    "an e-book (EPUB): save it as plain text",
	"application/vnd.apache.parquet":          "a Parquet table: write its column of text to a file",
	"application/vnd.sqlite3":                 "an SQLite data base: write its text to a file",
	"application/octet-stream":                "", // anything
	"application/vnd.oasis.opendocument.text": "an OpenDocument text: save it as plain text",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   "a Word document: save it as plain text",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         "an Excel sheet: save it as text with tabs or commas",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": "a PowerPoint document: save it as plain text",
}

// checkKind refuses archives, office documents, pictures and the like by how they begin.
func checkKind(file string, raw []byte) error {
	if userfile.UTF16(raw) {
		return nil
	}
	kind := mimetype.Detect(raw)
	for k := kind; k != nil; k = k.Parent() {
		if what := kinds[k.String()]; what != "" {
			return fmt.Errorf("%s: not text but %s", file, what)
		}
	}
	switch group, _, _ := strings.Cut(kind.String(), "/"); group {
	case "image", "audio", "video", "font":
		if !utf8.Valid(raw) { // SVG is text
			return fmt.Errorf("%s: not text but %s: name only files of text", file, kind)
		}
	}
	return nil
}

// checkUTF8 names the first byte of a text that isn't UTF-8, and how to read it.
func checkUTF8(file string, text []byte) error {
	if bytes.HasPrefix(text, []byte("\xff\xfe\x00\x00")) || bytes.HasPrefix(text, []byte("\x00\x00\xfe\xff")) {
		return fmt.Errorf("%s: the file is UTF-32, expected UTF-8: make UTF-8 of it with iconv -f UTF-32 -t UTF-8", file)
	}
	if userfile.UTF16(text) {
		return fmt.Errorf("%s: the file is UTF-16, expected UTF-8: read it with --encoding utf-16", file)
	}
	if likely := nulls(text); likely != "" {
		return fmt.Errorf("%s: the file looks like %s, expected UTF-8: read it with --encoding %s", file, strings.ToUpper(likely), likely)
	}
	at := FirstInvalid(text)
	if at < 0 {
		return nil
	}
	line := LineAt(text, at)
	if i := bytes.IndexAny(text[max(0, at-1<<12):min(len(text), at+1<<12)], "\x00\x01\x02\x03\x04\x05\x06"); i >= 0 && eastAsian(text[:min(len(text), 1<<12)]) == "" {
		return fmt.Errorf("%s:%d: byte %#x at offset %d is not UTF-8, and near it is byte %#x, which no text has: name only files of text", file, line, text[at], at, text[max(0, at-1<<12)+i])
	}
	if surrogate(text[at:]) {
		return fmt.Errorf("%s:%d: byte %#x at offset %d begins half of a character: this is CESU-8, which Java and data bases write for UTF-8; save the text as UTF-8", file, line, text[at], at)
	}
	if !utf8.FullRune(text[at:]) && at > 0 {
		return fmt.Errorf("%s:%d: the file ends at offset %d in the middle of a UTF-8 character: it was cut off, or %s", file, line, at, guess(text, at))
	}
	return fmt.Errorf("%s:%d: byte %#x at offset %d is not UTF-8: %s", file, line, text[at], at, guess(text, at))
}

// surrogate says whether a text begins with half of a pair of UTF-16, or with NUL, each
// written as if it were a character of UTF-8: CESU-8 and Java's own form of UTF-8.
func surrogate(text []byte) bool {
	return len(text) > 2 && text[0] == 0xed && text[1] >= 0xa0 && text[1] <= 0xbf && text[2] >= 0x80 && text[2] <= 0xbf ||
		bytes.HasPrefix(text, []byte("\xc0\x80"))
}

// FirstInvalid is the offset of the first byte that isn't UTF-8; -1 if there is none.
func FirstInvalid(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for at := 0; ; {
		r, n := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && n <= 1 {
			return at
		}
		at += n
	}
}

// nulls recognises UTF-16 without a byte order mark by its many NUL bytes at even or
// odd offsets, and names it; "" if it isn't that.
func nulls(text []byte) string {
	text = text[:min(len(text), 4096)]
	var at [2]int
	for i, b := range text {
		if b == 0 {
			at[i%2]++
		}
	}
	switch half := len(text) / 2; {
	case half >= 4 && at[1] > half/2 && at[0] <= half/16:
		return "utf-16le"
	case half >= 4 && at[0] > half/2 && at[1] <= half/16:
		return "utf-16be"
	}
	return ""
}

// supersets are encodings that contain the one detected, under the names that Load
// takes; texts that are said to be in the smaller one often use more.
var supersets = map[string]string{
	"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "windows-1252", "ascii": "windows-1252", "johab": "euc-kr", "cp949": "euc-kr",
}

// latin1 is a text in ISO 8859-1 as UTF-8.
func latin1(text []byte) []byte {
	r := make([]rune, len(text))
	for i, b := range text {
		r[i] = rune(b)
	}
	return []byte(string(r))
}

// eastAsian names the encoding in which nearly all of a text is Chinese, Japanese or
// Korean; "" if there is none among those that it tries. The text begins with a whole
// character.
func eastAsian(text []byte) string {
	for _, name := range []string{"utf-16le", "utf-16be", "shift_jis"} {
		e, err := encodingOf(name)
		if err != nil {
			continue
		}
		decoded, _, err := transform.Bytes(e.NewDecoder(), text)
		if err != nil && !errors.Is(err, transform.ErrShortSrc) {
			continue
		}
		all, east, kana := 0, 0, 0
		for _, r := range string(decoded) {
			all++
			switch {
			case gounicode.In(r, gounicode.Hiragana, gounicode.Katakana):
				kana++
				east++
			case gounicode.In(r, gounicode.Han, gounicode.Hangul), r >= 0x3000 && r < 0x3040, r >= 0xff00 && r < 0xffef, r >= ' ' && r < 0x7f, r == '\n', r == '\r':
				east++
			}
		}
		// Shift JIS reads nearly anything as Han; Japanese has kana.
		if all >= 4 && 20*east >= 19*all && (name != "shift_jis" || 10*kana >= all) {
			return name
		}
	}
	return ""
}

// guess says which encoding a text likely has, and how it would read from an offset on.
func guess(text []byte, at int) string {
	// Only what is around the first invalid bytes is looked at: the rest may be large,
	// and English.
	from := max(0, at-1<<12)
	sample := text[from:min(len(text), at+1<<16)]
	likely := chardet.Detect(sample)
	name := strings.ToLower(likely.Charset)
	if name == "" {
		name = eastAsian(text[from-from%2 : min(len(text), at+1<<16)])
	}
	// The many sets of 256 characters hardly differ for a few accents; the Turkish ones
	// are Western European but for six letters.
	unsure := likely.Confidence < 0.7 && (strings.HasPrefix(name, "iso-8859-") || strings.HasPrefix(name, "windows-"))
	turkish := name == "iso-8859-9" || name == "windows-1254"
	if unsure || turkish && !bytes.ContainsAny(latin1(sample), "ÐÝÞðýþ") {
		name = "windows-1252"
	}
	if larger, ok := supersets[name]; ok {
		name = larger
	}
	e, err := encodingOf(name)
	if err != nil || e == nil || name == "" {
		return "say which encoding it has with --encoding NAME (windows-1252 is the Western European one), if it is text at all"
	}
	begin := at
	for begin > max(0, at-12) && text[begin-1] != '\n' && text[begin-1] < utf8.RuneSelf {
		begin--
	}
	shown, _, err := transform.Bytes(e.NewDecoder(), text[begin:min(len(text), begin+64)])
	if err != nil && !errors.Is(err, transform.ErrShortSrc) {
		shown = nil
	}
	line, _, _ := strings.Cut(string(shown), "\n")
	r := []rune(strings.TrimSpace(line))
	return fmt.Sprintf("if it is %s, which reads %q, add --encoding %s", name, string(r[:min(len(r), 24)]), name)
}
