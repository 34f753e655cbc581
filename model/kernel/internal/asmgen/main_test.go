package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The assembly in package kernel has to be what this program writes.
func TestGenerated(t *testing.T) {
	for _, subject := range []string{"gemm", "packed", "rows", "attention", "elements", "peak"} {
		dir := t.TempDir()
		asm, stubs := filepath.Join(dir, "asm.s"), filepath.Join(dir, "stubs.go")
		out, err := exec.Command("go", "run", ".", "-subject", subject, "-out", asm, "-stubs", stubs, "-pkg", "kernel").CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", subject, err, out)
		}
		compare(t, "../../"+subject+"_amd64.s", asm)
		compare(t, "../../"+subject+"_stubs_amd64.go", stubs)
	}
}

// compare ignores the first line, which names the command and so the files.
func compare(t *testing.T, old, generated string) {
	t.Helper()
	rest := func(name string) []byte {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := bytes.Cut(text, []byte("\n"))
		return after
	}
	if !bytes.Equal(rest(old), rest(generated)) {
		t.Errorf("%s is not what asmgen writes: run go generate in model/kernel", filepath.Base(old))
	}
}
