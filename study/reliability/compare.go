//go:build linux

package reliability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tinygpt/model/safetensors"
)

// Compare returns the differences between the files of two folders of runs, a line for each
// file: in names and in every bit. It leaves out what may differ between runs that were
// trained alike: times, caches of tokens and the folders' own names.
func Compare(reference, dir string) (differences []string) {
	want, got := contents(reference), contents(dir)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[name]; !ok {
			differences = append(differences, name+" is missing")
		} else if d := difference(want[name], got[name]); d != "" {
			differences = append(differences, name+": "+d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			differences = append(differences, name+" is left over")
		}
	}
	return differences
}

// contents returns the files below a folder by their names, without times.
func contents(dir string) map[string][]byte {
	all := map[string][]byte{}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		name, _ := filepath.Rel(dir, path)
		if filepath.Ext(name) == ".tokens" {
			return nil // a cache, which a command that reads the run may have written
		}
		all[name] = timeless(path, dir)
		return nil
	})
	return all
}

// In lines of JSON and in reports: what measures time, and how fast it was.
var (
	times = regexp.MustCompile(`"(elapsed_seconds|tokens_per_second|words_per_second|seconds|time/[a-z_]+)": ?(?:[-+.0-9e]+|\{[^}]*\}),?`)
	clock = regexp.MustCompile(`\b[0-9.]+ ?(ms|s|min|h)\b`)
)

// timeless returns a file's content without times and without the name of the run's folder
// dir; of a file that can't be read, the error.
func timeless(path, dir string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	switch filepath.Ext(path) {
	case ".safetensors":
		return tensors(path)
	case ".jsonl", ".json":
		text = times.ReplaceAll(text, nil)
	case ".md":
		text = clock.ReplaceAll(text, []byte("TIME"))
	}
	return bytes.ReplaceAll(text, []byte(filepath.Base(dir)), []byte("DIR"))
}

// tensors returns a safetensors file's metadata and tensors, without the time that training
// took and checksums.
func tensors(path string) []byte {
	f, err := safetensors.Open(path)
	if err != nil {
		return []byte(err.Error())
	}
	defer f.Close()
	if err := f.Verify(); err != nil {
		return []byte(err.Error())
	}
	meta := maps.Clone(f.Metadata())
	for key := range meta {
		if key == "elapsed" || strings.Contains(key, "sha256") || strings.Contains(key, "crc") {
			delete(meta, key)
		}
	}
	var b bytes.Buffer
	json.NewEncoder(&b).Encode(meta)
	whole, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		fmt.Fprintf(&b, "%s %v\n", name, info.Shape)
	}
	// The data are what follows the header.
	header := 8
	for i := 7; i >= 0; i-- {
		header += int(whole[i]) << (8 * i)
	}
	b.Write(whole[header:])
	return b.Bytes()
}

// difference says where two texts differ.
func difference(want, got []byte) string {
	if bytes.Equal(want, got) {
		return ""
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	part := func(b []byte) string { return fmt.Sprintf("%.60q", b[max(0, min(at, len(b))-20):]) }
	return fmt.Sprintf("differs at byte %d of %d and %d: %s, not %s", at, len(want), len(got), part(got), part(want))
}
