package safetensors

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tinygpt/internal/expect"
)

// parts is a folder with the tensors a and b in one file and c in another.
func parts(t testing.TB) fstest.MapFS {
	t.Helper()
	dir := fstest.MapFS{}
	for name, tensors := range map[string][]Tensor{
		"one.safetensors": {{Name: "a", Shape: []int{2}, Data: []float32{1, 2}}, {Name: "b", Shape: []int{1}, Data: []float32{3}}},
		"two.safetensors": {{Name: "c", Shape: []int{1, 2}, Data: []float32{4, 5}}},
	} {
		text := expect.File(t, write(t, tensors, nil))
		dir[name] = &fstest.MapFile{Data: text}
	}
	return dir
}

func index(dir fstest.MapFS, text string) fstest.MapFS {
	dir["i.json"] = &fstest.MapFile{Data: []byte(text)}
	return dir
}

const goodIndex = `{"metadata": {"total_size": 20, "of": ["x", 1.5]}, "weight_map": {"c": "two.safetensors", "a": "one.safetensors", "b": "one.safetensors"}}`

func TestSet(t *testing.T) {
	for name, want := range map[string][]string{"i.json": {"c", "a", "b"}, "one.safetensors": {"a", "b"}} {
		s, err := OpenSet(index(parts(t), goodIndex), name, Safetensors)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Names(); !slices.Equal(got, want) {
			t.Errorf("%s: names %v", name, got)
		}
		for _, n := range want {
			info, ok := s.Info(n)
			got := make([]float32, info.Len())
			if err := s.Float32(n, got); err != nil || !ok {
				t.Fatal(err)
			}
			if values := map[string][]float32{"a": {1, 2}, "b": {3}, "c": {4, 5}}[n]; !slices.Equal(got, values) {
				t.Errorf("%s is %v", n, got)
			}
			if equal, err := s.Float32Equal(n, got); !equal || err != nil {
				t.Errorf("%s: isn't itself: %v", n, err)
			}
		}
		if _, ok := s.Info("d"); ok {
			t.Error("there is a d")
		}
		_, err = s.Float32Equal("d", nil)
		expect.OneLine(t, err, `no tensor "d" among`)
		expect.OneLine(t, s.Float32("d", nil), `no tensor "d" among`)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSetRefused(t *testing.T) {
	entry := func(file string) string { return fmt.Sprintf(`{"weight_map": {"a": %q}}`, file) }
	expect.Errors(t, map[string]string{
		"":                         "i.json: not JSON",
		"{\"\xff\": 1}":            "i.json: not UTF-8",
		"[]":                       "index is [, expected an object",
		`"\n"`:                     `index is "\n", expected an object`,
		"null":                     "index is null, expected an object",
		"{}":                       "no weight_map",
		`{"weight_map": {}}`:       "no weight_map",
		`{"weight_map": []}`:       "weight_map is [, expected an object",
		`{"weight_map": {"a": 1}}`: `weight_map: "a": found 1, expected a string`,
		`{"weight_map": {"a": "one.safetensors", "a": "two.safetensors"}}`: `"a" occurs twice`,
		entry("three.safetensors"):   `"three.safetensors": no such file, but i.json lists it`,
		entry("two.safetensors"):     `"two.safetensors": no tensor "a" in it, but i.json says so`,
		entry("../one.safetensors"):  `tensor "a" is said to be in "../one.safetensors": expected a file of the same folder`,
		entry("sub/one.safetensors"): "expected a file of the same folder",
		entry("/etc/passwd"):         "expected a file of the same folder",
		entry(`..\one.safetensors`):  "expected a file of the same folder",
		entry("one.bin"):             "expected a file of the same folder",
		entry(""):                    "expected a file of the same folder",
		entry("bad.safetensors"):     "bad.safetensors: 3 bytes are too few",
		entry("folder.safetensors"):  "folder.safetensors: not a regular file",
	}, func(text string) (*Set, error) {
		dir := index(parts(t), text)
		dir["bad.safetensors"] = &fstest.MapFile{Data: []byte("bad")}
		dir["folder.safetensors/x"] = &fstest.MapFile{}
		return OpenSet(dir, "i.json", Safetensors)
	})
	_, err := OpenSet(parts(t), "none.safetensors", Safetensors)
	expect.OneLine(t, err, "none.safetensors")
}

// TestReferenceShards reads a model that transformers split.
func TestReferenceShards(t *testing.T) {
	dir := "../testdata/openai-gpt"
	s, err := OpenSet(os.DirFS(dir), "model.safetensors.index.json", Safetensors)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	files, _ := filepath.Glob(dir + "/*.safetensors")
	if len(s.files) < 3 || len(s.files) != len(files)-1 { // case.safetensors isn't a part
		t.Errorf("%d files are open, there are %v", len(s.files), files)
	}
	if len(s.Names()) != 26 {
		t.Errorf("%d tensors: %v", len(s.Names()), s.Names())
	}
}

// FuzzIndex: an index is read or refused in one line, and all tensors of one that is read exist.
func FuzzIndex(f *testing.F) {
	f.Add(goodIndex)
	f.Add(`{"weight_map": {"a": "two.safetensors"}}`)
	f.Add(`{"weight_map": {"a": "../a"}}`)
	dir := parts(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := OpenSet(index(dir, text), "i.json", Safetensors)
		if err != nil {
			expect.OneLine(t, err, "i.json")
			return
		}
		for _, n := range s.Names() {
			if !strings.Contains("abc", n) {
				t.Errorf("tensor %q", n)
			}
		}
	})
}
