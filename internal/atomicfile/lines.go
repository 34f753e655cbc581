package atomicfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Lines is a file of JSON lines that grows: metrics, results of a long series. Each
// line is written whole in one call. A crash can cut off the last one, which OpenLines
// removes; of one that is whole but for its end, as an editor may leave it, it writes the end.
type Lines struct {
	file    *os.File
	encoder *json.Encoder // to file; writes a line in one call
}

// OpenLines opens a file for more lines and makes it if need be.
func OpenLines(path string) (*Lines, error) {
	// Not every system can shorten a file that is open for appending.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(endLine(f), f.Close()); err != nil {
		return nil, err
	}
	if f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return nil, err
	}
	SyncFolder(filepath.Dir(path))
	return &Lines{f, json.NewEncoder(f)}, nil
}

// Add appends a value as a line.
func (l *Lines) Add(value any) error { return l.encoder.Encode(value) }

// Sync waits until the lines are on the disk.
func (l *Lines) Sync() error { return l.file.Sync() }

// Close syncs and closes the file.
func (l *Lines) Close() error { return errors.Join(l.file.Sync(), l.file.Close()) }

// AddLine appends a value as a line to a file that several processes add to, and returns when
// it is on the disk. While one of them ends or removes the line that it finds last, no other
// is writing it: they take turns by a lock on the folder, where folders can be locked.
func AddLine(path string, value any) error {
	if turn := flock.New(filepath.Dir(path), flock.SetFlag(os.O_RDONLY)); turn.Lock() == nil {
		defer turn.Unlock()
	}
	l, err := OpenLines(path)
	if err != nil {
		return err
	}
	return errors.Join(l.Add(value), l.Close())
}

// endLine removes what follows the last newline, or writes one after it if it is whole.
func endLine(f *os.File) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	begin, err := lastLine(f, end)
	if err != nil || begin == end {
		return err
	}
	text := make([]byte, end-begin)
	if _, err := f.ReadAt(text, begin); err != nil {
		return err
	}
	if json.Valid(text) {
		_, err = f.WriteAt([]byte("\n"), end)
		return err
	}
	return f.Truncate(begin)
}

// lastLine returns where what follows the last newline of a file of end bytes begins.
func lastLine(f *os.File, end int64) (begin int64, err error) {
	const piece = 64 << 10
	for at := end; at > 0; {
		n := min(at, piece)
		at -= n
		b := make([]byte, n)
		if _, err := f.ReadAt(b, at); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return at + int64(i) + 1, nil
		}
	}
	return 0, nil
}
