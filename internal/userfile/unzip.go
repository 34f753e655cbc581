package userfile

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Texts shrink to a third or a tenth in gzip. What grows to far more than that when it is
// unpacked was made to fill the memory of whoever reads it.
const (
	mostGrowth  = 100
	growthAfter = 4 << 20 // bytes unpacked, from which on growth counts
)

// OpenText opens a file as Open does. If its name ends in .gz, what is read is unpacked, as
// Unzip does.
func OpenText(path string) (io.ReadCloser, error) {
	f, err := Open(path)
	if err != nil || !strings.EqualFold(filepath.Ext(path), ".gz") {
		return f, err
	}
	z, err := Unzip(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: not gzip although its name ends in .gz: %w", path, err)
	}
	return unpacked{z, f}, nil
}

// unpacked reads from one and closes the other.
type unpacked struct {
	io.Reader
	file *os.File
}

func (u unpacked) Close() error { return u.file.Close() }

// Unzip returns the reader of what a gzip file holds. It ends with an error if the file is
// damaged, or becomes more than a hundred times as large.
func Unzip(in io.Reader) (io.Reader, error) {
	packed := &counter{in: in}
	z, err := gzip.NewReader(bufio.NewReader(packed))
	if err != nil {
		return nil, err
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
		return 0, fmt.Errorf("%d bytes of gzip have become %d, more than %d times as many: unpack it with gunzip if you trust it", u.packed.n, u.n, mostGrowth)
	}
	n, err := u.counter.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("damaged gzip data: %w", err)
	}
	return n, err
}
