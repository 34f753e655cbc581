package safetensors

import (
	"fmt"
	"io"
	"slices"
)

// Place is a tensor in a file of another format: its elements lie in one piece, row by row,
// from byte Begin to End of the file, little-endian.
type Place struct {
	Name       string
	Dtype      Dtype
	Shape      []int
	Begin, End int64
}

// Located returns a File for tensors at known places of a file of another format, which has
// that size. Tensors may share bytes, like tied embeddings; not so many that reading all takes
// memory out of proportion to the file.
func Located(r io.ReaderAt, size int64, name string, places []Place) (*File, error) {
	f := &File{name: name, reader: r, infos: map[string]Info{}, dataLen: size}
	const mostShared = 8 // times the file's size
	total := int64(0)
	for _, p := range places {
		bytes := int64(p.Dtype.Size())
		for _, n := range p.Shape {
			bytes *= int64(n)
		}
		if p.Begin < 0 || p.End > size || bytes < 1 || p.End-p.Begin != bytes {
			return nil, fmt.Errorf("%s: tensor %q: bytes %d to %d for shape %v of %s", name, p.Name, p.Begin, p.End, p.Shape, p.Dtype)
		}
		if total += bytes; total/mostShared > size {
			return nil, fmt.Errorf("%s: the tensors share bytes and have more than %d times those of the file", name, mostShared)
		}
		if _, ok := f.infos[p.Name]; ok {
			return nil, fmt.Errorf("%s: tensor %q is there twice", name, p.Name)
		}
		f.names = append(f.names, p.Name)
		f.infos[p.Name] = Info{Dtype: p.Dtype, Shape: slices.Clone(p.Shape), begin: p.Begin, end: p.End}
	}
	return f, nil
}
