// Package safetensors reads and writes files of named tensors in the safetensors
// format, version 0.x: eight bytes of little-endian header length, a JSON header,
// the tensors' bytes, row-major and little-endian.
//
// The reader is strict: a file that it opens describes every byte of its data
// exactly once, so each tensor of it can be read. It streams one tensor at a time
// into the caller's memory. The format has no checksum; files written here carry
// the SHA-256 of data and header in the metadata, which File.Verify compares. Types
// that no checkpoint of ours or of GPT-2 uses (8-bit floats, complex numbers,
// U64) are left out.
package safetensors

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"tinygpt/internal/userfile"
)

// Dtype is the type of a tensor's elements, by the format's own names.
type Dtype string

// The element types. Floats are IEEE 754 binary64, binary32 and binary16;
// BF16 is the upper half of an F32; BOOL is a byte.
const (
	F64  Dtype = "F64"
	F32  Dtype = "F32"
	F16  Dtype = "F16"
	BF16 Dtype = "BF16"
	I64  Dtype = "I64"
	I32  Dtype = "I32"
	I16  Dtype = "I16"
	I8   Dtype = "I8"
	U32  Dtype = "U32"
	U16  Dtype = "U16"
	U8   Dtype = "U8"
	Bool Dtype = "BOOL"
)

// Size is the number of bytes of one element, 0 for a type not supported.
func (d Dtype) Size() int {
	switch d {
	case F64, I64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case I8, U8, Bool:
		return 1
	}
	return 0
}

// dtypes lists the element types for messages.
const dtypes = "F64 F32 F16 BF16 I64 I32 I16 I8 U32 U16 U8 BOOL"

// Info describes a tensor of a file.
type Info struct {
	Dtype Dtype
	Shape []int // without dimensions it is one element

	begin, end int64 // in the data section
}

// Len is the number of elements.
func (i Info) Len() int { return int((i.end - i.begin) / int64(i.Dtype.Size())) }

// File is an open safetensors file. Its methods may be called concurrently.
type File struct {
	name     string
	reader   io.ReaderAt
	closer   io.Closer // nil if the reader isn't ours
	names    []string
	infos    map[string]Info
	metadata map[string]string
	// headerSum is the checksum of the header as it was read, if the metadata has one.
	headerSum string

	data    int64 // where the data section begins
	dataLen int64
}

// Open opens the file and reads and checks its header. Errors name the file and
// what is wrong with it.
func Open(path string) (*File, error) {
	file, err := userfile.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	stat, err := file.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", path)
	}
	var f *File
	if err == nil {
		f, err = Parse(file, stat.Size(), path)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	f.closer = file
	return f, nil
}

// Parse reads the header of a file of the given size in bytes. The name is for
// errors. The reader is used again when tensors are read.
func Parse(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{name: name, reader: r}
	if err := f.readHeader(size); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Close closes the file that Open opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Names lists the tensors in the order of their data.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Info describes the tensor of that name, if there is one.
func (f *File) Info(name string) (Info, bool) {
	info, ok := f.infos[name]
	info.Shape = slices.Clone(info.Shape)
	return info, ok
}

// Metadata is the file's metadata: any strings under any names.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// find is Info with an error that says which tensors there are.
func (f *File) find(name string) (Info, error) {
	info, ok := f.infos[name]
	if ok {
		return info, nil
	}
	const most = 5
	if len(f.names) == 0 {
		return Info{}, fmt.Errorf("%s: no tensor %q: the file holds none", f.name, name)
	}
	have := fmt.Sprintf("%.100q", f.names[:min(most, len(f.names))])
	have = have[1 : len(have)-1]
	if len(f.names) > most {
		have += " …"
	}
	return Info{}, fmt.Errorf("%s: no tensor %q among its %d (%s)", f.name, name, len(f.names), have)
}

// shortFile replaces the bare EOF of a file that shrank after it was opened.
func shortFile(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends too early: it was changed while open")
	}
	return err
}
