// Package expect is what tests say most often, in one line.
package expect

import (
	"math"
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

// Errors calls f with each input of a table. It fails the test unless f returns an error in
// one line that says what the table has for the input, or no error if that is empty.
func Errors[T any](t testing.TB, says map[string]string, f func(input string) (T, error)) {
	t.Helper()
	for input, want := range says {
		switch _, err := f(input); {
		case want == "" && err != nil:
			t.Errorf("%q: the error is %q, expected none", input, err)
		case want != "" && err == nil:
			t.Errorf("%q: no error, expected one that says %q", input, want)
		case want != "" && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: the error is %q, expected one line that says %q", input, err, want)
		}
	}
}

// Texts calls f with each input of a table. It fails the test unless f returns the text that
// the table has for the input.
func Texts(t testing.TB, table map[string]string, f func(input string) string) {
	t.Helper()
	for input, want := range table {
		if got := f(input); got != want {
			t.Errorf("%q: %q, expected %q", input, got, want)
		}
	}
}

// Near fails the test unless got is a number that differs from want by no more than the
// tolerance.
func Near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, expected %v ± %v", what, got, want, tolerance)
	}
}
