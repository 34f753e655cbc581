package format

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/embedding"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// awkward has words that break parsers: with blanks, blanks alone, numbers, bytes that
// aren't UTF-8, Chinese.
func awkward() *embedding.Vectors {
	v := &embedding.Vectors{Dim: 3, Words: []string{"the", ". . .", "at home@example.org", "3.14", "12 7", " ", "naïve", "王后", "\xff\xfe", "\u00a0"}}
	for i := range v.Words {
		v.Counts = append(v.Counts, int64(100-i))
		v.Matrix = append(v.Matrix, float32(i)+0.1, -1e-30*float32(i), float32(math.Pi)*1e20)
	}
	return v
}

// plain is awkward without what the binary form can't hold.
func plain() *embedding.Vectors {
	all, v := awkward(), &embedding.Vectors{Dim: 3}
	for i, w := range all.Words {
		if !strings.Contains(w, " ") {
			v.Words, v.Counts, v.Matrix = append(v.Words, w), append(v.Counts, all.Counts[i]), append(v.Matrix, all.Row(i)...)
		}
	}
	return v
}

func same(t *testing.T, what string, got, want *embedding.Vectors) {
	t.Helper()
	if got.Dim != want.Dim || !slices.Equal(got.Words, want.Words) || !slices.Equal(got.Matrix, want.Matrix) {
		t.Errorf("%s: %q %v, want %q %v", what, got.Words, got.Matrix, want.Words, want.Matrix)
	}
}

func TestWriteRead(t *testing.T) {
	dir := t.TempDir()
	formats := map[string]Format{
		"a.txt": Text, "a.txt.gz": Text, "A.VEC": Text, "a.vec.gz": Text, "a.glove.txt": GloVe, "a.glove.txt.gz": GloVe,
		"a.bin": Binary, "a.bin.gz": Binary, "a.safetensors": Safetensors,
	}
	for name, format := range formats {
		v := awkward()
		if format == Binary {
			v = plain()
		}
		path := filepath.Join(dir, name)
		if err := Write(path, v); err != nil {
			t.Fatal(err)
		}
		got, notes, err := Read(path, 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, name, got, v)
		if notes.Format != format || notes.Zipped != strings.HasSuffix(name, ".gz") || notes.NotUTF8 != 1 || notes.Duplicates != 0 {
			t.Errorf("%s: %+v", name, notes)
		}
		if format == Safetensors && !slices.Equal(got.Counts, v.Counts) {
			t.Errorf("%s: counts %v", name, got.Counts)
		}
		if got, _, err = Read(path, 2); err != nil {
			t.Errorf("%s, two words: %v", name, err)
		} else {
			same(t, name+", two words", got, v.First(2))
		}
	}
	expect.Folder(t, dir, append(slices.Collect(maps.Keys(formats)), "a.tsv")...)
}

// The files are gensim 4.4.0's: see study/verify/python/check_vectors.py.
func TestReadGensim(t *testing.T) {
	want, _, err := Read("testdata/gensim.bin", 0)
	if err != nil {
		t.Fatal(err)
	}
	if words := []string{"the", "naïve", "王", "king", "queen", "new_york", "3.14"}; want.Dim != 5 || !slices.Equal(want.Words, words) {
		t.Fatalf("%d numbers, words %q", want.Dim, want.Words)
	}
	for name, format := range map[string]Format{"gensim.txt": Text, "gensim.glove.txt": GloVe} {
		got, notes, err := Read("testdata/"+name, 0)
		if err != nil || notes.Format != format {
			t.Fatalf("%s: %v, %v", name, notes, err)
		}
		same(t, name, got, want)
	}
}

