package pytorch

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tinygpt/internal/expect"
	"tinygpt/model/safetensors"
)

// Both forms, written by PyTorch (study/verify/python/check_huggingface.py): all tensors with
// their shapes. Their values are compared in packages model and verify.
func TestOpen(t *testing.T) {
	for _, folder := range []string{"gpt2-relu", "gpt2-silu"} {
		f, err := Open(os.DirFS("../testdata/"+folder), "pytorch_model.bin")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if n := len(f.Names()); n != 29 {
			t.Errorf("%s: %d tensors, expected 28 and the tied head", folder, n)
		}
		for name, want := range map[string][]int{"transformer.wte.weight": {280, 8}, "lm_head.weight": {280, 8}, "transformer.h.1.ln_2.bias": {8}} {
			info, ok := f.Info(name)
			if !ok || !slices.Equal(info.Shape, want) || info.Dtype != safetensors.F32 {
				t.Errorf("%s: %s is %+v, expected %v", folder, name, info, want)
			}
		}
		table, head := make([]float32, 280*8), make([]float32, 280*8)
		if err := f.Float32("transformer.wte.weight", table); err != nil {
			t.Fatal(err)
		}
		if err := f.Float32("lm_head.weight", head); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(table, head) || table[0] == 0 {
			t.Errorf("%s: the tied head is another table than the embedding", folder)
		}
	}
}

// archive makes a file of the newer form.
func archive(pickle string, storages map[string]string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name, content string) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "m/" + name, Method: zip.Store})
		if err != nil {
			panic(err)
		}
		f.Write([]byte(content))
	}
	add("data.pkl", pickle)
	for key, content := range storages {
		add("data/"+key, content)
	}
	w.Close()
	return b.Bytes()
}

// one is a dictionary of one tensor [2] in a storage of two numbers.
const (
	storageID = "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQ"
	one       = "\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n(" + storageID + "K\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRs."
)

// numbersOfOne are 1 and 2, the storage of one.
const numbersOfOne = "\x00\x00\x80\x3f\x00\x00\x00\x40"

// legacy makes a file of the older form: of the tensors of one, with the other pickles and the
// storages as they are given.
func legacy(littleEndian, keys, storages string) []byte {
	return []byte(string(legacyMagic) + "M\xe9\x03." + "}X\x0d\x00\x00\x00little_endian" + littleEndian + "s." + one + keys + storages)
}

// With legacy: true and false, a list of the key 0, the number of its elements.
const yes, no, key0, two = "\x88", "\x89", "]X\x01\x00\x00\x000a.", "\x02\x00\x00\x00\x00\x00\x00\x00"

// packed is an archive whose storage says that it is compressed.
func packed() []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, _ := w.Create("m/data.pkl")
	f.Write([]byte(one))
	f, err := w.CreateRaw(&zip.FileHeader{Name: "m/data/0", Method: zip.Deflate, CompressedSize64: 8, UncompressedSize64: 8})
	if err != nil {
		panic(err)
	}
	f.Write([]byte(numbersOfOne))
	w.Close()
	return b.Bytes()
}

func TestMadeByHand(t *testing.T) {
	for _, file := range [][]byte{archive(one, map[string]string{"0": numbersOfOne}), legacy(yes, key0, two+numbersOfOne)} {
		f, err := Open(fstest.MapFS{"m.bin": {Data: file}}, "m.bin")
		if err != nil {
			t.Fatal(err)
		}
		var v [2]float32
		if err := f.Float32("a", v[:]); err != nil || v != [2]float32{1, 2} {
			t.Errorf("%v, %v", v, err)
		}
	}
}

