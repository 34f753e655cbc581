package safetensors

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// checksumKey is where Write keeps the SHA-256 of the data section, in hexadecimal.
const checksumKey = "sha256"

// ErrNoChecksum is what Verify returns for a file whose metadata has no checksum, such as files
// written by other programs.
var ErrNoChecksum = errors.New("no checksum in the metadata")

// Verify reads all data once and compares it with the checksum in the metadata.
func (f *File) Verify() error {
	want, ok := f.metadata[checksumKey]
	if !ok {
		return fmt.Errorf("%s: %w", f.name, ErrNoChecksum)
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
