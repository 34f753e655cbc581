package safetensors

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"tinygpt/internal/atomicfile"
	"tinygpt/model/half"
)

// Tensor is a tensor to be written.
type Tensor struct {
	Name  string
	Shape []int
	// Data is a []float32, []float64, []int32 or []int64, row-major; it gives the
	// file's dtype and is not changed.
	Data any
	// Narrow is F16 or BF16 to have a []float32 rounded to that dtype. A finite value
	// that would become infinite is refused.
	Narrow Dtype
}

// describe returns what the header says of the tensor, with its offsets from 0.
func (t Tensor) describe() (Info, error) {
	var d Dtype
	var n int
	switch data := t.Data.(type) {
	case []float64:
		d, n = F64, len(data)
	case []float32:
		d, n = F32, len(data)
	case []int64:
		d, n = I64, len(data)
	case []int32:
		d, n = I32, len(data)
	default:
		return Info{}, fmt.Errorf("data is %T, expected a slice of float32, float64, int32 or int64", t.Data)
	}
	if t.Narrow != "" {
		if d != F32 || t.Narrow != F16 && t.Narrow != BF16 {
			return Info{}, fmt.Errorf("%T can't be narrowed to %q: only float32 to %s or %s", t.Data, t.Narrow, F16, BF16)
		}
		d = t.Narrow
	}
	dims := make([]int64, len(t.Shape))
	for i, dim := range t.Shape {
		if dim < 0 {
			return Info{}, fmt.Errorf("shape %v has a negative dimension", t.Shape)
		}
		dims[i] = int64(dim)
	}
	size, err := byteLen(dims, d)
	if err != nil {
		return Info{}, err
	}
	if int64(n) != size/int64(d.Size()) {
		return Info{}, fmt.Errorf("%d values for shape %v", n, t.Shape)
	}
	return Info{Dtype: d, Shape: t.Shape, end: size}, nil
}

// Write writes the tensors in their order, those with larger elements first, which
// keeps all of them aligned. The metadata is the caller's,
// except for the keys "sha256" and "sha256_header", which Write sets for File.Verify. The same
// arguments give the same bytes.
//
// The file appears under its name when it is complete and on the disk.
func Write(path string, tensors []Tensor, metadata map[string]string) error {
	return WriteProgress(path, tensors, metadata, nil)
}

// WriteProgress is Write that calls progress after each tensor with how many of total values
// are written. If progress returns an error, the work ends with that error and leaves no file.
func WriteProgress(path string, tensors []Tensor, metadata map[string]string, progress func(done, total int64) error) error {
	header, ordered, err := layOut(tensors, metadata)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var done, total int64
	for _, t := range ordered {
		total += t.len()
	}
	return atomicfile.Write(path, func(file *os.File) error {
		// The checksum is known when the data has been written, so the header is
		// written twice: first with zeros in its place.
		data := int64(len(header(noSum)))
		if _, err := file.Seek(data, io.SeekStart); err != nil {
			return err
		}
		hash := sha256.New()
		for _, t := range ordered {
			if err := t.encode(io.MultiWriter(file, hash)); err != nil {
				return fmt.Errorf("%s: tensor %q: %w", path, t.Name, err)
			}
			if done += t.len(); progress != nil {
				if err := progress(done, total); err != nil {
					return err
				}
			}
		}
		_, err := file.WriteAt(header(hex.EncodeToString(hash.Sum(nil))), 0)
		return err
	})
}

// layOut checks the tensors, gives each its place, and returns the header as a
// function of the checksum, whose length is always the same.
func layOut(tensors []Tensor, metadata map[string]string) (header func(sum string) []byte, ordered []Tensor, err error) {
	for _, key := range []string{checksumKey, headerKey} {
		if _, ok := metadata[key]; ok {
			return nil, nil, fmt.Errorf("metadata key %q is the writer's own", key)
		}
	}
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, nil, fmt.Errorf("metadata %q: %q isn't UTF-8", key, value)
		}
	}
	infos := make(map[string]Info, len(tensors))
	for _, t := range tensors {
		info, err := t.describe()
		switch {
		case err != nil:
		case !utf8.ValidString(t.Name):
			err = errors.New("the name isn't UTF-8")
		case t.Name == metadataKey:
			err = errors.New("the name is the format's own")
		case infos[t.Name].Dtype != "":
			err = errors.New("the name occurs twice")
		}
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		infos[t.Name] = info
	}
	ordered = slices.Clone(tensors)
	slices.SortStableFunc(ordered, func(a, b Tensor) int {
		return cmp.Compare(infos[b.Name].Dtype.Size(), infos[a.Name].Dtype.Size())
	})

	var entries bytes.Buffer
	var at int64
	for _, t := range ordered {
		info := infos[t.Name]
		shape := info.Shape
		if shape == nil {
			shape = []int{} // null isn't a shape
		}
		fmt.Fprintf(&entries, `,%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`,
			quote(t.Name), info.Dtype, quote(shape), at, at+info.end)
		at += info.end
	}
	header = func(sum string) []byte {
		meta := maps.Clone(metadata)
		if meta == nil {
			meta = map[string]string{}
		}
		text := func(own string) []byte {
			meta[checksumKey], meta[headerKey] = sum, own
			text := fmt.Appendf(nil, `{"%s":%s%s}`, metadataKey, quote(meta), entries.Bytes())
			return append(text, strings.Repeat(" ", -len(text)&7)...)
		}
		whole := text(headerSum(text(noSum), noSum))
		return append(binary.LittleEndian.AppendUint64(nil, uint64(len(whole))), whole...)
	}
	return header, ordered, nil
}

// quote is v as JSON.
func quote(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("safetensors: " + err.Error()) // strings, integers and maps of strings have no way to fail
	}
	return text
}

// len is the number of elements of the shape, which describe has checked.
func (t Tensor) len() int64 {
	n := int64(1)
	for _, dim := range t.Shape {
		n *= int64(dim)
	}
	return n
}

// encode writes the elements in pieces of bounded size.
func (t Tensor) encode(w io.Writer) error {
	order := binary.LittleEndian
	switch data := t.Data.(type) {
	case []float64:
		return encodeAll(w, data, each(func(b []byte, v float64) []byte { return order.AppendUint64(b, math.Float64bits(v)) }))
	case []float32:
		switch t.Narrow {
		case F16:
			return encodeAll(w, data, half.AppendFloat16)
		case BF16:
			return encodeAll(w, data, half.AppendBfloat16)
		}
		return encodeAll(w, data, each(func(b []byte, v float32) []byte { return order.AppendUint32(b, math.Float32bits(v)) }))
	case []int64:
		return encodeAll(w, data, each(func(b []byte, v int64) []byte { return order.AppendUint64(b, uint64(v)) }))
	default: // []int32, checked by describe
		return encodeAll(w, data.([]int32), each(func(b []byte, v int32) []byte { return order.AppendUint32(b, uint32(v)) }))
	}
}

func encodeAll[T any](w io.Writer, data []T, appendTo func([]byte, []T) ([]byte, error)) error {
	var buffer []byte
	for piece := range slices.Chunk(data, chunkLen/8) {
		var err error
		if buffer, err = appendTo(buffer[:0], piece); err != nil {
			return err
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

// each returns a function that appends a slice, given one that appends an element.
func each[T any](appendTo func([]byte, T) []byte) func([]byte, []T) ([]byte, error) {
	return func(b []byte, values []T) ([]byte, error) {
		for _, v := range values {
			b = appendTo(b, v)
		}
		return b, nil
	}
}