// binaryFile is a file in word2vec's binary form, with after following each vector.
func binaryFile(header, after string, words []string, values ...float32) string {
	var b bytes.Buffer
	b.WriteString(header)
	for i, w := range words {
		b.WriteString(w + " ")
		n := len(values) / len(words)
		binary.Write(&b, binary.LittleEndian, values[i*n:(i+1)*n])
		b.WriteString(after)
	}
	return b.String()
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func parse(text string) (*embedding.Vectors, Notes, error) {
	return Parse(strings.NewReader(text), int64(len(text)), 0)
}

func TestParse(t *testing.T) {
	want := &embedding.Vectors{Dim: 2, Words: []string{"a", "b c", "d"}, Matrix: []float32{1, 2, 3, 4, 5, 6}}
	for what, text := range map[string]string{
		"word2vec":                        "3 2\na 1 2\nb c 3 4\nd 5 6\n",
		"fastText, blanks at ends":        "3 2\na 1 2 \nb c 3 4 \nd 5 6 \n",
		"GloVe":                           "a 1 2\nb c 3 4\nd 5 6\n",
		"no last line end":                "a 1 2\nb c 3 4\nd 5 6",
		"Windows":                         "\ufeff3 2\r\na 1 2\r\nb c 3 4\r\nd 5 6\r\n\r\n",
		"tabs":                            "3\t2\na\t1\t2\nb c\t3 4\nd\t5\t6\n",
		"gzip":                            zipped("3 2\na 1e0 +2\nb c 3 4\nd 5 6\n"),
		"two words in a GloVe first line": "a 1 2\nb c 3 4\nd 5 6\n",
		"a word twice":                    "4 2\na 1 2\nb c 3 4\na 9 9\nd 5 6\n",
	} {
		got, notes, err := parse(text)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		same(t, what, got, want)
		if twice := what == "a word twice"; twice != (notes.Duplicates == 1 && notes.Duplicate == "a") {
			t.Errorf("%s: %+v", what, notes)
		}
	}
	want.Words[1] = "b"
	for what, text := range map[string]string{
		"word2vec.c":   binaryFile("3 2\n", "\n", []string{"a", "b", "d"}, want.Matrix...),
		"gensim":       binaryFile("3 2\n", "", []string{"a", "b", "d"}, want.Matrix...),
		"a word twice": binaryFile("4 2\n", "", []string{"a", "b", "b", "d"}, 1, 2, 3, 4, 7, 8, 5, 6),
	} {
		got, _, err := parse(text)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		same(t, what, got, want)
	}
}

func TestParseErrors(t *testing.T) {
	nan := float32(math.NaN())
	long := zipped("3 2\n" + strings.Repeat("word 1 2\n", 1))
	expect.Errors(t, map[string]string{
		"":                             "the file is empty",
		"once upon a time\n":           "line 1 is neither",
		"3 2\na 1 2\nb 3 4\n":          "line 1 says 3 words, but the file ends after 2: it is truncated",
		"2 2\na 1 2\nb 3\n":            `line 3 has 1 numbers after its word: expected 2; found "b 3"`,
		"2 2\na 1 2\nb 3 x\n":          `line 3, number 2 of 2 is "x": expected a finite number; the line begins "b 3 x"`,
		"2 2\na 1 2\nb nan 4\n":        `line 3, number 1 of 2 is "nan"`,
		"a 1 2\nb 3 1e99\nc 5 6\n":     `line 2, number 2 of 2 is "1e99"`,
		"1 2\na 1 2\nb 3 4\n":          `line 3: line 1 says 1 words, but here is another: "b 3 4"`,
		"2 2\na 1 2\n\nb 3 4\n":        "line 3 is empty",
		"1 200000\na 1\n":              "expected at most 131072 numbers",
		"1000000000000 100\na 1 2\n":   "it is truncated",
		long:                           "line 1 says 3 words, but the file ends after 1: it is truncated",
		zipped("2 1\na 1\nb 1\n")[:20]: "truncated",
		"\x1f\x8bnot gzip at all":      "damaged gzip data",
		binaryFile("3 2\n", "\n", []string{"a", "b"}, 1, 2, 3, 4):          "it is truncated",
		binaryFile("2 2\n", "\n", []string{"a", "b"}, 1, 2, 3, 4)[:20]:     "it is truncated",
		binaryFile("1 2\n", "\n", []string{"a", "b"}, 1, 2, 3, 4):          "byte 14: line 1 says 1 words of 2 numbers, but there is more after them",
		binaryFile("2 2\n", "\n", []string{"a", "b"}, 1, 2, 3, nan):        `byte 21: number 2 of word 2, "b", is NaN`,
		binaryFile("1 1\n", strings.Repeat("x", 1<<17), []string{""}, 1e9): "there is more after them",
	}, func(text string) (*embedding.Vectors, error) {
		v, _, err := parse(text)
		return v, err
	})
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"a.csv": "expected .safetensors, .bin", "a.safetensors.gz": "expected .safetensors, .bin", "a.bin": "has a blank",
	} {
		expect.Error(t, Write(filepath.Join(dir, name), awkward()), want)
	}
	v := &embedding.Vectors{Dim: 1, Words: []string{"a\nb"}, Matrix: []float32{1}}
	for _, name := range []string{"a.txt", "a.bin", "a.safetensors"} {
		if err := Write(filepath.Join(dir, name), v); err == nil {
			t.Errorf("%s: a word with a line end is written", name)
		}
	}
	v.Matrix[0] = float32(math.Inf(1))
	expect.Error(t, Write(filepath.Join(dir, "a.txt"), v), "is +Inf")
	expect.Folder(t, dir)
}

