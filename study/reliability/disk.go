//go:build linux

package reliability

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// disk is a model of the files below one folder, made from a program's system calls. It knows
// what was synced, and so what a power cut may leave.
type disk struct {
	root *node
	open map[int]*handle
	// forgets, unless nil, reports whether a file or folder isn't synced although the program
	// asks for it.
	forgets func(*node) bool
}

// node is a file or a folder. A file's content, and a folder's entries, survive a power cut
// as they were when it was last synced.
type node struct {
	content, synced  []byte // of a file
	entries, durable map[string]*node
	folder           bool
}

type handle struct {
	node   *node
	path   string
	offset int64
	append bool
}

func newFolder() *node {
	return &node{folder: true, entries: map[string]*node{}, durable: map[string]*node{}}
}

func newDisk() *disk { return &disk{root: newFolder(), open: map[int]*handle{}} }

// parent returns the folder that an entry is in, and the entry's name; nil if there is none.
func (d *disk) parent(name string) (*node, string) {
	at := d.root
	parts := strings.Split(path.Clean(name), "/")
	for _, p := range parts[:len(parts)-1] {
		if at = at.entries[p]; at == nil || !at.folder {
			return nil, ""
		}
	}
	return at, parts[len(parts)-1]
}

func (d *disk) find(name string) *node {
	if path.Clean(name) == "." {
		return d.root
	}
	if in, last := d.parent(name); in != nil {
		return in.entries[last]
	}
	return nil
}

// call does to the disk what a successful system call has done. A call that it doesn't know is
// an error: it may change the disk.
func (d *disk) call(c call) error {
	switch c.name {
	case "openat":
		if c.has("O_TMPFILE") { // a file without a name, in that folder
			d.open[c.result] = &handle{node: &node{}, path: c.path}
			return nil
		}
		n := d.find(c.path)
		if n == nil {
			in, last := d.parent(c.path)
			if in == nil || !c.has("O_CREAT") { // a file that was there before and is only read
				delete(d.open, c.result)
				return nil
			}
			n = &node{}
			in.entries[last] = n
		}
		if c.has("O_TRUNC") {
			n.content = nil
		}
		d.open[c.result] = &handle{node: n, path: c.path, append: c.has("O_APPEND")}
	case "close":
		delete(d.open, c.fd)
	case "lseek":
		if h := d.open[c.fd]; h != nil {
			h.offset = int64(c.result)
		}
	case "write", "pwrite64", "writev":
		h := d.open[c.fd]
		if h == nil {
			return nil
		}
		at := h.offset
		if h.append {
			at = int64(len(h.node.content))
		}
		if c.name == "pwrite64" {
			at = c.number
		} else {
			h.offset = at + int64(c.result)
		}
		h.node.write(at, c.data[:c.result])
	case "ftruncate":
		if h := d.open[c.fd]; h != nil {
			h.node.write(c.number, nil)
			h.node.content = h.node.content[:c.number:c.number]
		}
	case "fsync", "fdatasync":
		if h := d.open[c.fd]; h != nil && (d.forgets == nil || !d.forgets(h.node)) {
			h.node.sync()
		}
	case "renameat", "renameat2", "rename":
		from, name := d.parent(c.path)
		to, last := d.parent(c.second)
		if from == nil || to == nil {
			return fmt.Errorf("%v: not known", c)
		}
		to.entries[last] = from.entries[name]
		delete(from.entries, name)
	case "linkat":
		h := d.open[c.fd]
		in, last := d.parent(c.path)
		if h == nil || in == nil {
			return fmt.Errorf("%v: not known", c)
		}
		in.entries[last] = h.node
	case "unlinkat", "unlink", "rmdir":
		if in, last := d.parent(c.path); in != nil {
			delete(in.entries, last)
		}
	case "mkdirat", "mkdir":
		in, last := d.parent(c.path)
		if in == nil {
			return fmt.Errorf("%v: not known", c)
		}
		in.entries[last] = newFolder()
	case "dup", "dup2", "dup3":
		if h := d.open[c.fd]; h != nil {
			d.open[c.result] = h
		}
	default:
		return fmt.Errorf("%v: not known", c)
	}
	return nil
}

// write writes data to a file at an offset. It doesn't change the old content, which synced
// may share.
func (n *node) write(at int64, data []byte) {
	end := at + int64(len(data))
	if at == int64(len(n.content)) {
		n.content = append(n.content, data...)
		return
	}
	content := make([]byte, max(end, int64(len(n.content))))
	copy(content, n.content)
	copy(content[at:], data)
	n.content = content
}

func (n *node) sync() {
	n.synced = n.content[:len(n.content):len(n.content)]
	n.durable = maps.Clone(n.entries)
}

// Ways of a file system to lose what wasn't synced.
const (
	losesAll     = iota // all of it
	losesContent        // the contents of files; their names are as they were
	losesHalf           // half of what was written to a file since it was last synced
	ways
)

// after writes what a power cut leaves of a file or folder to a path of this computer.
func (n *node) after(way int, to string) error {
	if !n.folder {
		return os.WriteFile(to, n.left(way), 0o666)
	}
	if err := os.MkdirAll(to, 0o777); err != nil {
		return err
	}
	entries := n.leaves(way)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if err := entries[name].after(way, filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

// leaves returns the entries of a folder that a power cut leaves.
func (n *node) leaves(way int) map[string]*node {
	if way == losesAll {
		return n.durable
	}
	return n.entries
}

// folders returns a folder and all folders in it that a power cut leaves, by their paths: they
// may be runs too.
func (n *node) folders(way int, name string) map[string]*node {
	all := map[string]*node{name: n}
	for key, in := range n.leaves(way) {
		if in.folder {
			maps.Copy(all, in.folders(way, path.Join(name, key)))
		}
	}
	return all
}

// left returns the content of a file that a power cut leaves; nil for a missing file.
func (n *node) left(way int) []byte {
	if n == nil {
		return nil
	}
	if way == losesHalf && bytes.HasPrefix(n.content, n.synced) {
		return n.content[:(len(n.content)+len(n.synced))/2]
	}
	return n.synced
}

// lockFile may stay: its holder is gone.
const lockFile = ".lock"

// unsynced returns the paths of the files and folders below a folder that a power cut would
// change.
func (n *node) unsynced(name string) (list []string) {
	if !n.folder {
		if !bytes.Equal(n.content, n.synced) {
			list = append(list, name)
		}
		return list
	}
	for key, was := range n.durable {
		if n.entries[key] != was && key != lockFile {
			list = append(list, path.Join(name, key)+" (as it was)")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(n.entries)) {
		if n.durable[key] != n.entries[key] {
			list = append(list, path.Join(name, key)+" (its name)")
		}
		list = append(list, n.entries[key].unsynced(path.Join(name, key))...)
	}
	return list
}
