//go:build unix

package data

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tinygpt/internal/fixture"
)

// TestPipe: a named pipe in a folder doesn't make Load wait for someone to write.
func TestPipe(t *testing.T) {
	dir := fixture.Files(t, map[string]string{"a.txt": "a"})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.txt"), 0o600); err != nil {
		t.Skip("no pipes here: ", err)
	}
	for _, pattern := range []string{".", "*.txt", "**/*"} {
		texts, r := load(t, dir, pattern)
		expectTexts(t, texts, "a")
		if !strings.Contains(r.String(), "not a regular file") {
			t.Errorf("%s: %s", pattern, r)
		}
	}
}
