package format

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
)

// Vectors shrink to a third in gzip. What grows to far more than that when it is unpacked
// was made to fill the memory of whoever reads it.
const (
	mostGrowth  = 100
	growthAfter = 4 << 20 // bytes unpacked, from which on growth counts
)

// unzip returns the reader of what a gzip file holds.
func unzip(in io.Reader) (io.Reader, error) {
	packed := &counter{in: in}
	z, err := gzip.NewReader(bufio.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("damaged gzip file: %w", err)
	}
	return &unzipped{counter{in: z}, packed}, nil
}

// counter counts what is read.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

// unzipped ends with an error when too much comes out of too little.
type unzipped struct {
	counter
	packed *counter
}

func (u *unzipped) Read(p []byte) (int, error) {
	if u.n > growthAfter && u.n > mostGrowth*u.packed.n {
		return 0, fmt.Errorf("%d bytes of gzip have become %d: vectors don't shrink that much", u.packed.n, u.n)
	}
	return u.counter.Read(p)
}
