package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
)

// A cached stream is a file of one line of JSON, which says what it was made of,
// the tokens in 2 or 4 bytes each, the starts of the documents in 8, all little
// endian, and the SHA-256 of everything before it. From Python, tokens are
// numpy.fromfile(path, dtype, tokens, offset=length of the line).
type cacheHeader struct {
	Format    string `json:"format"`
	Text      string `json:"text_sha256"`
	Bytes     int    `json:"text_bytes"`
	Tokenizer string `json:"tokenizer_sha256"`
	Type      string `json:"dtype"` // "<u2" or "<u4", as numpy calls them
	Tokens    int    `json:"tokens"`
	Documents int    `json:"documents"`
}

const cacheFormat = "tinygpt tokens 1"

// headerOf is the header of the stream that encoder e with that fingerprint makes of a
// text with that checksum, apart from the sizes.
func headerOf(textSHA256 string, e Encoder, fingerprint string) cacheHeader {
	h := cacheHeader{Format: cacheFormat, Text: textSHA256, Tokenizer: fingerprint, Type: "<u2"}
	if e.VocabSize() > 1<<16 {
		h.Type = "<u4"
	}
	return h
}

// WriteCache writes s, which e made of a corpus with that checksum, to a file for
// ReadCache. The fingerprint is that of the encoder: all that gives its ids their meaning.
func (s *Stream) WriteCache(path, textSHA256 string, e Encoder, fingerprint string) error {
	h := headerOf(textSHA256, e, fingerprint)
	h.Bytes, h.Tokens, h.Documents = s.Bytes, len(s.Tokens), len(s.Starts)
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	b = append(slices.Grow(b, 1+4*len(s.Tokens)+8*len(s.Starts)+sha256.Size), '\n')
	for _, id := range s.Tokens {
		if h.Type == "<u2" {
			b = binary.LittleEndian.AppendUint16(b, uint16(id))
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(id))
		}
	}
	for _, at := range s.Starts {
		b = binary.LittleEndian.AppendUint64(b, uint64(at))
	}
	sum := sha256.Sum256(b)
	return atomicfile.WriteFile(path, append(b, sum[:]...))
}

// ReadCache reads the stream that e makes of a corpus with that checksum. A file that was
// made of another text or by another encoder, or is damaged, is an error that says so: the
// caller makes the stream anew.
func ReadCache(path, textSHA256 string, e Encoder, fingerprint string) (*Stream, error) {
	b, err := userfile.ReadRegular(path)
	if err != nil {
		return nil, err
	}
	s, err := parseCache(b, headerOf(textSHA256, e, fingerprint), e.VocabSize())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Unseparated = e.EndOfText() < 0
	return s, nil
}

// parseCache reads the bytes of a file that must be what want says, of tokens of that many
// different ones. The checksum says that the file is as it was written, not by whom.
func parseCache(b []byte, want cacheHeader, vocabulary int) (*Stream, error) {
	if len(b) < sha256.Size {
		return nil, errors.New("the file is cut off")
	}
	content, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if got := sha256.Sum256(content); !bytes.Equal(got[:], sum) {
		return nil, errors.New("the file is damaged")
	}
	line, content, _ := bytes.Cut(content, []byte("\n"))
	var h cacheHeader
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, fmt.Errorf("not a file of tokens: %w", err)
	}
	want.Bytes, want.Tokens, want.Documents = h.Bytes, h.Tokens, h.Documents
	if h != want {
		return nil, errors.New("the tokens are those of another text or tokenizer")
	}
	if h.Bytes <= 0 {
		return nil, errors.New("the file doesn't say how long the text is: an earlier program made it")
	}
	size := 2
	if h.Type == "<u4" {
		size = 4
	}
	if h.Tokens < 0 || h.Documents < 0 || h.Tokens > len(content) || h.Documents > len(content) || size*h.Tokens+8*h.Documents != len(content) {
		return nil, fmt.Errorf("%d bytes are not %d tokens and %d documents", len(content), h.Tokens, h.Documents)
	}
	s := &Stream{Tokens: make([]int32, h.Tokens), Starts: make([]int, h.Documents), Bytes: h.Bytes}
	for i := range s.Tokens {
		if size == 2 {
			s.Tokens[i] = int32(binary.LittleEndian.Uint16(content[2*i:]))
		} else {
			s.Tokens[i] = int32(binary.LittleEndian.Uint32(content[4*i:]))
		}
		if id := s.Tokens[i]; id < 0 || int(id) >= vocabulary {
			return nil, fmt.Errorf("token %d is %d, the tokenizer has %d", i, uint32(id), vocabulary)
		}
	}
	content = content[size*h.Tokens:]
	for i := range s.Starts {
		s.Starts[i] = int(binary.LittleEndian.Uint64(content[8*i:]))
		if at := s.Starts[i]; at < 0 || at >= h.Tokens || i > 0 && at <= s.Starts[i-1] {
			return nil, fmt.Errorf("document %d begins at token %d of %d", i, at, h.Tokens)
		}
	}
	if h.Documents == 0 && h.Tokens > 0 {
		return nil, errors.New("there are tokens and no document")
	}
	return s, nil
}
