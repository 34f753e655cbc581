package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

// OpenFS is Open for a file of a file system, whose files must be readable at any
// offset; those of os.DirFS and embed are.
func OpenFS(fsys fs.FS, name string) (*File, error) { return OpenWith(fsys, name, Parse) }

// OpenWith is OpenFS for a file of any format: parse finds the tensors in it.
func OpenWith(fsys fs.FS, name string, parse func(r io.ReaderAt, size int64, name string) (*File, error)) (*File, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	f, err := parseFile(file, name, parse)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.closer = file
	return f, nil
}

func parseFile(file fs.File, name string, parse func(io.ReaderAt, int64, string) (*File, error)) (*File, error) {
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	reader, ok := file.(io.ReaderAt)
	if !stat.Mode().IsRegular() || !ok {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	return parse(reader, stat.Size(), name)
}

// Set is the tensors of several files, in which models of many gigabytes are stored: an index
// in JSON says under "weight_map" which tensor is in which file of the folder. Files that the
// index doesn't name aren't read.
type Set struct {
	format Format
	names  []string
	in     map[string]*File
	files  map[string]*File // by file name
}

// Format is a kind of file that tensors are in.
type Format struct {
	Ending string // of the names of such files
	Open   func(fsys fs.FS, name string) (*File, error)
}

// Safetensors is this package's own Format.
var Safetensors = Format{".safetensors", OpenFS}

// OpenSet opens the tensors of a file in a format, or all tensors that an index named
// *.json lists, each of which must exist.
func OpenSet(fsys fs.FS, name string, format Format) (*Set, error) {
	s := &Set{format: format, in: map[string]*File{}, files: map[string]*File{}}
	var err error
	if strings.HasSuffix(name, ".json") {
		err = s.openIndex(fsys, name)
	} else {
		var f *File
		if f, err = s.file(fsys, name); err == nil {
			s.names = f.Names()
			for _, n := range s.names {
				s.in[n] = f
			}
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// file returns a file of the set, which it opens when it is first used.
func (s *Set) file(fsys fs.FS, name string) (f *File, err error) {
	if f = s.files[name]; f == nil {
		if f, err = s.format.Open(fsys, name); err == nil {
			s.files[name] = f
		}
	}
	return f, err
}

func (s *Set) openIndex(fsys fs.FS, index string) error {
	text, err := fs.ReadFile(fsys, index)
	if err != nil {
		return err
	}
	where, err := parseIndex(text)
	if err != nil {
		return fmt.Errorf("%s: %w", index, err)
	}
	for _, w := range where {
		if path.Base(w.file) != w.file || strings.Contains(w.file, `\`) || !fs.ValidPath(w.file) || !strings.HasSuffix(w.file, s.format.Ending) {
			return fmt.Errorf("%s: weight_map: tensor %q is said to be in %q: expected a file of the same folder named *%s", index, w.tensor, w.file, s.format.Ending)
		}
		f, err := s.file(fsys, path.Join(path.Dir(index), w.file))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%q: no such file, but %s lists it: fetch the missing part", w.file, index)
		}
		if err != nil {
			return err
		}
		if _, ok := f.infos[w.tensor]; !ok {
			return fmt.Errorf("%q: no tensor %q in it, but %s says so: the files are of two models", w.file, w.tensor, index)
		}
		s.names = append(s.names, w.tensor)
		s.in[w.tensor] = f
	}
	return nil
}

// place is an entry of an index.
type place struct{ tensor, file string }

// parseIndex reads an index's weight_map in its order.
func parseIndex(index []byte) ([]place, error) {
	if !utf8.Valid(index) {
		return nil, errors.New("not UTF-8")
	}
	if err := json.Unmarshal(index, new(json.RawMessage)); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	var where []place
	dec := json.NewDecoder(bytes.NewReader(index))
	dec.UseNumber()
	err := object(dec, "index", func(key string) error {
		if key != "weight_map" {
			return dec.Decode(new(json.RawMessage))
		}
		return object(dec, "weight_map", func(tensor string) error {
			file, err := text(dec)
			if err != nil {
				return fmt.Errorf("weight_map: %q: %w", tensor, err)
			}
			where = append(where, place{tensor, file})
			return nil
		})
	})
	if err == nil && len(where) == 0 {
		err = errors.New("no weight_map in it, which says where each tensor is")
	}
	return where, err
}

// Close closes the files.
func (s *Set) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Names lists the tensors file by file, or in the index's order.
func (s *Set) Names() []string { return append([]string(nil), s.names...) }

// Info describes the tensor of that name, if there is one.
func (s *Set) Info(name string) (Info, bool) {
	if f := s.in[name]; f != nil {
		return f.Info(name)
	}
	return Info{}, false
}

// Float32 is File.Float32 for the file that holds the tensor.
func (s *Set) Float32(name string, dst []float32) error {
	f, err := s.find(name)
	if err != nil {
		return err
	}
	return f.Float32(name, dst)
}

// Float32Equal is File.Float32Equal for the file that holds the tensor.
func (s *Set) Float32Equal(name string, values []float32) (bool, error) {
	f, err := s.find(name)
	if err != nil {
		return false, err
	}
	return f.Float32Equal(name, values)
}

func (s *Set) find(name string) (*File, error) {
	if f := s.in[name]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("no tensor %q among the %d of %d files", name, len(s.names), len(s.files))
}