// Whatever isn't a tensor is refused by its name, in one line, and nothing is executed.
func TestRefused(t *testing.T) {
	data := map[string]string{"0": numbersOfOne}
	shared := strings.Replace(strings.Replace(one, "K\x02t", "M\xe8\x03t", 1), "K\x02\x85", "M\xe8\x03\x85", 1) // a tensor of 1000 numbers
	shared = strings.TrimSuffix(strings.TrimPrefix(shared, "\x80\x02}"), ".")
	many := "\x80\x02}"
	for i := range 100 {
		many += strings.Replace(shared, "X\x01\x00\x00\x00a", "X\x02\x00\x00\x00"+fmt.Sprintf("%02d", i), 1)
	}
	many += "."
	nested := ")" + strings.Repeat("q\x00h\x00\x86", 60) // a pair of pairs of pairs: written out, 2^60
	for want, file := range map[string][]byte{
		`asks for the Python object "os.system"`:                                archive("\x80\x02cos\nsystem\n(X\x04\x00\x00\x00echotR.", nil),
		`asks for the Python object "posix.system"`:                             archive("\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04echo\x85R.", nil),
		`asks for the Python object "builtins.eval"`:                            archive("\x80\x02cbuiltins\neval\n(X\x01\x00\x00\x001tR.", nil),
		`asks for the Python object "torch.load"`:                               archive("\x80\x02ctorch\nload\n.", nil),
		"instruction 0x81 (NEWOBJ)":                                             archive("\x80\x02ccollections\nOrderedDict\n)\x81.", nil),
		"instruction 0x69 (INST)":                                               archive("(ios\nsystem\n.", nil),
		"instruction 0xff (that no pickle has)":                                 archive("\xff", nil),
		"a call of torch.FloatStorage with 0 arguments":                         archive("ctorch\nFloatStorage\n)R.", nil),
		"attributes for the number 1":                                           archive("K\x01}b.", nil),
		`entry "a" is the number 1, expected a tensor`:                          archive("}X\x01\x00\x00\x00aK\x01s.", nil),
		`entry "model" is a dictionary, expected a tensor`:                      archive("}X\x05\x00\x00\x00model}s.", nil),
		"entry 0 has the number 1 as its key":                                   archive("}K\x01K\x01s.", nil),
		"it holds a list, expected a model's state_dict":                        archive("].", nil),
		"the pickle ends too early":                                             archive("}", nil),
		"3 bytes after the pickle's end":                                        archive("}.abc", nil),
		"a value is missing":                                                    archive("K\x01(s.", nil),
		"a mark is missing":                                                     archive("}u.", nil),
		"value 5 isn't there":                                                   archive("h\x05.", nil),
		"values are left over":                                                  archive("K\x01K\x02.", nil),
		"a number of 9 bytes":                                                   archive("\x8a\x09123456789.", nil),
		`no file "data/0" in the archive`:                                       archive(one, nil),
		`tensor "a": "data/0" has 7 bytes (7 in the archive), expected 8`:       archive(one, map[string]string{"0": "1234567"}),
		`tensor "a": shape [3]: the storage has 2 elements`:                     archive(strings.Replace(one, "K\x00K\x02\x85", "K\x00K\x03\x85", 1), data),
		`tensor "a": elements 1 to 3: the storage has 2`:                        archive(strings.Replace(one, "K\x00K\x02\x85", "K\x01K\x02\x85", 1), data),
		`tensor "a": shape [2] has strides [2]: only tensors in one piece`:      archive(strings.Replace(one, "K\x01\x85\x89", "K\x02\x85\x89", 1), data),
		`tensor "a": elements -1 to 1: the storage has 2`:                       archive(strings.Replace(one, "K\x00K\x02\x85", "\x8a\x01\xffK\x02\x85", 1), data),
		`"data/0" has 8 bytes (8 in the archive), expected 8, not compressed`:   packed(),
		"not written on a little-endian system":                                 legacy(no, key0, two+numbersOfOne),
		"the keys of storages are a dictionary, expected a list":                legacy(yes, "}.", ""),
		`storage "1" belongs to no tensor`:                                      legacy(yes, "]X\x01\x00\x00\x001a.", two+numbersOfOne),
		`storage "0": the file ends too early`:                                  legacy(yes, key0, two[:7]),
		`storage "0" has 2 elements, but the file ends too early`:               legacy(yes, key0, two+numbersOfOne[:7]),
		"1 bytes after the last storage":                                        legacy(yes, key0, two+numbersOfOne+"x"),
		`tensor "a": storage "0" has 3 elements, expected 2`:                    legacy(yes, key0, "\x03"+two[1:]+numbersOfOne+"1234"),
		`tensor "a": storage "0" has 0 elements, expected 2`:                    legacy(yes, "].", ""),
		"neither of the two forms":                                              []byte("hello"),
		"its zip archive is damaged":                                            []byte("PK\x03\x04"),
		"no data.pkl in the archive":                                            func() []byte { var b bytes.Buffer; w := zip.NewWriter(&b); w.Create("x"); w.Close(); return b.Bytes() }(),
		"pickle of the protocol: at byte 0":                                     legacyMagic,
		"protocol is the number 7, expected 1001":                               append(slices.Clone(legacyMagic), "K\x07."...),
		`pickle of the system: at byte 11: the file asks for the Python object`: append(slices.Clone(legacyMagic), "M\xe9\x03.cos\nsystem\n."...),
		"a shape of 9 dimensions":                                               archive(strings.Replace(one, "K\x02\x85", "("+strings.Repeat("K\x01", 9)+"t", 1), data),
		"have more than 8 times those of the file":                              archive(many, map[string]string{"0": strings.Repeat("\x00", 4000)}),
		"protocol is a list, expected 1001":                                     append(slices.Clone(legacyMagic), nested+"."...),
		"the key of a storage is a list":                                        append(slices.Clone(legacyMagic), "M\xe9\x03.}X\x0d\x00\x00\x00little_endian\x88s.}.]"+nested+"a."...),
	} {
		_, err := Open(fstest.MapFS{"m.bin": {Data: file}}, "m.bin")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "m.bin: ") {
			t.Errorf("error %v, expected one line with %q", err, want)
		}
	}
}

// FuzzOpen: a file is refused in one line, or all its tensors can be read.
func FuzzOpen(f *testing.F) {
	for _, folder := range []string{"gpt2-relu", "gpt2-silu"} {
		b := expect.File(f, "../testdata/"+folder+"/pytorch_model.bin")
		f.Add(b)
	}
	f.Add(archive(one, map[string]string{"0": "12345678"}))
	f.Add(legacy(yes, key0, two+numbersOfOne))
	f.Fuzz(func(t *testing.T, b []byte) { check(t, b) })
}

// FuzzPickle is FuzzOpen for the pickle alone, whose checksum the archive would need.
func FuzzPickle(f *testing.F) {
	f.Add([]byte(one))
	f.Add([]byte("\x80\x02}q\x00(X\x01\x00\x00\x00a]q\x01(K\x01\x88Ne\x94h\x01\x86u}b."))
	f.Fuzz(func(t *testing.T, b []byte) { check(t, archive(string(b), map[string]string{"0": "12345678"})) })
}

func check(t *testing.T, b []byte) {
	f, err := Open(fstest.MapFS{"m.bin": {Data: b}}, "m.bin")
	if err != nil {
		if strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("several lines: %v", err)
		}
		return
	}
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		if int64(info.Len()) > int64(len(b)) {
			t.Errorf("%q has %d elements in a file of %d bytes", name, info.Len(), len(b))
		}
		if info.Dtype == safetensors.F32 {
			if err := f.Float32(name, make([]float32, info.Len())); err != nil {
				t.Error(err)
			}
		}
	}
}
