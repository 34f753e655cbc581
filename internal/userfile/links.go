package userfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckLinks refuses a folder of files by others, such as a model's, with a symbolic link
// that leads out of it: what is read from it would be another file of this computer. In a
// hub's cache, where DIR/snapshots/REVISION has links to DIR/blobs, links may lead to
// anywhere in DIR.
func CheckLinks(dir string) error {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	tree := root
	if above := filepath.Dir(root); filepath.Base(above) == "snapshots" {
		tree = filepath.Dir(above)
	}
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink == 0 {
			return err
		}
		name, _ := filepath.Rel(root, path)
		to, err := filepath.EvalSymlinks(path)
		if err != nil {
			return fmt.Errorf("%s: the link %s leads to nothing that is there: %w", dir, name, err)
		}
		if inside, err := filepath.Rel(tree, to); err != nil || !filepath.IsLocal(inside) {
			return fmt.Errorf("%s: the link %s leads out of the folder, to %s: put a copy of that file in its place", dir, name, to)
		}
		return nil
	})
}

// CheckWritten refuses a folder in which a file that this program is to write, or to write more
// to, is a symbolic link that leads out of the folder, or no file at all: in a folder from
// somebody else that could be any file of this computer. names are those of the files; none:
// all that are in the folder. Folders in it aren't looked into.
func CheckWritten(dir string, names ...string) error {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if names == nil {
		entries, err := os.ReadDir(root)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() && !e.IsDir() {
				names = append(names, e.Name())
			}
		}
	}
	for _, name := range names {
		path := filepath.Join(root, name)
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink == 0:
			if !info.Mode().IsRegular() && !info.IsDir() {
				return refuse(filepath.Join(dir, name), info.Mode())
			}
			continue
		}
		to, err := filepath.EvalSymlinks(path)
		if err != nil {
			return fmt.Errorf("%s: the link %s leads to nothing that is there, and would be written to: remove it", dir, name)
		}
		target, err := os.Stat(to)
		if err != nil {
			return err
		}
		if inside, err := filepath.Rel(root, to); !target.IsDir() && (err != nil || !filepath.IsLocal(inside)) {
			return fmt.Errorf("%s: the link %s leads out of the folder, to %s, which would be written to: put a copy of that file in its place", dir, name, to)
		}
	}
	return nil
}
