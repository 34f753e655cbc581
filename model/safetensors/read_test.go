package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// TestReference reads a file of the format's own Python package.
func TestReference(t *testing.T) {
	f, err := Open("testdata/reference.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Metadata(); len(got) != 2 || got["format"] != "np" || got["note"] != `é "q"` {
		t.Errorf("metadata %q", got)
	}
	for _, want := range []struct {
		name   string
		dtype  Dtype
		shape  []int
		floats []float64
		ints   []int64
	}{
		{"a", F32, []int{1, 3}, []float64{1.5, -2, 3.25}, nil},
		{"b", F64, []int{2}, []float64{0.1, 1e300}, nil},
		{"h", F16, []int{4}, []float64{1, -0.5, 65504, 0x1p-24}, nil},
		{"i", I64, []int{2}, nil, []int64{-1, 1 << 40}},
		{"j", I32, []int{2, 1}, nil, []int64{-7, 8}},
		{"m", Bool, []int{3}, nil, []int64{1, 0, 1}},
		{"none", F32, []int{0, 3}, []float64{}, nil},
		{"s", I16, []int{1}, nil, []int64{-300}},
		{"scalar", F32, []int{}, []float64{2.5}, nil},
		{"u", U8, []int{1}, nil, []int64{200}},
	} {
		info, ok := f.Info(want.name)
		if !ok || info.Dtype != want.dtype || !slices.Equal(info.Shape, want.shape) {
			t.Errorf("%s: %v, expected %s %v", want.name, info, want.dtype, want.shape)
			continue
		}
		doubles, singles, ints := make([]float64, info.Len()), make([]float32, info.Len()), make([]int64, info.Len())
		if want.floats == nil {
			if err := f.Int64(want.name, ints); err != nil || !slices.Equal(ints, want.ints) {
				t.Errorf("%s: %v %v, expected %v", want.name, ints, err, want.ints)
			}
			if err := f.Float32(want.name, singles); err == nil {
				t.Errorf("%s was read as floats", want.name)
			}
			continue
		}
		if err := f.Float64(want.name, doubles); err != nil || !slices.Equal(doubles, want.floats) {
			t.Errorf("%s: %v %v, expected %v", want.name, doubles, err, want.floats)
		}
		if err := f.Float32(want.name, singles); err != nil {
			t.Error(err)
		}
		for i, v := range want.floats {
			if singles[i] != float32(v) {
				t.Errorf("%s[%d] as float32: %v, expected %v", want.name, i, singles[i], v)
			}
		}
		if err := f.Int64(want.name, ints); err == nil {
			t.Errorf("%s was read as integers", want.name)
		}
	}
	if err := f.Verify(); !errors.Is(err, ErrNoChecksum) {
		t.Errorf("Verify: %v", err)
	}
	small := make([]int32, 2)
	if err := f.Int32("j", small); err != nil || !slices.Equal(small, []int32{-7, 8}) {
		t.Errorf("Int32: %v %v", small, err)
	}
	expect.OneLine(t, f.Int32("i", small), "value 1099511627776 at 1 doesn't fit 32 bits")
	expect.OneLine(t, f.Float32("a", make([]float32, 4)), `tensor "a" has 3 elements (shape [1 3]), expected 4`)
	expect.OneLine(t, f.Float32("z", nil), `no tensor "z" among its 10 (`)
}

// TestFixtures reads every tensor of the reference cases that PyTorch wrote.
func TestFixtures(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(fixture.Path(t, "fixtures"), "*", "*.safetensors"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		f, err := Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		readAll(t, f)
		f.Close()
	}
}

