package commands

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestFewHandles: with fewer file handles than are needed the program says so in one line,
// before a library opens a file. This test's own program begins as gpt does.
func TestFewHandles(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for handles := 4; handles <= 12; handles++ {
		out, err := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" -test.run NONE`, handles), program).CombinedOutput()
		text := string(out)
		switch refused := strings.Contains(text, "fewer than 10 open files"); {
		case handles < 10 && (err == nil || !refused || strings.Count(text, "\n") != 1):
			t.Errorf("%d handles: %v, %q", handles, err, text)
		case handles >= 10 && (err != nil || refused):
			t.Errorf("%d handles: %v, %q", handles, err, text)
		}
	}
}
