package gguf

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// TestReference writes what the format's own Python package wrote (with
// study/verify/python/check_gguf.py), byte for byte.
func TestReference(t *testing.T) {
	want := expect.File(t, "testdata/reference.gguf")
	const rows, columns = 9, 70
	values := make([]float32, rows*columns)
	for i := range values {
		values[i] = (float32(i) - 300) * 0.013
	}
	corner := make([]float32, 0, 12)
	for row := range 3 {
		corner = append(corner, values[row*columns:][:4]...)
	}
	path, last := fixture.NewPath(t, "x.gguf"), int64(0)
	err := Write(path, []Pair{
		{"general.architecture", "gpt2"},
		{"general.name", `é "q"`},
		{"gpt2.block_count", uint32(7)},
		{"some.negative", int32(-7)},
		{"gpt2.attention.layer_norm_epsilon", float32(1e-5)},
		{"some.yes", true},
		{"some.no", false},
		{"tokenizer.ggml.tokens", []string{"a", "Ġb", ""}},
		{"tokenizer.ggml.token_type", []int32{1, 3, -1}},
	}, []Tensor{
		{Name: "vector", Shape: []int{5}, Data: values[:5]},
		{Name: "matrix", Shape: []int{3, 4}, Data: corner},
		{Name: "transposed", Shape: []int{rows, columns}, Transpose: true, Data: values},
		{Name: "half", Type: F16, Shape: []int{rows, columns}, Data: values},
		{Name: "bfloat", Type: BF16, Shape: []int{rows, columns}, Transpose: true, Data: values},
	}, func(done, total int64) error {
		if done <= last || total != 3*rows*columns+5+12 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
		return nil
	})
	if last != 3*rows*columns+5+12 {
		t.Errorf("progress ends at %d", last)
	}
	if err != nil {
		t.Fatal(err)
	}
	got := expect.File(t, path)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("byte %d differs:\n%q\nexpected\n%q", i, got[max(0, i-40):min(len(got), i+40)], want[max(0, i-40):min(len(want), i+40)])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d bytes, expected %d", len(got), len(want))
	}
}

func TestWriteRefused(t *testing.T) {
	x := Tensor{Name: "x", Shape: []int{2}, Data: []float32{1, 2}}
	for want, c := range map[string]struct {
		metadata []Pair
		tensors  []Tensor
	}{
		`metadata key "a" occurs twice`:          {[]Pair{{"a", true}, {"a", false}}, nil},
		`metadata "a": value is int, expected a`: {[]Pair{{"a", 1}}, nil},
		`tensor "x" occurs twice`:                {nil, []Tensor{x, x}},
		`tensor "x": 2 values for shape [3]`:     {nil, []Tensor{{Name: "x", Shape: []int{3}, Data: x.Data}}},
		"shape [0]: expected dimensions":         {nil, []Tensor{{Name: "x", Shape: []int{0}}}},
		"shape [2 9223372036854775807]":          {nil, []Tensor{{Name: "x", Shape: []int{2, math.MaxInt}}}},
		"unknown type 2":                         {nil, []Tensor{{Name: "x", Type: 2, Shape: []int{2}, Data: x.Data}}},
		"shape [2] can't be transposed":          {nil, []Tensor{{Name: "x", Shape: []int{2}, Data: x.Data, Transpose: true}}},
		"stopped":                                {nil, []Tensor{x}},
		`"x": value 70000 is out of the range`:   {nil, []Tensor{{Name: "x", Type: F16, Shape: []int{1}, Data: []float32{70000}}}},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.gguf")
		fixture.Write(t, path, "old")
		err := Write(path, c.metadata, c.tensors, func(int64, int64) error { return errors.New("stopped") })
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("error %v, expected %q", err, want)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%s: not removed %v", want, left)
		}
		if old := expect.File(t, path); !bytes.Equal(old, []byte("old")) {
			t.Errorf("%s: the old file was changed", want)
		}
	}
}
