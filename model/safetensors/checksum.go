package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// checksumKey is where Write keeps the SHA-256 of the data section, in hexadecimal, and
// headerKey that of the header, computed with zeros in its own place.
const (
	checksumKey = "sha256"
	headerKey   = "sha256_header"
)

// noSum stands for a checksum that isn't known yet.
var noSum = strings.Repeat("0", 2*sha256.Size)

// headerSum is the checksum of a header that says its own is want.
func headerSum(header []byte, want string) string {
	own := []byte(headerKey + `":"`)
	if i := bytes.Index(header, append(own, want...)); i >= 0 {
		header = bytes.Clone(header)
		copy(header[i+len(own):i+len(own)+len(want)], bytes.Repeat([]byte("0"), len(want)))
	}
	sum := sha256.Sum256(header)
	return hex.EncodeToString(sum[:])
}

// ErrNoChecksum is what Verify returns for a file whose metadata has no checksum, such as files
// written by other programs.
var ErrNoChecksum = errors.New("no checksum in the metadata")

// Verify reads all data once and compares it, and the header, with the checksums in the
// metadata. Files of earlier programs have none of the header.
func (f *File) Verify() error {
	want, ok := f.metadata[checksumKey]
	if !ok {
		return fmt.Errorf("%s: %w", f.name, ErrNoChecksum)
	}
	if want, ok := f.metadata[headerKey]; ok && f.headerSum != want {
		return fmt.Errorf("%s: the header was altered: its sha256 is %s, the file says %q", f.name, f.headerSum, want)
	}
	hash := sha256.New()
	n, err := io.Copy(hash, io.NewSectionReader(f.reader, f.data, f.dataLen))
	if err == nil && n != f.dataLen {
		err = shortFile(io.ErrUnexpectedEOF)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		return fmt.Errorf("%s: the data was altered: its sha256 is %s, the file says %q", f.name, got, want)
	}
	return nil
}
