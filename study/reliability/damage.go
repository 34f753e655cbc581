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

// replacements are the values that every value of a JSON or YAML file is replaced by.
var replacements = []string{"null", `""`, "-1", "1e30", "[]", "{}"}

// Damage replaces every value of a run's JSON and YAML files, one at a time, and checks that
// a command that reads the run or goes on with it succeeds or refuses in one line.
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

// Cut cuts off every file of a run, a small one at every length, a large one at the end of
// each field and at further lengths, as many as times says. It checks that a command that
// reads the run or goes on with it succeeds or refuses in one line.
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

// unread are the endings of the names of files that no command reads.
var unread = []string{".svg", ".png", ".md", "answers.txt"}

// eachFile makes a run and calls do for each of its files that some command reads. Of files
// with the same name, as in the folders of several models, it takes the first.
func (k Kind) eachFile(p *Program, do func(reference, name string, text []byte) error) error {
	reference, _, err := k.reference(p)
	if err != nil {
		return err
	}
	whole := filepath.Join(p.Folder, reference)
	isUnread := func(path string) bool {
		return slices.ContainsFunc(unread, func(ending string) bool { return strings.HasSuffix(path, ending) })
	}
	known := map[string]bool{}
	return filepath.WalkDir(whole, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || known[d.Name()] || isUnread(path) {
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

// damage puts each of the texts in place of a run's file and reads the run.
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

// mutantsOf returns copies of a run's file, each with one of its values replaced. Of JSON
// lines it replaces the values of each line with a key that no line before it has.
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

// jsonMutants returns copies of a JSON text, each with one of its values replaced by one of
// replacements.
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

// some returns a list, or the first three elements of a long one, such as a vocabulary, whose
// elements are alike.
func some[T any](list []T) []T {
	if len(list) > 40 {
		return list[:3]
	}
	return list
}

// yamlLine is a key of a YAML text of one key in a line, with its value.
var yamlLine = regexp.MustCompile(`(?m)^( *[a-z_0-9]+:)(.*)$`)

// yamlMutants returns copies of a YAML text, each with the value of one line replaced by one of
// replacements.
func yamlMutants(text []byte) (list [][]byte) {
	for _, at := range yamlLine.FindAllSubmatchIndex(text, -1) {
		for _, r := range replacements {
			list = append(list, fmt.Appendf(nil, "%s %s%s", text[:at[3]], r, text[at[5]:]))
		}
	}
	return list
}
