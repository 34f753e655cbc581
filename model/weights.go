package model

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"tinygpt/model/safetensors"
)

// Tensors lists the parameters' values for a safetensors file: names and layouts
// are Hugging Face's, so that other programs read the file as it is.
func (m *Model) Tensors() []safetensors.Tensor {
	var list []safetensors.Tensor
	for _, p := range m.Parameters {
		list = append(list, safetensors.Tensor{Name: p.Name, Shape: p.Value.Shape(), Data: p.Value.Float32s()})
	}
	return list
}

// LoadWeights reads every parameter from the file into the memory it has; other
// tensors of the file are left alone. A missing tensor or another shape is an
// error that names both, before anything is changed.
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

// Crop shortens the context to its first positions, as far as a model can be
// changed without training it anew.
func (m *Model) Crop(context int) error {
	c := m.Config
	if context < 1 || context > c.Context {
		return fmt.Errorf("model.context is %d: the weights have %d positions, which can be cut down but not extended", context, c.Context)
	}
	p := m.byName[namesOf(c.Arch).positions]
	kept := append([]float32(nil), p.Value.Float32s()[:context*c.Width]...)
	p.Value, p.Grad = tensor.New(tensor.WithShape(context, c.Width), tensor.WithBacking(kept)), nil
	m.Config.Context = context
	return nil
}
