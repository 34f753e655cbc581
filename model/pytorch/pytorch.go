// Package pytorch reads the tensors of files that PyTorch's torch.save wrote, such as
// pytorch_model.bin: pickles, which are programs that could run anything when Python loads
// them. Nothing runs here. Of the pickle's instructions those are followed that a dictionary
// of tensors needs; what asks for anything else is refused by its name.
//
// Both forms are read: a zip archive (since PyTorch 1.6) and the older row of pickles.
package pytorch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"tinygpt/model/safetensors"
)

// maxPickle bounds the pickle, which describes the tensors, in bytes. That of GPT-2's largest
// model has 100 KB.
const maxPickle = 16 << 20

// mostDimensions bounds a tensor's dimensions.
const mostDimensions = 8

// Open finds the tensors of a file that holds a dictionary of them, as torch.save writes a
// model's state_dict. Files of the file system must be readable at any offset.
func Open(fsys fs.FS, name string) (*safetensors.File, error) {
	return safetensors.OpenWith(fsys, name, func(r io.ReaderAt, size int64, name string) (*safetensors.File, error) {
		tensors, err := parse(r, size)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return safetensors.Located(r, size, name, tensors)
	})
}

// parse finds the tensors of a file of the given size.
func parse(r io.ReaderAt, size int64) ([]safetensors.Place, error) {
	start := make([]byte, len(legacyMagic))
	n, err := r.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	start = start[:n]
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return parseZip(r, size)
	case bytes.Equal(start, legacyMagic):
		return parseLegacy(r, size)
	}
	return nil, errors.New("neither of the two forms of torch.save: expected a zip archive or PyTorch's older pickles")
}

// storage is the memory that tensors are in.
type storage struct {
	dtype safetensors.Dtype
	key   string
	count int64 // of elements
}

// tensor is a piece of a storage, row by row.
type tensor struct {
	storage       *storage
	offset        int64 // in elements
	shape, stride []int64
}

// elements is the number of the tensor's elements, if they lie next to each other within their
// storage.
func (t *tensor) elements() (n int64, err error) {
	n = 1
	if len(t.shape) != len(t.stride) || len(t.shape) > mostDimensions {
		return 0, fmt.Errorf("shape %v and strides %v don't fit together", t.shape, t.stride)
	}
	for i := len(t.shape) - 1; i >= 0; i-- {
		size := t.shape[i]
		switch {
		case size < 1 || size > t.storage.count/n:
			return 0, fmt.Errorf("shape %v: the storage has %d elements", t.shape, t.storage.count)
		case size > 1 && t.stride[i] != n:
			return 0, fmt.Errorf("shape %v has strides %v: only tensors in one piece are read; save it with .contiguous()", t.shape, t.stride)
		}
		n *= size
	}
	if t.offset < 0 || t.offset > t.storage.count-n {
		return 0, fmt.Errorf("elements %d to %d: the storage has %d", t.offset, t.offset+n, t.storage.count)
	}
	return n, nil
}

// places says where the tensors of a dictionary are. at finds the first byte of a storage and
// checks that all of it is in the file.
func places(state *dict, at func(*storage) (int64, error)) ([]safetensors.Place, error) {
	var list []safetensors.Place
	seen := map[string]bool{}
	for i, key := range state.keys {
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("entry %d has %s as its key, expected the name of a tensor", i, kindOf(key))
		}
		t, ok := state.values[i].(*tensor)
		if !ok {
			return nil, fmt.Errorf("entry %q is %s, expected a tensor: only a model's state_dict is read, a dictionary of tensors by name", name, kindOf(state.values[i]))
		}
		if seen[name] {
			return nil, fmt.Errorf("entry %q is there twice", name)
		}
		seen[name] = true
		n, err := t.elements()
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		begin, err := at(t.storage)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		width := int64(t.storage.dtype.Size())
		shape := make([]int, len(t.shape))
		for i, size := range t.shape {
			shape[i] = int(size)
		}
		begin += t.offset * width
		list = append(list, safetensors.Place{Name: name, Dtype: t.storage.dtype, Shape: shape, Begin: begin, End: begin + n*width})
	}
	return list, nil
}

// kindOf names a value of a pickle.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return "a text"
	case int64, bool, float64:
		return fmt.Sprintf("the number %v", v)
	case *dict:
		return "a dictionary"
	case tuple, *list:
		return "a list"
	case *tensor:
		return "a tensor"
	case *storage:
		return "a storage"
	case global:
		return fmt.Sprintf("the Python object %s", string(v))
	}
	return "something else"
}
