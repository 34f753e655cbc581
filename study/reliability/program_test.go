//go:build linux

package reliability

import (
	"strings"
	"testing"
	"time"
)

// A command that hangs is ended, and where it hangs is said if it prints that.
func TestHang(t *testing.T) {
	for _, c := range []struct{ command, says string }{
		{"trap 'echo goroutine 1 [select]; exit 2' QUIT; while true; do sleep 0.01; done", "goroutine 1 [select]"},
		{"trap '' QUIT; sleep 60", "hangs: it has computed for"},
	} {
		p := &Program{Path: "/bin/bash", Folder: t.TempDir(), Limit: 100 * time.Millisecond}
		e, err := p.Run("-c", c.command)
		if err != nil {
			t.Fatal(err)
		}
		if fault := e.Fault(); !strings.HasPrefix(fault, "hangs: ") || !strings.Contains(fault, c.says) {
			t.Errorf("%s: %q", c.command, fault)
		}
	}
	p := &Program{Path: "/bin/true", Folder: t.TempDir(), Limit: time.Minute}
	if e, err := p.Run(); err != nil || e.Fault() != "" {
		t.Errorf("%+v: %v", e, err)
	}
}
