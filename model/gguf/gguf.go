// Package gguf writes files of metadata and named tensors in the GGUF format,
// version 3, which llama.cpp and the programs around it run: a header, key-value
// pairs, the tensors' descriptions, and their data, all little-endian. (The format's
// specification is docs/gguf.md in ggml's repository.) It leaves out reading, the
// quantised types, and what no GPT needs of the metadata's types.
package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"tinygpt/internal/atomicfile"
	"tinygpt/model/half"
)

// Type is how a tensor's values are stored, with the format's number for it.
type Type uint32

// The types of unquantised floats.
const (
	F32  Type = 0
	F16  Type = 1
	BF16 Type = 30
)

// Size is the number of bytes of one value, 0 for a type that isn't known here.
func (t Type) Size() int {
	switch t {
	case F32:
		return 4
	case F16, BF16:
		return 2
	}
	return 0
}

// Pair is an entry of the metadata. The value is a string, uint32, int32, float32,
// bool, []string or []int32.
type Pair struct {
	Key   string
	Value any
}

// Tensor is a tensor to be written.
type Tensor struct {
	Name string
	Type Type
	// Shape is row-major, as everywhere in this program; the file has the sizes in reverse.
	Shape []int
	// Transpose stores a matrix of shape [m, n] as [n, m]. The format's matrices are
	// [out, in].
	Transpose bool
	Data      []float32 // not changed
}

const (
	magic     = "GGUF"
	version   = 3
	alignment = 32 // of the data section and of each tensor; the format's default
	// pieceLen bounds the bytes in flight between memory and file.
	pieceLen = 256 << 10
)

// Write writes a file with the metadata and tensors in their order. It appears under its
// name when it is complete and on the disk. Unless progress is nil, it is called after each
// tensor with how many of total values are written; if it returns an error, the work ends
// with that error.
func Write(path string, metadata []Pair, tensors []Tensor, progress func(done, total int64) error) error {
	return atomicfile.Write(path, func(file *os.File) error {
		buffered := bufio.NewWriterSize(file, pieceLen)
		if err := write(buffered, metadata, tensors, progress); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return buffered.Flush()
	})
}

func write(w io.Writer, metadata []Pair, tensors []Tensor, progress func(done, total int64) error) error {
	order := binary.LittleEndian
	b := append([]byte(nil), magic...)
	b = order.AppendUint32(b, version)
	b = order.AppendUint64(b, uint64(len(tensors)))
	b = order.AppendUint64(b, uint64(len(metadata)))
	seen := map[string]bool{}
	for _, p := range metadata {
		if seen[p.Key] {
			return fmt.Errorf("metadata key %q occurs twice", p.Key)
		}
		seen[p.Key] = true
		var err error
		if b, err = appendValue(appendString(b, p.Key), p.Value); err != nil {
			return fmt.Errorf("metadata %q: %w", p.Key, err)
		}
	}
	clear(seen)
	var at, done, total int64
	for _, t := range tensors {
		if err := t.check(); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if seen[t.Name] {
			return fmt.Errorf("tensor %q occurs twice", t.Name)
		}
		seen[t.Name] = true
		b = appendString(b, t.Name)
		b = order.AppendUint32(b, uint32(len(t.Shape)))
		for i := range t.Shape {
			dim := t.Shape[len(t.Shape)-1-i]
			if t.Transpose {
				dim = t.Shape[i]
			}
			b = order.AppendUint64(b, uint64(dim))
		}
		b = order.AppendUint32(b, uint32(t.Type))
		b = order.AppendUint64(b, uint64(at))
		at += padded(int64(len(t.Data)) * int64(t.Type.Size()))
		total += int64(len(t.Data))
	}
	if _, err := w.Write(pad(b, int64(len(b)))); err != nil {
		return err
	}
	for _, t := range tensors {
		if err := t.write(w); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if done += int64(len(t.Data)); progress != nil {
			if err := progress(done, total); err != nil {
				return err
			}
		}
	}
	return nil
}

