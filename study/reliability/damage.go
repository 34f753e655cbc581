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
)

// replacements are put in the place of every value of a JSON or YAML file.
var replacements = []string{"null", `""`, "-1", "1e30", "[]", "{}"}

// Damage replaces every value of a run's JSON and YAML files, one after another: commands
// that read the run or go on with it succeed, or refuse in one line.
func (k Kind) Damage(p *Program, r *Report, _ int, _ uint64) error {
	return k.eachFile(p, func(reference, name string, text []byte) error {
		mutants := mutantsOf(name, text)
		x := r.row("value replaced", k.Name)
		if err := k.damage(p, r, x, reference, name, mutants); err != nil {
			return err
		}
		fmt.Fprintf(r.Log, "%s: %s: %d values replaced\n", k.Name, name, len(mutants))
		return nil
	})
}

// Cut cuts every file of a run off: a small one at every length, a large one at the end of
// each field, and at times lengths besides. Commands that read the run or go on with it
// succeed, or refuse in one line.
func (k Kind) Cut(p *Program, r *Report, times int, _ uint64) error {
	return k.eachFile(p, func(reference, name string, text []byte) error {
		lengths := cuts(name, text, times)
		texts := make([][]byte, len(lengths))
		for i, n := range lengths {
			texts[i] = text[:n]
		}
		x := r.row("file cut off", k.Name)
		before := x.accepted
		if err := k.damage(p, r, x, reference, name, texts); err != nil {
			return err
		}
		fmt.Fprintf(r.Log, "%s: %s of %d bytes: cut off at %d lengths, read nevertheless %d times\n", k.Name, name, len(text), len(lengths), x.accepted-before)
		return nil
	})
}

// unread are the endings of files that no command reads.
var unread = []string{".svg", ".png", ".md"}

// eachFile makes a run and calls do for each of its files that some command reads; of
// several models' folders, for those of the first one.
func (k Kind) eachFile(p *Program, do func(reference, name string, text []byte) error) error {
	reference, _, err := k.reference(p)
	if err != nil {
		return err
	}
	whole := filepath.Join(p.Folder, reference)
	known := map[string]bool{}
	return filepath.WalkDir(whole, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || known[d.Name()] || slices.Contains(unread, filepath.Ext(path)) {
			return err
		}
		known[d.Name()] = true
		name, err := filepath.Rel(whole, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return do(reference, name, text)
	})
}

// damage puts each of the texts in the place of a run's file and reads the run.
func (k Kind) damage(p *Program, r *Report, x *row, reference, name string, texts [][]byte) error {
	dir := strings.Replace(reference, "reference", "damaged", 1)
	whole := filepath.Join(p.Folder, dir)
	for i, text := range texts {
		if err := os.RemoveAll(whole); err != nil {
			return err
		}
		if err := os.CopyFS(whole, os.DirFS(filepath.Join(p.Folder, reference))); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(whole, name), text, 0o666); err != nil {
			return err
		}
		commands := append(slices.Clone(k.Reads), k.Resume)
		line := commands[i%len(commands)]
		if line == "" {
			line = k.Begin
		}
		e, err := p.Run(words(line, dir)...)
		if err != nil {
			return err
		}
		os.RemoveAll(whole + "-export")
		x.times++
		if e.Status == 0 {
			x.accepted++
		}
		if fault := e.Fault(); fault != "" {
			r.wrong(x, "%s number %d: %v: %s", name, i, e, fault)
		} else if lines := strings.Count(lastLines(e.Stderr), "\n"); e.Status == 1 && lines > 9 { // a configuration may have several errors
			r.wrong(x, "%s number %d: %d lines of error: %v", name, i, lines+1, e)
		}
	}
	return os.RemoveAll(whole)
}

// mutantsOf are a run's file with each of its values replaced: of JSON lines, those of each
// line that has a key that no line before it has.
func mutantsOf(name string, text []byte) (list [][]byte) {
	switch filepath.Ext(name) {
	case ".json":
		return jsonMutants(text)
	case ".yaml":
		return yamlMutants(text)
	case ".jsonl":
		known := map[string]bool{}
		end := 0
		for line := range bytes.Lines(text) {
			begin := end
			end += len(line)
			var keys map[string]json.RawMessage
			if json.Unmarshal(line, &keys) != nil {
				continue
			}
			before := len(known)
			for key := range keys {
				known[key] = true
			}
			if len(known) == before {
				continue
			}
			for _, m := range jsonMutants(bytes.TrimSuffix(line, []byte("\n"))) {
				list = append(list, slices.Concat(text[:begin], m, []byte("\n"), text[end:]))
			}
		}
	}
	return list
}

// jsonMutants are a JSON text with each of its values replaced by each of replacements.
func jsonMutants(text []byte) (list [][]byte) {
	var tree any
	if json.Unmarshal(text, &tree) != nil {
		return nil
	}
	// visit calls replace with a function that sets a value, for the value and all in it.
	var visit func(v any, set func(any))
	visit = func(v any, set func(any)) {
		for _, r := range replacements {
			var x any
			json.Unmarshal([]byte(r), &x)
			set(x)
			if m, err := json.Marshal(tree); err == nil {
				list = append(list, m)
			}
		}
		set(v)
		switch v := v.(type) {
		case map[string]any:
			for _, key := range some(slices.Sorted(maps.Keys(v))) {
				visit(v[key], func(x any) { v[key] = x })
			}
		case []any:
			for i := range some(v) {
				visit(v[i], func(x any) { v[i] = x })
			}
		}
	}
	visit(tree, func(x any) { tree = x })
	return list
}

// some are all of a list, or the first ones of a vocabulary and the like, whose members are
// alike.
func some[T any](list []T) []T {
	if len(list) > 40 {
		return list[:3]
	}
	return list
}

// yamlLine is a key of a YAML text of one key in a line, with its value.
var yamlLine = regexp.MustCompile(`(?m)^( *[a-z_0-9]+:)(.*)$`)

// yamlMutants are a YAML text with the value of each of its lines replaced.
func yamlMutants(text []byte) (list [][]byte) {
	for _, at := range yamlLine.FindAllSubmatchIndex(text, -1) {
		for _, r := range replacements {
			list = append(list, fmt.Appendf(nil, "%s %s%s", text[:at[3]], r, text[at[5]:]))
		}
	}
	return list
}
