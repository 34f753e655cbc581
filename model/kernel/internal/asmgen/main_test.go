package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The assembly in package kernel has to be what this program writes.
func TestGenerated(t *testing.T) {
	for subject, file := range map[string]string{
		"gemm": "gemm_%samd64", "packed": "packed_%samd64", "rows": "rows_%samd64", "attention": "attention_%samd64",
		"elements": "elements_%samd64", "embedding": "embedding_%samd64", "tsne": "tsne_%samd64", "peak": "peak_%samd64", "neon": "gemm_%sarm64",
	} {
		dir := t.TempDir()
		asm, stubs := filepath.Join(dir, "asm.s"), filepath.Join(dir, "stubs.go")
		out, err := exec.Command("go", "run", ".", "-subject", subject, "-out", asm, "-stubs", stubs, "-pkg", "kernel").CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", subject, err, out)
		}
		compare(t, "../../"+fmt.Sprintf(file, "")+".s", asm)
		compare(t, "../../"+fmt.Sprintf(file, "stubs_")+".go", stubs)
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
