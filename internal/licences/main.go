// Command licences writes a table of the modules that the project's programs are built of,
// with their versions and licences: docs/licences.md.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// marks are words of licences' texts that tell them apart, the longer texts first.
var marks = []struct{ name, text string }{
	{"Apache-2.0", "Apache License"},
	{"MPL-2.0", "Mozilla Public License"},
	{"GPL", "GNU GENERAL PUBLIC LICENSE"},
	{"LGPL", "GNU LESSER GENERAL PUBLIC LICENSE"},
	{"BSD-3-Clause", "Neither the name"},
	{"BSD-3-Clause", "may not be used to endorse"},
	{"BSD-2-Clause", "Redistributions in binary form"},
	{"MIT", "Permission is hereby granted, free of charge"},
	{"ISC", "Permission to use, copy, modify, and"},
	{"OFL-1.1", "SIL OPEN FONT LICENSE"},
	{"CC-BY-4.0", "Creative Commons Attribution 4.0"},
	{"CC-BY-3.0", "Creative Commons Attribution 3.0"},
	{"FTL or GPL-2.0-or-later", "FreeType License"},
	{"Unlicense", "released into the public domain"},
}

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func write() error {
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", "./cmd/...")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	fmt.Println("# Licences\n\nThe modules that the programs are built of; `go run ./internal/licences > docs/licences.md` writes this table.\n\n| module | version | licence |\n|---|---|---|")
	for _, line := range slices.Compact(lines) {
		words := strings.Fields(line)
		if len(words) < 3 {
			continue
		}
		name, err := licence(strings.Join(words[2:], " "))
		if err != nil {
			return fmt.Errorf("%s: %w", words[0], err)
		}
		fmt.Printf("| %s | %s | %s |\n", words[0], words[1], name)
	}
	return nil
}

// licence finds the licence in a module's folder.
func licence(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(upper, "LICEN") && !strings.HasPrefix(upper, "COPYING") && !strings.HasPrefix(upper, "UNLICENSE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		flat := strings.Join(strings.Fields(string(text)), " ")
		for _, m := range marks {
			if strings.Contains(flat, m.text) {
				return m.name, nil
			}
		}
		return "", fmt.Errorf("%s: an unknown licence: add what tells it apart", e.Name())
	}
	return "", fmt.Errorf("%s has no file of a licence", dir)
}
