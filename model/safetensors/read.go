package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"tinygpt/model/half"
)

// chunkLen bounds the bytes in flight between file and caller's memory; a multiple
// of every element size.
const chunkLen = 256 << 10

// Float32 reads the tensor into dst, which must have exactly its number of
// elements. F16 and BF16 are widened, F64 is rounded (to ±Inf where it is out of
// range); tensors of integers are refused.
func (f *File) Float32(name string, dst []float32) error { return readFloats(f, name, dst) }

// Float64 reads the tensor into dst, which must have exactly its number of
// elements. Every kind of float is widened; tensors of integers are refused.
func (f *File) Float64(name string, dst []float64) error { return readFloats(f, name, dst) }

// Int64 reads the tensor into dst, which must have exactly its number of elements.
// Every kind of integer is widened; tensors of floats are refused.
func (f *File) Int64(name string, dst []int64) error { return readInts(f, name, dst) }

// Int32 reads the tensor into dst, which must have exactly its number of elements.
// Every kind of integer is read; a value that doesn't fit is an error, and so are
// tensors of floats.
func (f *File) Int32(name string, dst []int32) error { return readInts(f, name, dst) }

// Float32Equal reports whether the tensor, read by Float32, equals values, of which there must
// be as many as it has elements.
func (f *File) Float32Equal(name string, values []float32) (bool, error) {
	info, err := f.findFloats(name)
	if err != nil {
		return false, err
	}
	equal := true
	piece := make([]float32, chunkLen/2)
	err = f.stream(name, info, len(values), func(first int, raw []byte) error {
		piece := piece[:len(raw)/info.Dtype.Size()]
		decodeFloats(piece, raw, info.Dtype)
		equal = equal && slices.Equal(piece, values[first:first+len(piece)])
		return nil
	})
	return equal, err
}

// Floats reads all tensors of a file, which are of floats and fit into memory.
func Floats(path string) (map[string][]float32, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string][]float32{}
	for _, name := range f.Names() {
		info, err := f.findFloats(name)
		if err != nil {
			return nil, err
		}
		all[name] = make([]float32, info.Len())
		if err := f.Float32(name, all[name]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func readFloats[T float32 | float64](f *File, name string, dst []T) error {
	info, err := f.findFloats(name)
	if err != nil {
		return err
	}
	return f.stream(name, info, len(dst), func(first int, raw []byte) error {
		decodeFloats(dst[first:], raw, info.Dtype)
		return nil
	})
}

// findFloats is find for a tensor that must hold floats.
func (f *File) findFloats(name string) (Info, error) {
	info, err := f.find(name)
	if err != nil {
		return info, err
	}
	switch info.Dtype {
	case F64, F32, F16, BF16:
		return info, nil
	}
	return info, fmt.Errorf("%s: tensor %q holds %s, expected floats", f.name, name, info.Dtype)
}

func readInts[T int32 | int64](f *File, name string, dst []T) error {
	info, err := f.find(name)
	if err != nil {
		return err
	}
	switch info.Dtype {
	case F64, F32, F16, BF16:
		return fmt.Errorf("%s: tensor %q holds %s, expected integers", f.name, name, info.Dtype)
	}
	size := info.Dtype.Size()
	return f.stream(name, info, len(dst), func(first int, raw []byte) error {
		for i := range len(raw) / size {
			v := integer(raw[i*size:], info.Dtype)
			dst[first+i] = T(v)
			if int64(dst[first+i]) != v {
				return fmt.Errorf("%s: tensor %q: value %d at %d doesn't fit 32 bits", f.name, name, v, first+i)
			}
		}
		return nil
	})
}

// stream reads a tensor's bytes in order, and calls take with each piece and the index of its
// first element.
func (f *File) stream(name string, info Info, buffer int, take func(first int, raw []byte) error) error {
	if buffer != info.Len() {
		return fmt.Errorf("%s: tensor %q has %d elements (shape %v), expected %d", f.name, name, info.Len(), info.Shape, buffer)
	}
	chunk := make([]byte, min(chunkLen, info.end-info.begin))
	for at := info.begin; at < info.end; at += int64(len(chunk)) {
		chunk = chunk[:min(int64(len(chunk)), info.end-at)]
		if err := readAt(f.reader, chunk, f.data+at); err != nil {
			return fmt.Errorf("%s: tensor %q: %w", f.name, name, err)
		}
		if err := take(int((at-info.begin)/int64(info.Dtype.Size())), chunk); err != nil {
			return err
		}
	}
	return nil
}

// decodeFloats converts all of raw into the front of dst.
func decodeFloats[T float32 | float64](dst []T, raw []byte, d Dtype) {
	order := binary.LittleEndian
	switch d {
	case F64:
		for i := range len(raw) / 8 {
			dst[i] = T(math.Float64frombits(order.Uint64(raw[8*i:])))
		}
	case F32:
		for i := range len(raw) / 4 {
			dst[i] = T(math.Float32frombits(order.Uint32(raw[4*i:])))
		}
	case F16:
		for i := range len(raw) / 2 {
			dst[i] = T(half.FromFloat16(order.Uint16(raw[2*i:])))
		}
	case BF16:
		for i := range len(raw) / 2 {
			dst[i] = T(half.FromBfloat16(order.Uint16(raw[2*i:])))
		}
	}
}

// integer is the first element of raw.
func integer(raw []byte, d Dtype) int64 {
	order := binary.LittleEndian
	switch d {
	case I64:
		return int64(order.Uint64(raw))
	case I32:
		return int64(int32(order.Uint32(raw)))
	case I16:
		return int64(int16(order.Uint16(raw)))
	case I8:
		return int64(int8(raw[0]))
	case U32:
		return int64(order.Uint32(raw))
	case U16:
		return int64(order.Uint16(raw))
	default: // U8, Bool
		return int64(raw[0])
	}
}
