package tokenizer

import (
	"unicode/utf8"
)

// Stream decodes tokens as they come and gives out whole characters only: a byte
// token may hold a part of one, which waits for the rest. What cannot be UTF-8
// becomes U+FFFD, one for each maximal beginning of a character (The Unicode
// Standard, section 3.9, as Python decodes), so that what the stream gives out is
// always valid and does not depend on how the tokens cut it.
type Stream struct {
	t    Tokenizer
	wait []byte // a proper beginning of a character, 3 bytes at most
}

// NewStream returns a stream of t's tokens.
func NewStream(t Tokenizer) *Stream { return &Stream{t: t} }

// Next takes one token and returns the characters that are whole by now, often
// none. An id out of range is an error and leaves the stream as it was.
func (s *Stream) Next(id int32) (string, error) {
	if err := checkID(s.t, id); err != nil {
		return "", err
	}
	s.wait = append(s.wait, s.t.Bytes(id)...)
	var out []byte
	p := s.wait
	for len(p) > 0 && utf8.FullRune(p) {
		r, n := utf8.DecodeRune(p)
		for r == utf8.RuneError && n < len(p) && !utf8.FullRune(p[:n+1]) {
			n++
		}
		out = utf8.AppendRune(out, r)
		p = p[n:]
	}
	s.wait = s.wait[:copy(s.wait, p)]
	return string(out), nil
}

// Flush ends the text: it returns U+FFFD for a character that is still incomplete, and
// the stream begins anew.
func (s *Stream) Flush() string {
	if len(s.wait) == 0 {
		return ""
	}
	s.wait = s.wait[:0]
	return string(utf8.RuneError)
}
