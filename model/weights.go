package model

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"tinygpt/model/safetensors"
)

// Tensors lists the parameters' values for a safetensors file. Names and layouts are Hugging
// Face's, so that other programs can read the file.
func (m *Model) Tensors() []safetensors.Tensor {
	var list []safetensors.Tensor
	for _, p := range m.Parameters {
		list = append(list, safetensors.Tensor{Name: p.Name, Shape: p.Value.Shape(), Data: p.Value.Float32s()})
	}
	return list
}

// WriteValues writes the parameters' values, little endian, in the order of Parameters: what a
// checksum of the weights is taken of.
func (m *Model) WriteValues(w io.Writer) error {
	var buffer [4096]byte
	for _, p := range m.Parameters {
		for values := range slices.Chunk(p.Value.Float32s(), len(buffer)/4) {
			for i, x := range values {
				binary.LittleEndian.PutUint32(buffer[4*i:], math.Float32bits(x))
			}
			if _, err := w.Write(buffer[:4*len(values)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// LoadWeights reads every parameter from the file, whose other tensors are ignored. A missing
// tensor or another shape is an error before anything is changed; name is the file's, for
// errors.
func (m *Model) LoadWeights(f *safetensors.File, name string) error {
	for _, p := range m.Parameters {
		info, ok := f.Info(p.Name)
		if !ok {
			return fmt.Errorf("%s: no tensor %q: the weights are of another model than the configuration", name, p.Name)
		}
		if want := []int(p.Value.Shape()); !slices.Equal(info.Shape, want) {
			return fmt.Errorf("%s: tensor %q has shape %v, the configuration asks for %v", name, p.Name, info.Shape, want)
		}
	}
	for _, p := range m.Parameters {
		if err := f.Float32(p.Name, p.Value.Float32s()); err != nil {
			return err
		}
	}
	return nil
}
