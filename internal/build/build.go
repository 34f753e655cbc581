// Package build says what the running program was built from.
package build

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Info is what the go command recorded in the program.
type Info struct {
	Version  string // of the module, as in v1.2.0; "devel" if it was built from a working tree
	Commit   string // "" if none was recorded: go build and go install record it, go run doesn't
	Modified bool   // the working tree had changes on top of the commit
	Go       string // as in go1.26.0
	System   string // as in linux/amd64
}

// Read returns the Info of the running program.
func Read() Info {
	info, _ := debug.ReadBuildInfo() // nil if there is none
	return read(info)
}

func read(b *debug.BuildInfo) Info {
	i := Info{Version: "devel", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if b == nil {
		return i
	}
	if v := b.Main.Version; v != "" && v != "(devel)" {
		i.Version = v
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			i.Commit = s.Value
		case "vcs.modified":
			i.Modified = s.Value == "true"
		}
	}
	return i
}

// String is one line: "devel, commit 592f759d6e0b (modified), go1.26.0, linux/amd64".
func (i Info) String() string {
	short := i.Commit[:min(12, len(i.Commit))]
	commit := ", commit " + short
	switch {
	case short == "":
		commit = ", commit not recorded"
	case strings.Contains(i.Version, short): // as the go command makes it of a commit
		commit = ""
	}
	if i.Modified && !strings.HasSuffix(i.Version, "+dirty") {
		commit += " (modified)"
	}
	return fmt.Sprintf("%s%s, %s, %s", i.Version, commit, i.Go, i.System)
}
