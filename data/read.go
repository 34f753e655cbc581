package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"tinygpt/internal/userfile"
)

// errEmpty is the kind of error about a file without text.
var errEmpty = errors.New("the file is empty")

// ReadText reads one file as Load does, "-" being standard input: gzipped if its
// name ends in .gz, without a byte order mark, its lines ended by \n. A file that is
// empty or isn't text is an error.
func ReadText(file string, o Options) (string, error) {
	if file == "-" {
		file = stdin
	}
	return readText(file, o)
}

// Clean does to a text what Load does to a file: without a byte order mark, its lines
// ended by \n. A prompt is cleaned so that it reads as training text did.
func Clean(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(text, userfile.ByteOrderMark), "\r\n", "\n")
}

func readText(file string, o Options) (string, error) {
	r, err := open(file)
	if err != nil {
		return "", err
	}
	raw, err := userfile.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return "", fmt.Errorf("%s: %w", displayName(file), err)
	}
	return clean(displayName(file), raw, o)
}

// clean is Decode for what must hold text.
func clean(file string, raw []byte, o Options) (string, error) {
	if len(bytes.TrimSpace(bytes.TrimPrefix(raw, []byte(userfile.ByteOrderMark)))) == 0 {
		return "", fmt.Errorf("%s: %w: give one with text in it", file, errEmpty)
	}
	return Decode(file, raw, o)
}

// Decode turns bytes into text as Load does with those of a file; errors mention name.
// The text may be empty.
func Decode(name string, raw []byte, o Options) (string, error) {
	text, err := decode(name, raw, o.Encoding)
	return Clean(text), err
}

// open opens a file, or standard input, and unpacks it if its name ends in .gz.
// Errors of reading don't name the file.
func open(file string) (io.ReadCloser, error) {
	if file == stdin {
		return io.NopCloser(os.Stdin), nil
	}
	return userfile.OpenText(file)
}
