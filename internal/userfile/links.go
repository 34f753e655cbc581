package userfile

import (
	"fmt"
	"io/fs"
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
