package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func write(t *testing.T, tensors []Tensor, metadata map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Write(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	big := make([]float32, 3*chunkLen/4+5) // several pieces, the last one short
	for i := range big {
		big[i] = math.Float32frombits(rand.New(rand.NewPCG(1, uint64(i))).Uint32())
	}
	doubles := []float64{0.1, math.Inf(-1), math.NaN(), math.Copysign(0, -1)}
	wides, ints := []int64{math.MinInt64, 7}, []int32{-1, math.MaxInt32, 3}
	path := write(t, []Tensor{
		{"big", []int{len(big)}, big},
		{"ints", []int{3, 1}, ints},
		{"doubles", []int{2, 2}, doubles},
		{"scalar <&> \"é\"", nil, []float32{2}},
		{"empty", []int{4, 0}, []float32{}},
		{"wides", []int{2}, wides},
	}, map[string]string{"step": "12", "note": "a\nb"})
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
	if f.data%8 != 0 {
		t.Errorf("data begin at %d, not aligned", f.data)
	}
	for _, name := range f.Names() {
		if info := f.infos[name]; info.begin%int64(info.Dtype.Size()) != 0 {
			t.Errorf("%s begins at %d, not aligned", name, info.begin)
		}
	}
	want := []string{"doubles", "wides", "big", "ints", "scalar <&> \"é\"", "empty"}
	slices.Sort(want)
	got := f.Names()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("names %q", got)
	}
	if m := f.Metadata(); m["step"] != "12" || m["note"] != "a\nb" || len(m) != 3 {
		t.Errorf("metadata %q", m)
	}
	gotBig, gotDoubles, gotWides, gotInts := make([]float32, len(big)), make([]float64, 4), make([]int64, 2), make([]int32, 3)
	if err := errors.Join(f.Float32("big", gotBig), f.Float64("doubles", gotDoubles), f.Int64("wides", gotWides), f.Int32("ints", gotInts)); err != nil {
		t.Fatal(err)
	}
	for i := range big {
		if math.Float32bits(big[i]) != math.Float32bits(gotBig[i]) {
			t.Fatalf("big[%d]: %v, expected %v", i, gotBig[i], big[i])
		}
	}
	for i := range doubles {
		if math.Float64bits(doubles[i]) != math.Float64bits(gotDoubles[i]) {
			t.Errorf("doubles[%d]: %v, expected %v", i, gotDoubles[i], doubles[i])
		}
	}
	if !slices.Equal(wides, gotWides) || !slices.Equal(ints, gotInts) {
		t.Errorf("%v %v, expected %v %v", gotWides, gotInts, wides, ints)
	}
}

// TestBytes fixes the bytes, header and all.
func TestBytes(t *testing.T) {
	metadata := map[string]string{"b": "2", "a": "1"}
	path := write(t, []Tensor{{"x", []int{1}, []float32{1}}}, metadata)
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data := "\x00\x00\x80\x3f"
	sum := sha256.Sum256([]byte(data))
	header := `{"__metadata__":{"a":"1","b":"2","sha256":"` + hex.EncodeToString(sum[:]) + `"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	if want := assemble(header, data); !bytes.Equal(got, want) {
		t.Errorf("%q\nexpected\n%q", got, want)
	}
	if len(metadata) != 2 {
		t.Error("the caller's metadata was changed")
	}
	if left, _ := filepath.Glob(path + "?*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestAltered flips each byte of the data in turn.
func TestAltered(t *testing.T) {
	path := write(t, []Tensor{{"x", []int{2}, []float32{1, 2}}}, nil)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8 + int(binary.LittleEndian.Uint64(file)); i < len(file); i++ {
		file[i] ^= 1
		f, err := Parse(bytes.NewReader(file), int64(len(file)), "weights")
		if err != nil {
			t.Fatal(err)
		}
		expectError(t, f.Verify(), "weights: the data was altered")
		file[i] ^= 1
	}
}

func TestWriteRefused(t *testing.T) {
	x := Tensor{"x", []int{1}, []float32{1}}
	for _, c := range []struct {
		tensors  []Tensor
		metadata map[string]string
		want     string
	}{
		{[]Tensor{x, x}, nil, `tensor "x": the name occurs twice`},
		{[]Tensor{{"__metadata__", []int{1}, []float32{1}}}, nil, "the format's own"},
		{[]Tensor{{"\xff", []int{1}, []float32{1}}}, nil, "isn't UTF-8"},
		{[]Tensor{{"x", []int{2}, []float32{1}}}, nil, "1 values for shape [2]"},
		{[]Tensor{{"x", []int{-1}, []float32{1}}}, nil, "negative dimension"},
		{[]Tensor{{"x", []int{math.MaxInt, 4}, []float32{1}}}, nil, "overflows"},
		{[]Tensor{{"x", []int{1}, []int{1}}}, nil, "data is []int"},
		{[]Tensor{x}, map[string]string{"sha256": "0"}, "the writer's own"},
		{[]Tensor{x}, map[string]string{"a": "\xff"}, "isn't UTF-8"},
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		expectError(t, Write(path, c.tensors, c.metadata), c.want)
		if left, _ := filepath.Glob(path + "*"); left != nil {
			t.Errorf("%s: left behind %v", c.want, left)
		}
	}
}

// TestKeepsOld: a write that fails leaves the file that was there.
func TestKeepsOld(t *testing.T) {
	path := write(t, []Tensor{{"x", []int{1}, []float32{1}}}, nil)
	before, _ := os.ReadFile(path)
	if err := os.Mkdir(path+".tmp", 0o777); err != nil { // in the way of the temporary file
		t.Fatal(err)
	}
	if Write(path, []Tensor{{"x", []int{1}, []float32{2}}}, nil) == nil {
		t.Fatal("no error")
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the old file was changed")
	}
	expectNotExist := filepath.Join(t.TempDir(), "no", "x")
	if err := Write(expectNotExist, nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// FuzzWrite: any names and metadata that are written are read back.
func FuzzWrite(f *testing.F) {
	f.Add("wte.weight", "step", "12", []byte{1, 2, 3, 4})
	f.Add("\u2028<>", "", "\x00\"\\", []byte{})
	f.Fuzz(func(t *testing.T, name, key, value string, raw []byte) {
		data := make([]float32, len(raw))
		for i, b := range raw {
			data[i] = float32(b)
		}
		path := filepath.Join(t.TempDir(), "x")
		if Write(path, []Tensor{{name, []int{len(data)}, data}}, map[string]string{key: value}) != nil {
			return
		}
		file, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		got := make([]float32, len(data))
		if err := errors.Join(file.Float32(name, got), file.Verify()); err != nil || !slices.Equal(got, data) || file.Metadata()[key] != value {
			t.Errorf("%v %v %q", got, err, file.Metadata())
		}
	})
}
