package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	prefixLen   = 8           // the header's length, before the header
	maxHeader   = 100_000_000 // the format's own limit
	metadataKey = "__metadata__"
)

// readHeader reads and checks everything before the data of a file of that many bytes.
func (f *File) readHeader(size int64) error {
	if size < prefixLen {
		return fmt.Errorf("%d bytes are too few for a safetensors file, which begins with 8 bytes of header length", size)
	}
	var prefix [prefixLen]byte
	if err := readAt(f.reader, prefix[:], 0); err != nil {
		return err
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > maxHeader {
		return fmt.Errorf("header length %d is over the format's limit of %d: not a safetensors file", length, maxHeader)
	}
	if int64(length) > size-prefixLen {
		return fmt.Errorf("header length %d is beyond the end of the file of %d bytes: truncated, or not a safetensors file", length, size)
	}
	header := make([]byte, length)
	if err := readAt(f.reader, header, prefixLen); err != nil {
		return err
	}
	f.data = prefixLen + int64(length)
	f.dataLen = size - f.data
	if err := f.parse(header); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if want, ok := f.metadata[headerKey]; ok {
		f.headerSum = headerSum(header, want)
	}
	return f.checkLayout()
}

// readAt fills p from offset on.
func readAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return shortFile(err)
}

// parse takes the JSON apart token by token, because decoding it into a map would
// hide names that occur twice.
func (f *File) parse(header []byte) error {
	if !utf8.Valid(header) {
		return errors.New("not UTF-8")
	}
	header = bytes.Trim(header, " \t\r\n") // what JSON allows around a value
	if len(header) == 0 || header[0] != '{' {
		return errors.New("doesn't begin with '{': not a safetensors file")
	}
	if err := json.Unmarshal(header, new(json.RawMessage)); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	f.infos, f.metadata = map[string]Info{}, map[string]string{}
	dec := json.NewDecoder(bytes.NewReader(header))
	dec.UseNumber()
	err := object(dec, "header", func(name string) error {
		if name == metadataKey {
			return f.parseMetadata(dec)
		}
		info, err := tensorInfo(dec)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		f.infos[name] = info
		f.names = append(f.names, name)
		return nil
	})
	return err
}

// parseMetadata reads an object of strings, or null, which is what some writers have for none.
func (f *File) parseMetadata(dec *json.Decoder) error {
	token, err := dec.Token()
	if err != nil || token == nil {
		return err
	}
	return fields(dec, token, metadataKey, func(key string) (err error) {
		f.metadata[key], err = text(dec)
		if err != nil {
			return fmt.Errorf("%s: %q: %w", metadataKey, key, err)
		}
		return nil
	})
}

