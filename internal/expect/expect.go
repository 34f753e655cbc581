// Package expect is what tests say most often, in one line.
package expect

import (
	"strings"
	"testing"
)

// Error fails the test, which goes on, unless err is an error whose text has each of the
// parts.
func Error(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, expected one that says %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %q, expected it to say %q", err, part)
		}
	}
}

// OneLine is Error, and fails the test also if the error's text has a line end.
func OneLine(t testing.TB, err error, parts ...string) {
	t.Helper()
	Error(t, err, parts...)
	if err != nil && strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %q", err)
	}
}
