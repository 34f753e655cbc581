//go:build linux

package reliability

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// call is a system call that has succeeded, as strace prints it.
type call struct {
	name         string
	path, second string // relative to the folder that is watched; second is the new name of a renamed file
	fd           int
	number       int64 // an offset or a length
	data         []byte
	flags        string
	result       int
	network      bool // data went to another program
}

func (c call) has(flag string) bool { return slices.Contains(strings.Split(c.flags, "|"), flag) }

// changes reports whether a power cut after the call may leave something else than one before
// it.
func (c call) changes() bool {
	return !c.network && c.name != "close" && c.name != "lseek" && (c.name != "openat" || c.has("O_CREAT") || c.has("O_TRUNC"))
}

func (c call) String() string { return fmt.Sprintf("%s %s %s %d", c.name, c.path, c.second, c.fd) }

// traced lists the system calls that change files, and those that tell which file a handle is.
const traced = "openat,open,creat,close,lseek,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fsync,fdatasync,sync_file_range," +
	"rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,dup,dup2,dup3,copy_file_range,sendfile,splice,fallocate"

// strace returns the words that, before a command, have its system calls written to a file,
// with strings in hexadecimal digits and not shortened.
func strace(log string) []string {
	return []string{"strace", "-f", "-qq", "--seccomp-bpf", "-xx", "-s", "50000000", "-e", "signal=none", "-e", "trace=" + traced, "-o", log}
}

var (
	callLine   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)`)
	unfinished = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
	resumed    = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	quoted     = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
)

// parseCalls reads the calls below a folder, and what was written to other programs, from a
// log of strace.
func parseCalls(log io.Reader, folder string) (list []call, err error) {
	began := map[string]string{} // by thread: the first half of its call
	known := map[int]string{}    // paths of open folders and files below folder
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line, "\n")
		if m := unfinished.FindStringSubmatch(line); m != nil {
			began[m[1]] = m[1] + " " + m[2]
			continue
		}
		if m := resumed.FindStringSubmatch(line); m != nil {
			line = began[m[1]] + m[2]
		}
		m := callLine.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(m[4], "-") || m[4] == "?" {
			continue
		}
		c, ours, err := parseCall(m[2], m[3], folder, known)
		if err != nil {
			return nil, fmt.Errorf("%.200s: %w", line, err)
		}
		if c.result, err = strconv.Atoi(m[4]); err != nil {
			return nil, err
		}
		switch c.name {
		case "openat":
			delete(known, c.result)
			if ours {
				known[c.result] = c.path
			}
		case "close":
			delete(known, c.fd)
		case "dup", "dup2", "dup3":
			if name, ok := known[c.fd]; ok {
				known[c.result] = name
			}
		}
		if ours || c.network {
			list = append(list, c)
		}
	}
}

// parseCall reads a call's arguments. ours reports whether it is about files below folder.
func parseCall(name, arguments, folder string, known map[int]string) (c call, ours bool, err error) {
	c.name = name
	var texts []string
	for _, m := range quoted.FindAllStringSubmatch(arguments, -1) {
		b, err := hex.DecodeString(strings.ReplaceAll(m[1], `\x`, ""))
		if err != nil {
			return c, false, err
		}
		texts = append(texts, string(b))
	}
	words := strings.Split(arguments, ", ")
	// below makes a path, relative to an open folder or the work folder, one below folder.
	below := func(at, p string) (string, bool) {
		if fd, err := strconv.Atoi(at); err == nil {
			in, ok := known[fd]
			return filepath.Join(in, p), ok
		}
		if !filepath.IsAbs(p) {
			p = filepath.Join(folder, p)
		}
		p, err := filepath.Rel(folder, p)
		return p, err == nil && filepath.IsLocal(p)
	}
	switch name {
	case "openat":
		c.flags = words[2]
		c.path, ours = below(words[0], texts[0])
		return c, ours, nil
	case "unlinkat", "mkdirat":
		c.path, ours = below(words[0], texts[0])
		return c, ours, nil
	case "linkat": // of an open file that has no name yet
		if number, ok := strings.CutPrefix(texts[0], "/proc/self/fd/"); ok {
			c.path, ours = below(words[2], texts[1])
			c.fd, err = strconv.Atoi(number)
		}
		return c, ours, err
	case "unlink", "mkdir", "rmdir", "truncate":
		c.path, ours = below("", texts[0])
		return c, ours, nil
	case "renameat", "renameat2", "rename":
		first, second := "", ""
		if name != "rename" {
			first, second = words[0], words[2]
		}
		var a, b bool
		c.path, a = below(first, texts[0])
		c.second, b = below(second, texts[1])
		return c, a || b, nil
	}
	if c.fd, err = strconv.Atoi(words[0]); err != nil {
		return c, true, nil // a call that disk doesn't know
	}
	_, ours = known[c.fd]
	switch name {
	case "write", "writev", "pwrite64":
		c.data = []byte(strings.Join(texts, ""))
		c.network = !ours && name != "pwrite64"
	}
	if name == "pwrite64" || name == "ftruncate" {
		c.number, err = strconv.ParseInt(words[len(words)-1], 10, 64)
	}
	return c, ours, err
}