// tensorInfo parses {"dtype": …, "shape": […], "data_offsets": [begin, end]} and
// checks that the three agree.
func tensorInfo(dec *json.Decoder) (Info, error) {
	var info Info
	var shape, offsets []int64
	found := map[string]bool{}
	err := object(dec, "it", func(key string) (err error) {
		found[key] = true
		switch key {
		case "dtype":
			var s string
			s, err = text(dec)
			info.Dtype = Dtype(s)
		case "shape":
			shape, err = integers(dec)
		case "data_offsets":
			offsets, err = integers(dec)
		default:
			return fmt.Errorf("unknown key %q, expected dtype, shape and data_offsets", key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return info, err
	}
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !found[key] {
			return info, fmt.Errorf("no %s", key)
		}
	}
	if info.Dtype.Size() == 0 {
		return info, fmt.Errorf("unknown dtype %q, expected one of %s", info.Dtype, dtypes)
	}
	want, err := byteLen(shape, info.Dtype)
	if err != nil {
		return info, err
	}
	if len(offsets) != 2 || offsets[0] > offsets[1] {
		return info, fmt.Errorf("data_offsets %v, expected [begin, end] with begin ≤ end", offsets)
	}
	info.begin, info.end = offsets[0], offsets[1]
	if got := info.end - info.begin; got != want {
		return info, fmt.Errorf("data_offsets %v hold %d bytes, %s of shape %v needs %d", offsets, got, info.Dtype, shape, want)
	}
	info.Shape = make([]int, len(shape))
	for i, d := range shape {
		info.Shape[i] = int(d)
	}
	return info, nil
}

// byteLen is shape × element size. It refuses a partial product that overflows
// even if a later dimension is 0, as the format's reference reader does.
func byteLen(shape []int64, d Dtype) (int64, error) {
	n := uint64(1)
	for _, dim := range append(slices.Clone(shape), int64(d.Size())) {
		high, low := bits.Mul64(n, uint64(dim))
		if high != 0 || low > maxInt {
			return 0, fmt.Errorf("shape %v of %s overflows", shape, d)
		}
		n = low
	}
	return int64(n), nil
}

// maxInt bounds lengths on every platform, also those of 32 bits.
const maxInt = uint64(^uint(0) >> 1)

// checkLayout sorts the names by where their data are, and checks that the tensors cover the
// data section without gap or overlap.
func (f *File) checkLayout() error {
	slices.SortFunc(f.names, func(a, b string) int {
		x, y := f.infos[a], f.infos[b]
		return cmp.Or(cmp.Compare(x.begin, y.begin), cmp.Compare(x.end, y.end), cmp.Compare(a, b))
	})
	var end int64
	before := "the start"
	for _, name := range f.names {
		info := f.infos[name]
		if info.begin > end {
			return fmt.Errorf("header: gap of %d bytes between %s and tensor %q", info.begin-end, before, name)
		}
		if info.begin < end {
			return fmt.Errorf("header: tensor %q overlaps %s by %d bytes", name, before, end-info.begin)
		}
		end, before = info.end, fmt.Sprintf("tensor %q", name)
	}
	if end > f.dataLen {
		return fmt.Errorf("truncated: the tensors need %d bytes of data, the file has %d", end, f.dataLen)
	}
	if end < f.dataLen {
		return fmt.Errorf("%d trailing bytes after the tensors' %d", f.dataLen-end, end)
	}
	return nil
}

// object reads a JSON object. It calls field for each key, with the decoder before the value.
func object(dec *json.Decoder, what string, field func(key string) error) error {
	first, err := dec.Token()
	if err != nil {
		return err
	}
	return fields(dec, first, what, field)
}

// shown is a token for a message of one line.
func shown(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%.40q", t)
	}
	return fmt.Sprintf("%.40s", fmt.Sprint(t))
}

// fields is object after its first token.
func fields(dec *json.Decoder, first json.Token, what string, field func(key string) error) error {
	if first != json.Delim('{') {
		return fmt.Errorf("%s is %s, expected an object", what, shown(first))
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key := token.(string) // the JSON has been checked
		if seen[key] {
			return fmt.Errorf("%q occurs twice", key)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func text(dec *json.Decoder) (string, error) {
	token, err := dec.Token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("found %s, expected a string", shown(token))
	}
	return s, nil
}

// mostIntegers bounds a tensor's dimensions.
const mostIntegers = 32

// integers reads an array of integers ≥ 0 that fit an int.
func integers(dec *json.Decoder) ([]int64, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if token != json.Delim('[') {
		return nil, fmt.Errorf("found %s, expected an array of integers", shown(token))
	}
	var list []int64
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		number, ok := token.(json.Number)
		if !ok {
			return nil, fmt.Errorf("found %s, expected an integer", shown(token))
		}
		v, err := strconv.ParseInt(string(number), 10, strconv.IntSize)
		if errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("%s is too large", shown(token))
		}
		if err != nil || v < 0 {
			return nil, fmt.Errorf("found %s, expected an integer of 0 or more", shown(token))
		}
		if len(list) == mostIntegers {
			return nil, fmt.Errorf("more than %d integers", mostIntegers)
		}
		list = append(list, v)
	}
	_, err = dec.Token()
	return list, err
}
