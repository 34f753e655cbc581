//go:build unix

package data

import (
	"net"
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

// TestSocket: of the names that a shell makes of * a socket doesn't stop the rest.
func TestSocket(t *testing.T) {
	t.Chdir(fixture.Files(t, map[string]string{"a.txt": "a"}))
	socket, err := net.Listen("unix", "s.txt")
	if err != nil {
		t.Skip("no sockets here: ", err)
	}
	defer socket.Close()
	texts, r := load(t, ".", "a.txt", "s.txt")
	expectTexts(t, texts, "a")
	if got := r.String(); !strings.Contains(got, "1 not a regular file (s.txt)") {
		t.Error(got)
	}
}
