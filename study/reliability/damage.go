//go:build linux

package reliability

import (
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

// Damage cuts every file of a run off at places from its first byte to its last, and
// replaces every value of its JSON and YAML files, one after another: commands that read
// the run or go on with it succeed, or refuse in one line. times is how often each file is
// cut off.
func (k Kind) Damage(p *Program, r *Report, times int, _ uint64) error {
	reference, _, err := k.reference(p)
	if err != nil {
		return err
	}
	whole := filepath.Join(p.Folder, reference)
	var names []string
	known := map[string]bool{} // of several models' folders, the first one is damaged
	if err := filepath.WalkDir(whole, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !known[d.Name()] && !slices.Contains([]string{".svg", ".png", ".txt", ".md"}, filepath.Ext(path)) {
			name, _ := filepath.Rel(whole, path)
			names, known[d.Name()] = append(names, name), true
		}
		return err
	}); err != nil {
		return err
	}
	dir := strings.Replace(reference, "reference", "damaged", 1)
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(whole, name))
		if err != nil {
			return err
		}
		var cuts [][]byte
		for i := range times {
			cuts = append(cuts, text[:len(text)*i/times])
		}
		if err := k.damage(p, r, r.row("file cut off", k.Name), reference, dir, name, cuts); err != nil {
			return err
		}
		var mutants [][]byte
		switch filepath.Ext(name) {
		case ".json":
			mutants = jsonMutants(text)
		case ".yaml":
			mutants = yamlMutants(text)
		case ".jsonl":
			line, rest, _ := strings.Cut(string(text), "\n")
			for _, m := range jsonMutants([]byte(line)) {
				mutants = append(mutants, append(m, "\n"+rest...))
			}
		}
		if err := k.damage(p, r, r.row("value replaced", k.Name), reference, dir, name, mutants); err != nil {
			return err
		}
		fmt.Fprintf(r.Log, "%s: %s: cut off %d times, %d values replaced\n", k.Name, name, len(cuts), len(mutants))
	}
	return os.RemoveAll(filepath.Join(p.Folder, dir))
}

// damage puts each of the texts in the place of a run's file and reads the run.
func (k Kind) damage(p *Program, r *Report, x *row, reference, dir, name string, texts [][]byte) error {
	for i, text := range texts {
		whole := filepath.Join(p.Folder, dir)
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
		if fault := e.Fault(); fault != "" {
			r.wrong(x, "%s number %d: %v: %s", name, i, e, fault)
		} else if lines := strings.Count(lastLines(e.Stderr), "\n"); e.Status == 1 && lines > 9 { // a configuration may have several errors
			r.wrong(x, "%s number %d: %d lines of error: %v", name, i, lines+1, e)
		}
	}
	return nil
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
