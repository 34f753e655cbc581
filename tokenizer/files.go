package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode/utf8"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
)

// Load reads a tokenizer from any form that this package knows: a folder of
// Hugging Face's or OpenAI's files (ReadHuggingFace), a tokenizer.json under any
// name that ends in .json (ReadJSON), tiktoken's ranks in a file that ends in
// .tiktoken (ReadTiktoken).
func Load(path string) (Tokenizer, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		absolute, _ := filepath.Abs(path)
		return nil, fmt.Errorf("%s: no such file or folder: expected a folder with tokenizer.json, or a file that ends in .json or .tiktoken", absolute)
	case err != nil:
		return nil, err
	case info.IsDir():
		return ReadHuggingFace(path)
	case strings.HasSuffix(path, ".json"):
		return ReadJSON(path)
	case strings.HasSuffix(path, ".tiktoken"):
		return ReadTiktoken(path)
	}
	return nil, fmt.Errorf("%s: expected a folder with tokenizer.json, or a file that ends in .json or .tiktoken", path)
}

// readPlainOrGzip reads the file path, or path.gz if there is only that.
func readPlainOrGzip(path string) ([]byte, error) {
	b, err := userfile.ReadRegular(path)
	if !errors.Is(err, os.ErrNotExist) {
		return b, err
	}
	f, gzErr := userfile.OpenText(path + ".gz")
	if errors.Is(gzErr, os.ErrNotExist) {
		return nil, err
	} else if gzErr != nil {
		return nil, gzErr
	}
	defer f.Close()
	if b, err = userfile.ReadAll(f); err != nil {
		return nil, fmt.Errorf("%s.gz: %w", path, err)
	}
	return b, nil
}

// parseJSON decodes b, which must hold one JSON value, into v. Keys that v has no
// place for are passed over. Errors name the line.
func parseJSON(b []byte, v any) error {
	if !utf8.Valid(b) {
		return errors.New("it is not UTF-8 text; expected JSON")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("line %d: %w", lineOf(b, err, d.InputOffset()), jsonError(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("line %d: there is more after the JSON value", lineOf(b, nil, d.InputOffset()))
	}
	return nil
}

// lineOf returns the line of b where err happened: at its own offset if it has one,
// else where the decoder is.
func lineOf(b []byte, err error, offset int64) int {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		offset = typ.Offset
	}
	return 1 + bytes.Count(b[:min(int(offset), len(b))], []byte("\n"))
}

// jsonError says in the file's terms what encoding/json says in Go's.
func jsonError(err error) error {
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typ) && typ.Field == "":
		return fmt.Errorf("found %s, expected %s", jsonValue(typ.Value), jsonType(typ.Type))
	case errors.As(err, &typ):
		return fmt.Errorf("key %q has %s, expected %s", typ.Field, jsonValue(typ.Value), jsonType(typ.Type))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the file ends in the middle of the JSON")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// jsonValue is what encoding/json says of a value, in words.
func jsonValue(s string) string {
	switch s {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "true or false"
	}
	return "a " + s
}

// jsonType names a Go type as JSON does.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}

// formatJSON writes v as Hugging Face's libraries do, indented and with characters
// as they are.
func formatJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// writeFile writes a file that is one form of a tokenizer.
func writeFile(path string, t Tokenizer, format func(Tokenizer) ([]byte, error)) error {
	b, err := format(t)
	if err == nil {
		err = atomicfile.WriteFile(path, b)
	}
	if err != nil {
		return fmt.Errorf("writing tokenizer %s to %s: %w", t.Name(), path, err)
	}
	return nil
}
