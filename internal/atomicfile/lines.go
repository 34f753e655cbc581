package atomicfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Lines is a file of JSON lines that grows: metrics, results of a long series. Each
// line is written whole in one call. A crash can cut off the last one, which OpenLines
// removes.
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
	if err := errors.Join(cutPartialLine(f), f.Close()); err != nil {
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

// cutPartialLine removes what follows the last newline.
func cutPartialLine(f *os.File) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	const piece = 64 << 10
	for at := end; at > 0; {
		n := min(at, piece)
		at -= n
		b := make([]byte, n)
		if _, err := f.ReadAt(b, at); err != nil {
			return err
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			if at += int64(i) + 1; at == end {
				return nil
			}
			return f.Truncate(at)
		}
	}
	if end == 0 {
		return nil
	}
	return f.Truncate(0)
}
