package userfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

// Lines have their numbers in the file, and nothing around them; an error ends the reading.
func TestEachLine(t *testing.T) {
	read := ""
	broken := errors.New("broken")
	err := EachLine(strings.NewReader("\ufeff\n a\tb \r\n\n\ufeffc\nd\ne"), "f", func(n int, line []byte) error {
		read += fmt.Sprintf("%d:%s|", n, line)
		if string(line) == "d" {
			return broken
		}
		return nil
	})
	if read != "2:a\tb|4:c|5:d|" || err != broken {
		t.Errorf("%q, %v", read, err)
	}
	long := strings.NewReader(strings.Repeat("x", lineLimit+1))
	expect.Error(t, EachLine(long, "f", func(int, []byte) error { return nil }), "f: ", "too long")
}
