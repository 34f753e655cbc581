package expect

import (
	"errors"
	"testing"
)

// probe is a test that remembers whether it failed.
type probe struct {
	testing.TB
	failed bool
}

func (p *probe) Helper()               {}
func (p *probe) Errorf(string, ...any) { p.failed = true }

func TestErrors(t *testing.T) {
	lines := errors.Join(errors.New("a.txt: line 3"), errors.New("b.txt: empty"))
	for _, c := range []struct {
		name   string
		check  func(testing.TB)
		failed bool
	}{
		{"no error", func(t testing.TB) { Error(t, nil) }, true},
		{"all parts", func(t testing.TB) { Error(t, lines, "line 3", "empty") }, false},
		{"a part is missing", func(t testing.TB) { Error(t, lines, "line 3", "line 4") }, true},
		{"one line", func(t testing.TB) { OneLine(t, errors.New("a: b"), "a: ") }, false},
		{"several lines", func(t testing.TB) { OneLine(t, lines, "empty") }, true},
		{"no line", func(t testing.TB) { OneLine(t, nil) }, true},
	} {
		p := &probe{TB: t}
		if c.check(p); p.failed != c.failed {
			t.Errorf("%s: failed is %v", c.name, p.failed)
		}
	}
}
