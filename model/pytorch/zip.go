package pytorch

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"tinygpt/model/safetensors"
)

// parseZip reads an archive: NAME/data.pkl describes the tensors, NAME/data/KEY are storages,
// which aren't compressed.
func parseZip(r io.ReaderAt, size int64) ([]safetensors.Place, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("its zip archive is damaged: %w", err)
	}
	files := map[string]*zip.File{}
	prefix := ""
	for _, f := range archive.File {
		files[f.Name] = f
		if p, ok := strings.CutSuffix(f.Name, "data.pkl"); ok && (p == "" || strings.HasSuffix(p, "/")) {
			prefix = p
		}
	}
	pickled := files[prefix+"data.pkl"]
	if pickled == nil {
		return nil, errors.New("no data.pkl in the archive: expected one that torch.save wrote")
	}
	if order := files[prefix+"byteorder"]; order != nil {
		text, err := readAll(order, 16)
		if err != nil {
			return nil, err
		}
		if string(text) != "little" {
			return nil, fmt.Errorf("byteorder is %q, expected little", text)
		}
	}
	text, err := readAll(pickled, maxPickle)
	if err != nil {
		return nil, err
	}
	m := machine{in: text}
	state, err := m.dictionary()
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	return places(state, func(s *storage) (int64, error) {
		f := files[prefix+"data/"+s.key]
		if f == nil {
			return 0, fmt.Errorf("no file %q in the archive, which holds its values", "data/"+s.key)
		}
		bytes := uint64(s.count) * uint64(s.dtype.Size())
		if f.Method != zip.Store || f.UncompressedSize64 != bytes || f.CompressedSize64 != bytes {
			return 0, fmt.Errorf("%q has %d bytes (%d in the archive), expected %d, not compressed", "data/"+s.key, f.UncompressedSize64, f.CompressedSize64, bytes)
		}
		begin, err := f.DataOffset()
		if err == nil && (begin < 0 || int64(bytes) > size-begin) {
			err = errors.New("the file ends too early")
		}
		if err != nil {
			return 0, fmt.Errorf("%q: %w", "data/"+s.key, err)
		}
		return begin, nil
	})
}

// readAll reads a file of an archive that has at most that many bytes.
func readAll(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", f.Name, err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("more than %d bytes: not the description of a model's tensors", limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", f.Name, err)
	}
	return text, nil
}
