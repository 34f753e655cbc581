package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"tinygpt/internal/userfile"
)

// stdin is the path of standard input, which the pattern "-" names; a cleaned path is
// never empty.
const stdin = ""

// LeftOut is a file or folder that a folder, a glob or a list of names has and that isn't
// read.
type LeftOut struct{ Path, Why string }

// Reasons for which files are left out.
const (
	whyHidden  = "hidden"
	whyCopy    = "an editor's copy"
	whyEnding  = "neither .txt nor .md"
	whyEmpty   = "empty"
	whyLink    = "a link to nothing"
	whyLoop    = "a link to a folder"
	whySpecial = "not a regular file"
	whyClosed  = "not readable by this user"
	whyNobody  = "a pipe that nobody writes to"
	whySame    = "read already"
)

// found is a file to read; only says that nothing else was asked for, so that it is an
// error if it can't be read.
type found struct {
	path string
	only bool
}

// finder collects files, each once, by whatever paths and links they are reached.
type finder struct {
	files   []found
	leftOut []LeftOut
	seen    map[identity][]fs.FileInfo
	matched int // files, those that were there already too
	stdin   bool
	// several says that there are several patterns, perhaps made of * by a shell: what
	// would be left out of a folder is then left out of them, too.
	several bool
}

// identity is the same for a file under all its names.
type identity struct {
	size int64
	time time.Time
}

// find lists the files that patterns stand for, in the order of the patterns and
// sorted by name within each.
func find(patterns []string) (*finder, error) {
	f := &finder{seen: map[identity][]fs.FileInfo{}, several: len(patterns) > 1}
	var errs []error
	for _, pattern := range patterns {
		if err := f.add(pattern); err != nil {
			errs = append(errs, err)
		}
	}
	return f, errors.Join(errs...)
}

// add finds the files of one pattern.
func (f *finder) add(pattern string) error {
	if pattern == "" {
		return errors.New(`the name of a file is empty: expected a file, a folder, a glob or "-"`)
	}
	if pattern == "-" {
		if !f.stdin {
			f.files = append(f.files, found{stdin, true})
		}
		f.stdin = true
		return nil
	}
	path := filepath.Clean(pattern)
	switch info, err := os.Stat(pattern); {
	case err == nil && info.IsDir():
		return f.addFolder(path)
	case err == nil && f.several && isCopy(path):
		f.leave(path, whyCopy)
		return nil
	case err == nil && f.several && info.Mode()&(fs.ModeSocket|fs.ModeDevice) != 0 && info.Mode()&fs.ModeCharDevice == 0:
		f.leave(path, whySpecial)
		return nil
	case err == nil:
		f.addFile(path, info, !f.several)
		return nil
	case errors.Is(err, fs.ErrPermission):
		return err
	}
	if info, err := os.Lstat(pattern); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if f.several {
			f.leave(path, whyLink)
			return nil
		}
		target, _ := os.Readlink(pattern)
		return fmt.Errorf("%s: the link leads to %s, which isn't there", pattern, target)
	}
	return f.addGlob(pattern)
}

// addFile adds a file unless it was added before.
func (f *finder) addFile(path string, info fs.FileInfo, only bool) {
	f.matched++
	id := identity{info.Size(), info.ModTime()}
	for _, other := range f.seen[id] {
		if os.SameFile(other, info) {
			f.leave(path, whySame)
			return
		}
	}
	f.seen[id] = append(f.seen[id], info)
	f.files = append(f.files, found{path, only})
}

func (f *finder) leave(path, why string) {
	f.leftOut = append(f.leftOut, LeftOut{path, why})
}

// addFound adds a file of a folder or glob if it is a regular file and not empty.
func (f *finder) addFound(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.leave(path, whyLink)
	case err != nil:
		return err
	case info.IsDir():
		f.leave(path, whyLoop)
	case !info.Mode().IsRegular():
		f.leave(path, whySpecial)
	case info.Size() == 0:
		f.leave(path, whyEmpty)
	case isClosed(path):
		f.leave(path, whyClosed)
	default:
		f.addFile(path, info, false)
	}
	return nil
}

// isClosed says whether the file may not be read.
func isClosed(path string) bool {
	f, err := os.Open(path)
	if err == nil {
		f.Close()
	}
	return errors.Is(err, fs.ErrPermission)
}

