//go:build linux

package reliability

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hexadecimal is a text as strace prints it.
func hexadecimal(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, `\x%02x`, text[i])
	}
	return `"` + b.String() + `"`
}

// What a power cut leaves of files that were written, synced and renamed, in each way.
func TestDisk(t *testing.T) {
	log := strings.Join([]string{
		`7 mkdirat(AT_FDCWD, ` + hexadecimal("run") + `, 0777) = 0`,
		`7 openat(AT_FDCWD, ` + hexadecimal("/elsewhere/x") + `, O_RDONLY|O_CLOEXEC) = 3`,
		`7 openat(AT_FDCWD, ` + hexadecimal("/work/run/a.tmp") + `, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0666) = 4`,
		`7 write(4, ` + hexadecimal("12345678") + ` <unfinished ...>`,
		`8 write(1, ` + hexadecimal("hello") + `, 5) = 5`,
		`7 <... write resumed>, 8)       = 8`,
		`7 fsync(4) = 0`,
		`7 write(4, ` + hexadecimal("90") + `, 2) = 2`,
		`7 close(4) = 0`,
		`7 renameat(AT_FDCWD, ` + hexadecimal("/work/run/a.tmp") + `, AT_FDCWD, ` + hexadecimal("/work/run/a") + `) = 0`,
		`7 openat(AT_FDCWD, ` + hexadecimal("/work/none") + `, O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)`,
		`7 openat(AT_FDCWD, ` + hexadecimal("/work/run") + `, O_RDONLY|O_CLOEXEC) = 4`,
		`7 fsync(4) = 0`,
		`7 close(4) = 0`,
		`7 openat(AT_FDCWD, ` + hexadecimal(".") + `, O_RDONLY|O_CLOEXEC) = 4`,
		`7 fsync(4) = 0`,
		`7 openat(AT_FDCWD, ` + hexadecimal("run") + `, O_RDWR|O_CLOEXEC|O_TMPFILE, 0666) = 5`,
		`7 write(5, ` + hexadecimal("abc") + `, 3) = 3`,
		`7 fsync(5) = 0`,
		`7 linkat(AT_FDCWD, ` + hexadecimal("/proc/self/fd/5") + `, AT_FDCWD, ` + hexadecimal("run/b.tmp") + `, AT_SYMLINK_FOLLOW) = 0`,
	}, "\n") + "\n"
	calls, err := parseCalls(strings.NewReader(log), "/work")
	if err != nil {
		t.Fatal(err)
	}
	d := newDisk()
	var said []string
	left := func(way int) (list []string) {
		dir := t.TempDir()
		if err := d.root.after(way, dir); err != nil {
			t.Fatal(err)
		}
		filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				text, _ := os.ReadFile(path)
				list = append(list, e.Name()+"="+string(text))
			}
			return err
		})
		return list
	}
	want := map[string][ways]string{ // after the call that is last in the trace up to there
		"write":    {"", "a.tmp=12345678", "a.tmp=123456789"},
		"renameat": {"", "a=12345678", "a=123456789"},
		"linkat":   {"a=12345678", "a=12345678 b.tmp=abc", "a=123456789 b.tmp=abc"},
	}
	for _, c := range calls {
		if c.network {
			said = append(said, string(c.data))
			continue
		}
		if err := d.call(c); err != nil {
			t.Fatal(err)
		}
		if w, ok := want[c.name]; ok && (c.name != "write" || len(c.data) == 2) {
			for way := range ways {
				if got := strings.Join(left(way), " "); got != w[way] {
					t.Errorf("after %v, way %d: %q, want %q", c, way, got, w[way])
				}
			}
		}
	}
	if !slices.Equal(said, []string{"hello"}) {
		t.Errorf("said %q", said)
	}
	if got := left(losesAll); !slices.Equal(got, []string{"a=12345678"}) {
		t.Errorf("in the end %q is left", got)
	}
	if got := d.find("run").unsynced("run"); !slices.Equal(got, []string{"run/a", "run/b.tmp (its name)"}) {
		t.Errorf("not synced: %q", got)
	}
}
