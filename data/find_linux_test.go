package data

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"tinygpt/internal/fixture"
)

// A folder or file that may not be read doesn't stop the search for others.
func TestClosed(t *testing.T) {
	dir := fixture.Files(t, map[string]string{"a.txt": "a", "closed/b.txt": "b", "secret.txt": "c"})
	for _, name := range []string{"closed", "secret.txt"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "closed"), 0o700) })
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, pattern := range []string{".", "**/*.txt"} {
		var f *finder
		var err error
		done := make(chan bool)
		go func() {
			defer close(done)
			if os.Geteuid() == 0 { // who may read everything: this thread, which ends here, is somebody else's
				runtime.LockOSThread()
				if err = syscall.Setfsuid(65534); err != nil {
					return
				}
			}
			f, err = find([]string{filepath.Join(dir, pattern)})
		}()
		if <-done; err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		var left []string
		for _, l := range f.leftOut {
			left = append(left, filepath.Base(l.Path)+": "+l.Why)
		}
		if want := []string{"closed: " + whyClosed, "secret.txt: " + whyClosed}; len(f.files) != 1 || !slices.Equal(left, want) {
			t.Errorf("%s: %d files, left out %q, want one and %q", pattern, len(f.files), left, want)
		}
	}
}
