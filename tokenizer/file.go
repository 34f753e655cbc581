package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// A tokenizer file is JSON in UTF-8. What a kind needs is written out for people
// to read: the merges of a trained BPE as in GPT-2's vocab.bpe, the characters
// of a char tokenizer as one string. GPT-2's vocabulary and the bytes are named
// only, for the program has them. The fingerprint seals the meaning of each id.
const (
	fileFormat  = "tinygpt tokenizer"
	fileVersion = 1
)

// The kinds of tokenizer in a file.
const (
	kindBPE  = "bpe"
	kindGPT2 = "gpt2"
	kindChar = "char"
	kindByte = "byte"
)

// fileForm is the file's content.
type fileForm struct {
	Format      string   `json:"format"`
	Version     int      `json:"version"`
	Kind        string   `json:"kind"`
	Name        string   `json:"name"`
	VocabSize   int      `json:"vocab_size"`
	EndOfText   int32    `json:"end_of_text"`
	Fingerprint string   `json:"sha256"`
	Chars       string   `json:"chars,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	Merges      []string `json:"merges,omitempty"` // "Ġ t": two tokens in printable form
}

// Save writes t to a file that Load reads. The file appears under its name only
// when it is complete. Tokenizers from outside this package are an error.
func Save(path string, t Tokenizer) error {
	f := fileForm{
		Format:      fileFormat,
		Version:     fileVersion,
		Name:        t.Name(),
		VocabSize:   t.VocabSize(),
		EndOfText:   t.EndOfText(),
		Fingerprint: Fingerprint(t),
	}
	switch t := t.(type) {
	case *bpe:
		if f.Name == kindGPT2 {
			f.Kind = kindGPT2
			break
		}
		f.Kind, f.Pattern = kindBPE, pattern
		for _, m := range t.merges {
			f.Merges = append(f.Merges, printable(t.tokens[m[0]])+" "+printable(t.tokens[m[1]]))
		}
	case *char:
		f.Kind = kindChar
		f.Chars = string(bytes.Join(t.tokens, nil))
	case *byteLevel:
		f.Kind = kindByte
	default:
		return fmt.Errorf("saving tokenizer %s to %s: type %T has no file form", f.Name, path, t)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(f); err != nil {
		return fmt.Errorf("saving tokenizer %s to %s: %w", f.Name, path, err)
	}
	if err := writeFile(path, b.Bytes()); err != nil {
		return fmt.Errorf("saving tokenizer %s: %w", f.Name, err)
	}
	return nil
}

// writeFile writes to a temporary file beside path, then renames it.
func writeFile(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close() // a second Close does no harm
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Load reads a file that Save wrote, and checks all of it: a file that was
// damaged or edited is an error, as it would give a model's ids another meaning.
func Load(path string) (Tokenizer, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("loading the tokenizer: %w", err)
	}
	t, err := parseFile(b)
	if err != nil {
		return nil, fmt.Errorf("tokenizer file %s: %w", path, err)
	}
	return t, nil
}

// parseFile returns the tokenizer that the bytes of a file describe.
func parseFile(b []byte) (Tokenizer, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("it is not UTF-8 text; expected the JSON that training writes")
	}
	var f fileForm
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("line %d: %w", lineOf(b, err, d.InputOffset()), jsonError(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("line %d: there is more after the closing brace", lineOf(b, nil, d.InputOffset()))
	}
	if f.Format != fileFormat {
		return nil, fmt.Errorf("key \"format\" is %q, expected %q", f.Format, fileFormat)
	}
	if f.Version != fileVersion {
		return nil, fmt.Errorf("key \"version\" is %d; this program reads version %d", f.Version, fileVersion)
	}
	t, err := f.tokenizer()
	if err != nil {
		return nil, err
	}
	switch {
	case f.VocabSize != t.VocabSize():
		return nil, fmt.Errorf("key \"vocab_size\" is %d, but the file describes %d tokens", f.VocabSize, t.VocabSize())
	case f.EndOfText != t.EndOfText():
		return nil, fmt.Errorf("key \"end_of_text\" is %d, but the file describes a vocabulary where it is %d", f.EndOfText, t.EndOfText())
	case f.Name != t.Name():
		return nil, fmt.Errorf("key \"name\" is %q, but the file describes %q", f.Name, t.Name())
	case f.Fingerprint != Fingerprint(t):
		return nil, fmt.Errorf("key \"sha256\" is %q, but the content gives %q: the file was changed after training; take the original or train anew", f.Fingerprint, Fingerprint(t))
	}
	return t, nil
}

// tokenizer builds what f describes.
func (f *fileForm) tokenizer() (Tokenizer, error) {
	switch f.Kind {
	case kindBPE:
		return f.bpe()
	case kindChar:
		return f.char()
	case kindGPT2:
		return GPT2()
	case kindByte:
		return NewByte(), nil
	}
	return nil, fmt.Errorf("key \"kind\" is %q, expected %q, %q, %q or %q", f.Kind, kindBPE, kindGPT2, kindChar, kindByte)
}

func (f *fileForm) char() (Tokenizer, error) {
	chars := []rune(f.Chars)
	if len(chars) == 0 {
		return nil, errors.New("key \"chars\" is empty, expected the characters of the vocabulary")
	}
	for i := 1; i < len(chars); i++ {
		if chars[i-1] >= chars[i] {
			return nil, fmt.Errorf("key \"chars\": %q (U+%04X) after %q (U+%04X), expected the order of the code points, each once", chars[i], chars[i], chars[i-1], chars[i-1])
		}
	}
	return newChar(chars), nil
}

func (f *fileForm) bpe() (Tokenizer, error) {
	if f.Pattern != pattern {
		return nil, fmt.Errorf("key \"pattern\" is %q; this program splits text with GPT-2's, %q", f.Pattern, pattern)
	}
	ids := make(map[string]int32, 256+len(f.Merges))
	for b, id := range idOfByte {
		ids[string([]byte{byte(b)})] = id
	}
	merges := make([][2]int32, len(f.Merges))
	for i, line := range f.Merges {
		left, right, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("merge %d is %q, expected two tokens with a space between them", i+1, line)
		}
		whole := ""
		for side, s := range []string{left, right} {
			token, err := parsePrintable(s)
			if err != nil {
				return nil, fmt.Errorf("merge %d, %q: %w", i+1, line, err)
			}
			id, ok := ids[string(token)]
			if !ok {
				return nil, fmt.Errorf("merge %d, %q: no merge before it makes the token %q", i+1, line, s)
			}
			merges[i][side] = id
			whole += string(token)
		}
		if id, ok := ids[whole]; ok {
			return nil, fmt.Errorf("merge %d, %q, makes a token that is there already, with id %d", i+1, line, id)
		}
		ids[whole] = int32(256 + i)
	}
	tokens := tokensOf(merges)
	return newBPE(bpeName(len(tokens)+1), tokens, merges)
}

// lineOf returns the line of b where err happened: at its own offset if it has
// one, else where the decoder stands.
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
	case errors.As(err, &typ):
		return fmt.Errorf("key %q has a %s, expected %s", typ.Field, typ.Value, typ.Type)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the file ends in the middle of the JSON")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}
