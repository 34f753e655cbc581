package terminal

import (
	"bytes"
	"fmt"
	"testing"
)

// A terminal gets control characters made visible, a file gets them as they are.
func TestShown(t *testing.T) {
	const label = "x\x1b[31m\x07"
	var file bytes.Buffer
	fmt.Fprint(Shown(&file), label)
	if file.String() != label {
		t.Errorf("a file gets %q", file.String())
	}
	screen := newScreen(80)
	if got := Shown(screen); got == any(screen) {
		t.Error("a terminal gets control characters as they are")
	}
}