// readAll reads every tensor in its own kind.
func readAll(t *testing.T, f *File) {
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		var err error
		switch info.Dtype {
		case F64, F32, F16, BF16:
			err = f.Float64(name, make([]float64, info.Len()))
		default:
			err = f.Int64(name, make([]int64, info.Len()))
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestBfloat16(t *testing.T) {
	f := parse(t, `{"x":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}}`, "\x80\x3f\x20\xc1\x80\x7f")
	got := make([]float32, 3)
	if err := f.Float32("x", got); err != nil || !slices.Equal(got, []float32{1, -10, float32(math.Inf(1))}) {
		t.Errorf("%v %v", got, err)
	}
}

// assemble puts a file together.
func assemble(header, data string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+data...)
}

func parse(t *testing.T, header, data string) *File {
	t.Helper()
	file := assemble(header, data)
	f, err := Parse(bytes.NewReader(file), int64(len(file)), "test")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// White space around the header's JSON, and null as its metadata, are read as the format's
// reference reader does.
func TestAccepted(t *testing.T) {
	for _, header := range []string{" {}", "{}\n", "\r\n\t{} \t", `{"__metadata__":null}`} {
		text := assemble(header, "")
		f, err := Parse(bytes.NewReader(text), int64(len(text)), "file")
		if err != nil || len(f.Names()) != 0 || len(f.Metadata()) != 0 {
			t.Errorf("%q: %v", header, err)
		}
	}
}

func TestRefused(t *testing.T) {
	one := func(body string) []byte { return assemble(`{"x":`+body+`}`, "01234567") }
	for _, c := range []struct {
		why  string
		file []byte
		want string
	}{
		{"empty", nil, "0 bytes are too few"},
		{"seven bytes", []byte("1234567"), "7 bytes are too few"},
		{"text", []byte("To be, or not to be"), "over the format's limit"},
		{"header beyond the file", assemble("{}", "")[:9], "header length 2 is beyond the end of the file of 9 bytes"},
		{"no header", assemble("", ""), "doesn't begin with '{'"},
		{"no object", assemble("[]", ""), "doesn't begin with '{'"},
		{"not UTF-8", assemble("{\"\xff\":1}", ""), "not UTF-8"},
		{"not JSON", assemble("{]", ""), "not JSON"},
		{"two values", assemble("{} {}", ""), "not JSON"},
		{"too deep", assemble("{"+strings.Repeat(`"a":{`, 20000), ""), "not JSON"},
		{"number for a tensor", one(`7`), "it is 7, expected an object"},
		{"unknown key", one(`{"type":"F32"}`), `unknown key "type"`},
		{"missing dtype", one(`{"shape":[2],"data_offsets":[0,8]}`), "no dtype"},
		{"missing shape", one(`{"dtype":"F32","data_offsets":[0,8]}`), "no shape"},
		{"missing offsets", one(`{"dtype":"F32","shape":[2]}`), "no data_offsets"},
		{"unknown dtype", one(`{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}`), `unknown dtype "F8_E4M3", expected one of F64 F32`},
		{"dtype a number", one(`{"dtype":32,"shape":[2],"data_offsets":[0,8]}`), "dtype: found 32, expected a string"},
		{"shape null", one(`{"dtype":"F32","shape":null,"data_offsets":[0,8]}`), "shape: found null, expected an array"},
		{"shape of strings", one(`{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}`), `shape: found "2", expected an integer`},
		{"shape of lines", one(`{"dtype":"F32","shape":["a\n\u001b[2J"],"data_offsets":[0,8]}`), `shape: found "a\n\x1b[2J", expected an integer`},
		{"very long shape", one(`{"dtype":"F32","shape":[1` + strings.Repeat(",1", 32) + `],"data_offsets":[0,4]}`), "shape: more than 32 integers"},
		{"fraction", one(`{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}`), "shape: found 2.0, expected an integer"},
		{"negative", one(`{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}`), "shape: found -2, expected an integer of 0 or more"},
		{"huge", one(`{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}`), "is too large"},
		{"overflow", one(`{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}`), "overflows"},
		{"overflow by the element", one(`{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}`), "overflows"},
		{"overflow before 0", one(`{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}`), "overflows"},
		{"one offset", one(`{"dtype":"F32","shape":[2],"data_offsets":[8]}`), "expected [begin, end]"},
		{"backwards", one(`{"dtype":"F32","shape":[2],"data_offsets":[8,0]}`), "expected [begin, end]"},
		{"length", one(`{"dtype":"F32","shape":[3],"data_offsets":[0,8]}`), "data_offsets [0 8] hold 8 bytes, F32 of shape [3] needs 12"},
		{"gap at the start", one(`{"dtype":"F32","shape":[1],"data_offsets":[4,8]}`), `gap of 4 bytes between the start and tensor "x"`},
		{"truncated", one(`{"dtype":"F32","shape":[3],"data_offsets":[0,12]}`), "truncated: the tensors need 12 bytes of data, the file has 8"},
		{"trailing", one(`{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`), "4 trailing bytes"},
		{"trailing without tensors", assemble("{}", "x"), "1 trailing bytes"},
		{"same name", assemble(`{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0078":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""), `"x" occurs twice`},
		{"same key", one(`{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}`), `"dtype" occurs twice`},
		{"overlap", assemble(`{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}`, "0123"), `tensor "y" overlaps tensor "x" by 1 bytes`},
		{"gap", assemble(`{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}`, "0123"), `gap of 1 bytes between tensor "x" and tensor "y"`},
		{"metadata not strings", assemble(`{"__metadata__":{"step":3}}`, ""), `"step": found 3, expected a string`},
	} {
		t.Run(c.why, func(t *testing.T) {
			_, err := Parse(bytes.NewReader(c.file), int64(len(c.file)), "weights")
			expect.OneLine(t, err, c.want)
			if err != nil && !strings.HasPrefix(err.Error(), "weights: ") {
				t.Errorf("the file isn't named: %v", err)
			}
		})
	}
}

func TestOpenRefused(t *testing.T) {
	folder := t.TempDir()
	_, err := Open(folder)
	expect.OneLine(t, err, folder+": a folder, expected a regular file")
	_, err = Open(folder + "/none")
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestShrunk reads a file that was cut after it was opened.
func TestShrunk(t *testing.T) {
	file := assemble(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "01234567")
	f, err := Parse(bytes.NewReader(file[:len(file)-1]), int64(len(file)), "weights")
	if err != nil {
		t.Fatal(err)
	}
	expect.OneLine(t, f.Float32("x", make([]float32, 2)), "the file ends too early")
}

// FuzzParse: whatever is accepted can be read in full.
func FuzzParse(f *testing.F) {
	reference := expect.File(f, "testdata/reference.safetensors")
	f.Add(reference)
	f.Add(assemble(`{}`, ""))
	f.Add(assemble(`{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}  `, "01234567"))
	f.Add(assemble(`{"x":{"dtype":"U8","shape":[0,9223372036854775807],"data_offsets":[0,0]}}`, ""))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := Parse(bytes.NewReader(file), int64(len(file)), "fuzz")
		if err != nil {
			expect.OneLine(t, err, "fuzz: ")
			return
		}
		readAll(t, got)
	})
}

func TestFloats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	want := map[string][]float32{"a": {1, 2, 3, 4}, "b": {-5}}
	err := Write(path, []Tensor{{Name: "a", Shape: []int{2, 2}, Data: want["a"]}, {Name: "b", Shape: []int{1}, Data: want["b"]}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Floats(path)
	if err != nil || len(got) != 2 || !slices.Equal(got["a"], want["a"]) || !slices.Equal(got["b"], want["b"]) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Floats(path + "-none"); err == nil {
		t.Error("a missing file is read")
	}
}
