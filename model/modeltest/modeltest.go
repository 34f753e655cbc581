// Package modeltest makes models for tests of other packages.
package modeltest

import (
	"testing"

	"tinygpt/model"
)

// New returns a model with random weights, which follow from the seed.
func New(t testing.TB, c model.Config, seed uint64) *model.Model {
	t.Helper()
	m, err := model.New(c, seed)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Weights returns the model's weights as decoders take them, in float32.
func Weights(t testing.TB, m *model.Model) *model.Weights {
	t.Helper()
	w, err := m.Weights(model.Float32)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