func TestSafetensorsWords(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "v.safetensors")
	v := awkward()
	v.Counts = nil
	v.Words[1] = "tab\t7"
	if err := Write(path, v); err != nil {
		t.Fatal(err)
	}
	got, _, err := Read(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "without counts", got, v)
	if got.Counts != nil {
		t.Errorf("counts %v", got.Counts)
	}
	fixture.Write(t, WordsFile(path), "the\n")
	_, _, err = Read(path, 0)
	expect.Error(t, err, "not the words that the vectors were written with")
	fixture.Remove(t, WordsFile(path))
	_, _, err = Read(path, 0)
	expect.Error(t, err, "one a line")
	_, _, err = Read(dir, 0)
	expect.Error(t, err, ": a folder, expected a regular file")
}

// What is parsed can be written, and reads back the same, in the formats that can hold it.
func FuzzParse(f *testing.F) {
	f.Add([]byte("3 2\na 1 2\nb c 3 4\nd 5 6\n"), 0)
	f.Add([]byte("a 1 2\nb c 3 4\nd 5 6"), 2)
	f.Add([]byte(binaryFile("2 2\n", "\n", []string{"a", "b"}, 1, 2, 3, 4)), 0)
	f.Add([]byte(binaryFile("2 2\n", "", []string{"a", "b"}, 1, 2, 3, 4)), 1)
	f.Add([]byte(zipped("1 1\na 1\n")), 0)
	f.Add([]byte("999999999999 131072\n"), 0)
	f.Fuzz(func(t *testing.T, text []byte, limit int) {
		limit = max(limit, 0)
		v, _, err := Parse(bytes.NewReader(text), int64(len(text)), limit)
		if err != nil {
			return
		}
		if err := v.Check(); err != nil {
			t.Fatalf("parsed, but %v", err)
		}
		if limit > 0 && len(v.Words) > limit {
			t.Fatalf("%d words, limit %d", len(v.Words), limit)
		}
		dir := t.TempDir()
		for _, name := range []string{"a.txt", "a.bin", "a.safetensors"} {
			path := filepath.Join(dir, name)
			if err := Write(path, v); err != nil {
				continue // a word that the format can't hold
			}
			// Floats whose bytes are digits are text as well.
			if written := expect.File(t, path); name == "a.bin" && isText(written[bytes.IndexByte(written, '\n')+1:], v.Dim) {
				continue
			}
			got, _, err := Read(path, 0)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if fmt.Sprintf("%q %v", got.Words, got.Matrix) != fmt.Sprintf("%q %v", v.Words, v.Matrix) {
				t.Fatalf("%s: %q %v, want %q %v", name, got.Words, got.Matrix, v.Words, v.Matrix)
			}
		}
	})
}

func FuzzWords(f *testing.F) {
	f.Add([]byte("a\t1\nb\t2\n"), true)
	f.Add([]byte("a\nb\n"), false)
	f.Fuzz(func(t *testing.T, text []byte, counted bool) {
		path := fixture.File(t, "v.tsv", text)
		v := &embedding.Vectors{Dim: 1}
		if err := readWords(path, map[string]string{wordsCounted: fmt.Sprint(counted)}, v, 2); err == nil && len(v.Words) != 2 {
			t.Errorf("%d words", len(v.Words))
		}
	})
}

// A small gzip file that becomes a large one is refused before it is unpacked.
func TestGzipBomb(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	row := bytes.Repeat([]byte("0 "), 1<<19)
	for range 256 {
		z.Write(row)
	}
	z.Close()
	_, _, err := Parse(&b, 0, 0)
	if err == nil || !strings.Contains(err.Error(), "of gzip have become") && !strings.Contains(err.Error(), "longer") {
		t.Error(err)
	}
	var rows bytes.Buffer
	z = gzip.NewWriter(&rows)
	for range 1 << 22 {
		z.Write([]byte("a 0 0 0 0\n"))
	}
	z.Close()
	_, _, err = Parse(&rows, 0, 0)
	expect.Error(t, err, "of gzip have become")
}
