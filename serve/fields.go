package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// fields reads the members of a JSON object one by one. It keeps the first error; after one,
// every read returns the default.
type fields struct {
	raw     map[string]json.RawMessage
	read    map[string]bool // members that were asked for
	ignored []string        // members of nested objects that nobody reads
	err     *apiError
}

// parseFields reads the members of a request's body. It refuses text that JSON can't carry
// unchanged: bytes that aren't UTF-8, halves of surrogate pairs, NUL. A member that is null
// counts as absent.
func parseFields(body []byte) (*fields, *apiError) {
	if !utf8.Valid(body) {
		return nil, invalid("", "the body is not UTF-8: expected a JSON object in UTF-8")
	}
	if err := checkEscapes(body); err != nil {
		return nil, invalid("", "the body holds %v", err)
	}
	if at := bytes.TrimLeft(body, " \t\r\n"); len(at) == 0 || at[0] != '{' {
		return nil, invalid("", "the body is not a JSON object")
	}
	f := &fields{read: map[string]bool{}}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&f.raw); err != nil {
		return nil, invalid("", "the body is not a JSON object: %s", jsonReason(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid("", "the body has more after its JSON object: expected one object")
	}
	for name, v := range f.raw {
		if string(v) == "null" {
			delete(f.raw, name)
		}
	}
	return f, nil
}

// jsonReason says briefly what is wrong with JSON.
func jsonReason(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("%v, at byte %d", syntax, syntax.Offset)
	case errors.As(err, &kind):
		return "found a " + kind.Value
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it ends too early"
	}
	return err.Error()
}

// checkEscapes returns an error if there is a \u escape of NUL or of no character, which
// encoding/json would silently replace.
func checkEscapes(body []byte) error {
	for i := 0; i+1 < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++
		if body[i] != 'u' {
			continue
		}
		switch r := hex4(body, i+1); {
		case r == 0:
			return errors.New(`the character NUL (\u0000)`)
		case r >= 0xDC00 && r < 0xE000:
			return fmt.Errorf(`half of a surrogate pair (\u%04x)`, r)
		case r >= 0xD800 && r < 0xDC00:
			if low := hex4(body, i+7); i+6 >= len(body) || body[i+5] != '\\' || body[i+6] != 'u' || low < 0xDC00 || low >= 0xE000 {
				return fmt.Errorf(`half of a surrogate pair (\u%04x)`, r)
			}
			i += 6
		}
	}
	return nil
}

// hex4 returns the number that four hexadecimal digits write; −1 if they aren't there.
func hex4(b []byte, at int) (n int) {
	if at+4 > len(b) {
		return -1
	}
	for _, c := range b[at : at+4] {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 {
			return -1
		}
		n = n<<4 | d
	}
	return n
}

// fail keeps an error unless there is one already.
func (f *fields) fail(e *apiError) {
	if f.err == nil {
		f.err = e
	}
}

// has reports whether a member is there and isn't null.
func (f *fields) has(name string) bool {
	f.read[name] = true
	_, ok := f.raw[name]
	return ok
}

// get decodes a member into v and reports whether it did. Without the member, and after an
// error, v stays as it is. expected describes the member's type in the error.
func (f *fields) get(name, expected string, v any) bool {
	if !f.has(name) || f.err != nil {
		return false
	}
	if err := json.Unmarshal(f.raw[name], v); err != nil {
		f.fail(invalid(name, "%s: expected %s, %s", name, expected, jsonReason(err)))
		return false
	}
	return true
}

// text reads a string.
func (f *fields) text(name, otherwise string) string {
	f.get(name, "a string", &otherwise)
	return otherwise
}

// boolean reads true or false.
func (f *fields) boolean(name string, otherwise bool) bool {
	f.get(name, "true or false", &otherwise)
	return otherwise
}

// number reads a number from low to high.
func (f *fields) number(name string, otherwise, low, high float64) float64 {
	x := otherwise
	if f.get(name, "a number", &x) && !(x >= low && x <= high) {
		f.fail(invalid(name, "%s is %v: expected %v to %v", name, x, low, high))
		return otherwise
	}
	return x
}

// whole reads a whole number from low to high.
func (f *fields) whole(name string, otherwise, low, high int64) int64 {
	n := otherwise
	if f.get(name, "a whole number", &n) && (n < low || n > high) {
		f.fail(invalid(name, "%s is %d: expected %d to %d", name, n, low, high))
		return otherwise
	}
	return n
}

// texts reads a string or a list of strings.
func (f *fields) texts(name string) (list []string) {
	var one string
	if f.has(name) && f.raw[name][0] == '"' {
		f.get(name, "a string or a list of strings", &one)
		return []string{one}
	}
	if f.get(name, "a string or a list of strings", &list) && hasNull(f.raw[name]) {
		f.fail(invalid(name, "%s: expected a string or a list of strings, found null in the list", name))
	}
	return list
}

// hasNull reports whether there is a null in a list, which encoding/json reads as "" or 0.
func hasNull(v json.RawMessage) bool {
	if !bytes.Contains(v, []byte("null")) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(v))
	for {
		switch token, err := d.Token(); {
		case err != nil:
			return false
		case token == nil:
			return true
		}
	}
}

// refuse fails if one of the names is a member, unless its value is listed: see unsupportedChat.
func (f *fields) refuse(names map[string][]string) {
	for _, name := range sortedKeys(names) {
		if f.has(name) && !slices.Contains(names[name], string(f.raw[name])) {
			f.fail(unsupported(name, "%s is not supported by this server", name))
		}
	}
}

// unknown lists the members that nobody has read, sorted, then those of nested objects.
func (f *fields) unknown() (names []string) {
	for _, name := range sortedKeys(f.raw) {
		if !f.read[name] {
			names = append(names, name)
		}
	}
	return append(names, f.ignored...)
}

func sortedKeys[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// bodyLimit is the maximum size of a request's body, in bytes.
const bodyLimit = 1 << 20

// readBody reads a request's body.
func readBody(r *http.Request) ([]byte, *apiError) {
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fail(http.StatusRequestEntityTooLarge, "", "", "the body is larger than %d bytes", large.Limit)
	case err != nil:
		return nil, fail(http.StatusRequestTimeout, "", "", "the body didn't come in time, or the connection broke off")
	}
	return body, nil
}