// padded is n rounded up to the alignment.
func padded(n int64) int64 { return (n + alignment - 1) / alignment * alignment }

// pad appends the zeros that fill n bytes up to the alignment.
func pad(b []byte, n int64) []byte { return append(b, make([]byte, padded(n)-n)...) }

func (t Tensor) check() error {
	n := 1
	for _, dim := range t.Shape {
		if dim < 1 || n > math.MaxInt/dim {
			return fmt.Errorf("shape %v: expected dimensions of 1 or more", t.Shape)
		}
		n *= dim
	}
	switch {
	case t.Type.Size() == 0:
		return fmt.Errorf("unknown type %d", t.Type)
	case n != len(t.Data):
		return fmt.Errorf("%d values for shape %v", len(t.Data), t.Shape)
	case t.Transpose && len(t.Shape) != 2:
		return fmt.Errorf("shape %v can't be transposed: expected a matrix", t.Shape)
	}
	return nil
}

// write writes the values and the padding.
func (t Tensor) write(w io.Writer) error {
	var b []byte
	put := func(values []float32) (err error) {
		if b, err = t.Type.append(b[:0], values); err == nil {
			_, err = w.Write(b)
		}
		return err
	}
	if t.Transpose {
		if err := t.columns(put); err != nil {
			return err
		}
	} else {
		for rest := t.Data; len(rest) > 0; {
			n := min(len(rest), pieceLen/4)
			if err := put(rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	_, err := w.Write(pad(nil, int64(len(t.Data))*int64(t.Type.Size())))
	return err
}

// columns calls put with the matrix column by column. It gathers several columns in one pass
// over the rows, so that memory is read in longer stretches.
func (t Tensor) columns(put func([]float32) error) error {
	rows, columns := t.Shape[0], t.Shape[1]
	const most = 64
	gathered := make([]float32, min(most, columns)*rows)
	for first := 0; first < columns; first += most {
		n := min(most, columns-first)
		for row := range rows {
			for i, v := range t.Data[row*columns+first:][:n] {
				gathered[i*rows+row] = v
			}
		}
		if err := put(gathered[:n*rows]); err != nil {
			return err
		}
	}
	return nil
}

// append appends the values in the format of the type.
func (t Type) append(b []byte, values []float32) ([]byte, error) {
	switch t {
	case F16:
		return half.AppendFloat16(b, values)
	case BF16:
		return half.AppendBfloat16(b, values)
	}
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b, nil
}

// These are the format's numbers for the types of metadata.
const (
	typeUint32  = 4
	typeInt32   = 5
	typeFloat32 = 6
	typeBool    = 7
	typeString  = 8
	typeArray   = 9
)

func appendString(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}

// appendValue appends the type of a value, and the value.
func appendValue(b []byte, value any) ([]byte, error) {
	order := binary.LittleEndian
	switch v := value.(type) {
	case string:
		return appendString(order.AppendUint32(b, typeString), v), nil
	case uint32:
		return order.AppendUint32(order.AppendUint32(b, typeUint32), v), nil
	case int32:
		return order.AppendUint32(order.AppendUint32(b, typeInt32), uint32(v)), nil
	case float32:
		return order.AppendUint32(order.AppendUint32(b, typeFloat32), math.Float32bits(v)), nil
	case bool:
		b = order.AppendUint32(b, typeBool)
		if v {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case []string:
		b = order.AppendUint32(order.AppendUint32(b, typeArray), typeString)
		b = order.AppendUint64(b, uint64(len(v)))
		for _, s := range v {
			b = appendString(b, s)
		}
		return b, nil
	case []int32:
		b = order.AppendUint32(order.AppendUint32(b, typeArray), typeInt32)
		b = order.AppendUint64(b, uint64(len(v)))
		for _, n := range v {
			b = order.AppendUint32(b, uint32(n))
		}
		return b, nil
	}
	return b, fmt.Errorf("value is %T, expected a string, number or list", value)
}
