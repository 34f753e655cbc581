package userfile

import (
	"bytes"
	"fmt"
	"io"

	"tinygpt/internal/capacity"
	"tinygpt/internal/number"
)

// checkEach is after how many bytes the memory that a text takes is looked at again.
const checkEach = 64 << 20

// ReadAll reads to the end of what doesn't say how long it is, such as a pipe or what is being
// unpacked, as long as this computer has the memory: while it grows, a text is in memory three
// times.
func ReadAll(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	for {
		if err := CheckGrown(b.Len()); err != nil {
			return nil, err
		}
		if _, err := io.CopyN(&b, r, checkEach); err == io.EOF {
			return b.Bytes(), nil
		} else if err != nil {
			return nil, err
		}
	}
}

// CheckGrown returns an error if this computer hasn't the memory for a text that has grown to so
// many bytes and grows further.
func CheckGrown(bytes int) error {
	return capacity.Check(fmt.Sprintf("more than %s of text", number.Bytes(int64(bytes))), 3*float64(bytes), 1, "name a smaller file")
}
