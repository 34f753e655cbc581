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
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

func write(t testing.TB, tensors []Tensor, metadata map[string]string) string {
	t.Helper()
	path := fixture.NewPath(t, "x.safetensors")
	if err := Write(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	return path
}

// verified opens a file, whose checksum must be right, until the test ends.
func verified(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
	return f
}

func TestRoundTrip(t *testing.T) {
	big := make([]float32, 3*chunkLen/4+5) // several pieces, the last one short
	for i := range big {
		big[i] = math.Float32frombits(rand.New(rand.NewPCG(1, uint64(i))).Uint32())
	}
	doubles := []float64{0.1, math.Inf(-1), math.NaN(), math.Copysign(0, -1)}
	wides, ints := []int64{math.MinInt64, 7}, []int32{-1, math.MaxInt32, 3}
	path := write(t, []Tensor{
		{Name: "big", Shape: []int{len(big)}, Data: big},
		{Name: "ints", Shape: []int{3, 1}, Data: ints},
		{Name: "doubles", Shape: []int{2, 2}, Data: doubles},
		{Name: "scalar <&> \"é\"", Shape: nil, Data: []float32{2}},
		{Name: "empty", Shape: []int{4, 0}, Data: []float32{}},
		{Name: "wides", Shape: []int{2}, Data: wides},
	}, map[string]string{"step": "12", "note": "a\nb"})
	f := verified(t, path)
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
	if m := f.Metadata(); m["step"] != "12" || m["note"] != "a\nb" || len(m) != 4 {
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

// A narrowed tensor holds the nearest values; infinities and NaNs stay what they are.
func TestNarrow(t *testing.T) {
	inf := float32(math.Inf(1))
	values := []float32{1, 0.1, -65504, 1e-8, inf, -inf, float32(math.NaN())}
	path := write(t, []Tensor{
		{Name: "half", Shape: []int{7}, Data: values, Narrow: F16},
		{Name: "b", Shape: []int{7, 1}, Data: values, Narrow: BF16},
		{Name: "wide", Shape: []int{7}, Data: values},
	}, nil)
	f := verified(t, path)
	for name, want := range map[string][]float32{
		"half": {1, 0.0999755859375, -65504, 0, inf, -inf},
		"b":    {1, 0.10009765625, -65536, 0x1.58p-27, inf, -inf},
		"wide": values[:6],
	} {
		got := make([]float32, 7)
		if err := f.Float32(name, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[:6], want) || got[6] == got[6] {
			t.Errorf("%s: %v, expected %v and a NaN", name, got, want)
		}
		if equal, err := f.Float32Equal(name, slices.Concat(got[:6], got[:1])); equal || err != nil {
			t.Errorf("%s: equals other values: %v", name, err)
		}
	}
	if _, err := f.Float32Equal("wide", values[:6]); err == nil {
		t.Error("7 values were compared with 6")
	}
	for name, dtype := range map[string]Dtype{"half": F16, "b": BF16, "wide": F32} {
		if info, _ := f.Info(name); info.Dtype != dtype {
			t.Errorf("%s is %s", name, info.Dtype)
		}
	}
}

// TestFloat32Equal compares a tensor of several pieces, each time with one value
// changed.
func TestFloat32Equal(t *testing.T) {
	values := make([]float32, chunkLen/4+7)
	for i := range values {
		values[i] = float32(i)
	}
	f, err := Open(write(t, []Tensor{{Name: "x", Shape: []int{len(values)}, Data: values}}, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, at := range []int{-1, 0, chunkLen / 4, len(values) - 1} {
		other := slices.Clone(values)
		if at >= 0 {
			other[at]++
		}
		if equal, err := f.Float32Equal("x", other); equal != (at < 0) || err != nil {
			t.Errorf("changed at %d: %v %v", at, equal, err)
		}
	}
}

// TestBytes fixes the bytes, header and all.
func TestBytes(t *testing.T) {
	metadata := map[string]string{"b": "2", "a": "1"}
	path := write(t, []Tensor{{Name: "x", Shape: []int{1}, Data: []float32{1}}}, metadata)
	got := expect.File(t, path)
	data := "\x00\x00\x80\x3f"
	sum := sha256.Sum256([]byte(data))
	header := func(own string) string {
		header := `{"__metadata__":{"a":"1","b":"2","sha256":"` + hex.EncodeToString(sum[:]) + `","sha256_header":"` + own + `"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
		for len(header)%8 != 0 {
			header += " "
		}
		return header
	}
	own := sha256.Sum256([]byte(header(strings.Repeat("0", 64))))
	if want := assemble(header(hex.EncodeToString(own[:])), data); !bytes.Equal(got, want) {
		t.Errorf("%q\nexpected\n%q", got, want)
	}
	if len(metadata) != 2 {
		t.Error("the caller's metadata was changed")
	}
	expect.Alone(t, path)
}

// TestAltered flips each byte of the data in turn.
func TestAltered(t *testing.T) {
	path := write(t, []Tensor{{Name: "x", Shape: []int{2}, Data: []float32{1, 2}}}, nil)
	file := expect.File(t, path)
	for i := 8 + int(binary.LittleEndian.Uint64(file)); i < len(file); i++ {
		file[i] ^= 1
		f, err := Parse(bytes.NewReader(file), int64(len(file)), "weights")
		if err != nil {
			t.Fatal(err)
		}
		expect.OneLine(t, f.Verify(), "weights: the data was altered")
		file[i] ^= 1
	}
}

func TestWriteRefused(t *testing.T) {
	x := Tensor{Name: "x", Shape: []int{1}, Data: []float32{1}}
	for _, c := range []struct {
		tensors  []Tensor
		metadata map[string]string
		want     string
	}{
		{[]Tensor{x, x}, nil, `tensor "x": the name occurs twice`},
		{[]Tensor{{Name: "__metadata__", Shape: []int{1}, Data: []float32{1}}}, nil, "the format's own"},
		{[]Tensor{{Name: "\xff", Shape: []int{1}, Data: []float32{1}}}, nil, "isn't UTF-8"},
		{[]Tensor{{Name: "x", Shape: []int{2}, Data: []float32{1}}}, nil, "1 values for shape [2]"},
		{[]Tensor{{Name: "x", Shape: []int{-1}, Data: []float32{1}}}, nil, "negative dimension"},
		{[]Tensor{{Name: "x", Shape: []int{math.MaxInt, 4}, Data: []float32{1}}}, nil, "overflows"},
		{[]Tensor{{Name: "x", Shape: []int{1}, Data: []int{1}}}, nil, "data is []int"},
		{[]Tensor{{Name: "x", Shape: []int{1}, Data: []int32{1}, Narrow: F16}}, nil, `[]int32 can't be narrowed to "F16"`},
		{[]Tensor{{Name: "x", Shape: []int{1}, Data: []float32{1}, Narrow: I32}}, nil, `[]float32 can't be narrowed to "I32"`},
		{[]Tensor{{Name: "x", Shape: []int{2}, Data: []float32{1, -65520}, Narrow: F16}}, nil, `tensor "x": value -65520 is out of the range of float16`},
		{[]Tensor{{Name: "x", Shape: []int{1}, Data: []float32{math.MaxFloat32}, Narrow: BF16}}, nil, "is out of the range of"},
		{[]Tensor{x}, map[string]string{"sha256": "0"}, "the writer's own"},
		{[]Tensor{x}, map[string]string{"a": "\xff"}, "isn't UTF-8"},
	} {
		dir := t.TempDir()
		expect.OneLine(t, Write(dir+"/x.safetensors", c.tensors, c.metadata), c.want)
		expect.Folder(t, dir)
	}
}

// TestKeepsOld: a write that fails leaves the file that was there.
func TestKeepsOld(t *testing.T) {
	path := write(t, []Tensor{{Name: "x", Shape: []int{1}, Data: []float32{1}}}, nil)
	before := expect.File(t, path)
	full := errors.New("no space left")
	tensors := []Tensor{{Name: "x", Shape: []int{1}, Data: []float32{2}}}
	if err := WriteProgress(path, tensors, nil, func(_, _ int64) error { return full }); !errors.Is(err, full) {
		t.Fatal(err)
	}
	if !bytes.Equal(before, expect.File(t, path)) {
		t.Error("the old file was changed")
	}
	if err := Write(fixture.NewPath(t, "no/x"), nil, nil); !errors.Is(err, os.ErrNotExist) {
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
		path := fixture.NewPath(t, "x")
		if Write(path, []Tensor{{Name: name, Shape: []int{len(data)}, Data: data}}, map[string]string{key: value}) != nil {
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

// Progress ends with the total; an error of it ends the work and keeps the old file.
func TestWriteProgress(t *testing.T) {
	path := write(t, []Tensor{{Name: "x", Shape: []int{1}, Data: []float32{1}}}, nil)
	before := expect.File(t, path)
	tensors := []Tensor{{Name: "x", Shape: []int{2, 2}, Data: make([]float32, 4)}, {Name: "y", Data: []int64{3}}}
	stop := errors.New("stopped")
	if err := WriteProgress(path, tensors, nil, func(_, _ int64) error { return stop }); err != stop {
		t.Error(err)
	}
	if !bytes.Equal(before, expect.File(t, path)) {
		t.Error("the old file was changed")
	}
	expect.Alone(t, path)
	var told []int64
	if err := WriteProgress(path, tensors, nil, func(done, total int64) error { told = append(told, done, total); return nil }); err != nil || !slices.Equal(told, []int64{1, 5, 5, 5}) {
		t.Errorf("%v %v", told, err)
	}
}

// A file of which any bit was flipped isn't read as it was, unless the bit is in the name of
// a checksum, which then isn't known.
func TestBitFlips(t *testing.T) {
	path := write(t, []Tensor{{Name: "x", Shape: []int{2}, Data: []float32{1, 2}}}, map[string]string{"step": "12"})
	whole := expect.File(t, path)
	header := bytes.Index(whole, []byte(headerKey))
	for at := range whole {
		for bit := range 8 {
			altered := bytes.Clone(whole)
			altered[at] ^= 1 << bit
			fixture.Write(t, path, altered)
			f, err := Open(path)
			if err == nil {
				err = f.Verify()
				f.Close()
			}
			if err == nil && (at < header || at >= header+len(headerKey)) {
				t.Errorf("bit %d of byte %d of %q: no error", bit, at, whole)
			}
		}
	}
}