// addFolder searches through a folder.
func (f *finder) addFolder(folder string) error {
	before := f.matched
	root := folder + string(filepath.Separator) // so that a link to a folder is followed
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) && path != root {
			f.leave(filepath.Clean(path), whyClosed)
			return fs.SkipDir
		}
		if err != nil {
			return err
		}
		name, path := d.Name(), filepath.Clean(path)
		switch {
		case path == folder:
		case strings.HasPrefix(name, "."):
			f.leave(path, whyHidden)
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
		case d.Type()&fs.ModeSymlink != 0 && !isText(name) && leadsToFolder(path):
			f.leave(path, whyLoop)
		case isCopy(name):
			f.leave(path, whyCopy)
		case !isText(name):
			f.leave(path, whyEnding)
		default:
			return f.addFound(path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if f.matched == before {
		return fmt.Errorf("%s: no *.txt or *.md file with text in this folder: name files of other endings one by one or by a glob", folder)
	}
	return nil
}

func leadsToFolder(link string) bool {
	info, err := os.Stat(link)
	return err == nil && info.IsDir()
}

// addGlob adds the files that match a glob. A hidden file or an editor's copy only
// matches a pattern that asks for such.
func (f *finder) addGlob(pattern string) error {
	matches, err := doublestar.FilepathGlob(pattern, doublestar.WithFailOnIOErrors(), doublestar.WithNoFollow())
	if closed := (*fs.PathError)(nil); errors.As(err, &closed) && errors.Is(err, fs.ErrPermission) {
		f.leave(closed.Path, whyClosed)
		matches, err = doublestar.FilepathGlob(pattern, doublestar.WithNoFollow())
	}
	if errors.Is(err, doublestar.ErrBadPattern) {
		return fmt.Errorf("%s: not a well-formed glob: expected *, ?, [abc], {a,b} and ** (folders of any depth) in it", pattern)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", pattern, err)
	}
	if len(matches) == 0 {
		absolute, _ := filepath.Abs(pattern)
		return fmt.Errorf("%s: no such file, folder or match%s", absolute, whyNoMatch(pattern))
	}
	slices.Sort(matches)
	base, rest := doublestar.SplitPattern(filepath.ToSlash(pattern))
	wantsHidden := strings.HasPrefix(rest, ".") || strings.Contains(rest, "/.")
	before := f.matched
	hidden := map[string]bool{}
	for _, m := range matches {
		info, err := os.Stat(m)
		isFolder := err == nil && info.IsDir()
		if at := hiddenPart(m, base); at != "" && !wantsHidden {
			if !hidden[at] {
				f.leave(at, whyHidden)
			}
			hidden[at] = true
			continue
		}
		switch {
		case isCopy(m) && !strings.HasSuffix(pattern, m[len(m)-1:]):
			f.leave(m, whyCopy)
		case isFolder && strings.Contains(pattern, "**"): // its files match by themselves
			if link, err := os.Lstat(m); err == nil && link.Mode()&fs.ModeSymlink != 0 {
				f.leave(m, whyLoop)
			}
		case isFolder:
			err = f.addFolder(m)
		default:
			err = f.addFound(m)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if f.matched == before {
		return fmt.Errorf("%s: matches no file with text in it (%s)", pattern, summary(f.leftOut))
	}
	return nil
}

// whyNoMatch says why some kinds of pattern match no file, and what to do; "" for the
// others.
func whyNoMatch(pattern string) string {
	first, _, comma := strings.Cut(pattern, ",")
	_, err := os.Stat(first)
	switch {
	case strings.HasPrefix(pattern, "~"):
		return ": a shell puts your folder in place of ~ only where a blank is before it"
	case strings.Contains(pattern, "://"):
		return ": texts are read from files; download it first"
	case comma && err == nil:
		return ": name each file by itself, with blanks between them"
	}
	return ""
}

// hiddenPart is the beginning of a path up to the first hidden name below base; "" if
// there is none.
func hiddenPart(path, base string) string {
	below, err := filepath.Rel(filepath.FromSlash(base), path)
	if err != nil {
		return ""
	}
	at := filepath.FromSlash(base)
	for _, name := range strings.Split(below, string(filepath.Separator)) {
		at = filepath.Join(at, name)
		if strings.HasPrefix(name, ".") && name != "." && name != ".." {
			return at
		}
	}
	return ""
}

// whyLeft says why a file that can't be read is left out; "" if it can't be, since it is
// the only one or something else is wrong with it.
func (f found) whyLeft(err error) string {
	switch {
	case f.only:
	case errors.Is(err, errEmpty):
		return whyEmpty
	case errors.Is(err, userfile.ErrNoWriter):
		return whyNobody
	}
	return ""
}

// isText says whether a file of a folder is read, by its name.
func isText(name string) bool {
	ext := filepath.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz"))
	return ext == ".txt" || ext == ".md"
}

// isCopy says whether a name is one that editors give to copies of a file: a.txt~,
// #a.txt#, a.txt.bak, a.txt.orig, a.txt.swp, a.txt.tmp.
func isCopy(path string) bool {
	name := strings.ToLower(filepath.Base(path))
	if strings.HasSuffix(name, "~") || strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#") {
		return true
	}
	return slices.Contains([]string{".bak", ".orig", ".swp", ".swo", ".tmp"}, filepath.Ext(name))
}
