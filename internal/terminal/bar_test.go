package terminal

import (
	"bytes"
	"strings"
	"testing"
)

// Lines are all there is of a bar that isn't shown; one that is has them above it, whole.
func TestBar(t *testing.T) {
	var out bytes.Buffer
	b := NewBar(&out, false, 10)
	b.Line("one")
	b.Close()
	if out.String() != "one\n" || b.Shown() {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	b = NewBar(&out, true, 10)
	b.Set("step 5", 5)
	b.Line("two")
	b.Close()
	if s := out.String(); !b.Shown() || !strings.Contains(s, "step 5") || !strings.Contains(s, "two\n") || !strings.HasSuffix(s, "\n") {
		t.Errorf("%q", s)
	}
}
