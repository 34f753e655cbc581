package main

import (
	"debug/elf"
	"path/filepath"
	"testing"
)

// isDynamic says whether the kernel starts a program by a dynamic loader.
func isDynamic(t *testing.T, path string) bool {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, _ := f.ImportedLibraries()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return len(libraries) > 0
}

// The program without MPI is static: it has neither an interpreter nor dynamic libraries.
func TestStatic(t *testing.T) {
	for name, want := range map[string]bool{"gpt": false, "gpt-mpi": true} {
		if got := isDynamic(t, filepath.Join(programs, name)); got != want {
			t.Errorf("%s has a dynamic loader: %v, want %v", name, got, want)
		}
	}
}
