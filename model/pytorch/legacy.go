package pytorch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"tinygpt/model/safetensors"
)

// legacyMagic is the pickle that a file of PyTorch before 1.6 begins with: the number
// 0x1950a86a20f9469cfc6c.
var legacyMagic = []byte("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")

// protocol is the version of the older form.
const protocol = 1001

// parseLegacy reads the older form: pickles of the magic number, of the protocol, of the
// writing system, of the dictionary, and of the storages' keys; then for each key the number of
// elements in 8 bytes and the elements.
func parseLegacy(r io.ReaderAt, size int64) ([]safetensors.Place, error) {
	head := make([]byte, min(size, maxPickle))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), head); err != nil {
		return nil, err
	}
	at := len(legacyMagic)
	next := func(what string) (any, error) {
		m := machine{in: head[at:]}
		v, err := m.run()
		if err != nil {
			return nil, fmt.Errorf("pickle of %s: %w", what, err)
		}
		at += m.at
		return v, nil
	}
	version, err := next("the protocol")
	if err != nil {
		return nil, err
	}
	if version != int64(protocol) {
		return nil, fmt.Errorf("protocol is %s, expected %d", kindOf(version), protocol)
	}
	system, err := next("the system")
	if err != nil {
		return nil, err
	}
	if s, ok := system.(*dict); !ok || s.get("little_endian") != true {
		return nil, errors.New("not written on a little-endian system")
	}
	value, err := next("the tensors")
	if err != nil {
		return nil, err
	}
	state, ok := value.(*dict)
	if !ok {
		return nil, fmt.Errorf("it holds %s, expected a model's state_dict, a dictionary of tensors by name", kindOf(value))
	}
	value, err = next("the storages")
	if err != nil {
		return nil, err
	}
	keys, ok := value.(*list)
	if !ok {
		return nil, fmt.Errorf("the keys of storages are %s, expected a list", kindOf(value))
	}
	widths := map[string]int64{} // of a storage's elements
	for _, v := range state.values {
		if t, ok := v.(*tensor); ok {
			widths[t.storage.key] = int64(t.storage.dtype.Size())
		}
	}
	begins, counts := map[string]int64{}, map[string]int64{}
	place := int64(at)
	for _, key := range keys.items {
		name, ok := key.(string)
		switch {
		case !ok:
			return nil, fmt.Errorf("the key of a storage is %s", kindOf(key))
		case widths[name] == 0:
			return nil, fmt.Errorf("storage %q belongs to no tensor", name)
		}
		var count [8]byte
		if _, err := r.ReadAt(count[:], place); err != nil {
			return nil, fmt.Errorf("storage %q: the file ends too early", name)
		}
		n := int64(binary.LittleEndian.Uint64(count[:]))
		place += 8
		if n < 0 || n > (size-place)/widths[name] {
			return nil, fmt.Errorf("storage %q has %d elements, but the file ends too early", name, n)
		}
		begins[name], counts[name] = place, n
		place += n * widths[name]
	}
	if place != size {
		return nil, fmt.Errorf("%d bytes after the last storage", size-place)
	}
	return places(state, func(s *storage) (int64, error) {
		if n, ok := counts[s.key]; !ok || n != s.count || widths[s.key] != int64(s.dtype.Size()) {
			return 0, fmt.Errorf("storage %q has %d elements, expected %d", s.key, n, s.count)
		}
		return begins[s.key], nil
	})
}
