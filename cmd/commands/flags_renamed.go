package commands

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// renamed are names that flags had, with what they are called now. They are understood for
// one version more, where a command has the new flag and none of the old name, and are in
// no help and no completion.
var renamed = map[string]string{"output": "to", "out": "to", "o": "to", "plot": "to", "curve": "to"}

// current returns an argument that is a flag under the name that it has now.
func current(flags []cli.Flag, arg string) string {
	name, value, assigned := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	if !strings.HasPrefix(arg, "-") || hasFlag(flags, name) {
		return arg
	}
	switch {
	case name == "json" && hasFlag(flags, "format"):
		return "--format=json"
	case renamed[name] == "" || !hasFlag(flags, renamed[name]):
		return arg
	case assigned:
		return "--" + renamed[name] + "=" + value
	}
	return "--" + renamed[name]
}

func hasFlag(flags []cli.Flag, name string) bool {
	return slices.ContainsFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
}

// formatOfFile names the flags that took over from --format, with the values that it
// had.
var formatOfFile = map[string][]string{"as": {"huggingface", "gguf"}, "file-format": {"tsv", "csv", "jsonl", "conll"}}

// currentFormat returns the flag that --format with this value is now.
func currentFormat(flags []cli.Flag, value string) string {
	for name, values := range formatOfFile {
		if hasFlag(flags, name) && slices.Contains(values, value) {
			return "--" + name
		}
	}
	return "--format"
}

// lists are the flags whose values are names, which may be given one by one or with commas
// between them. Texts and files may have commas of their own.
var lists = []string{"method", "part", "start", "task"}

// isList says whether a flag takes a list with commas: of numbers, or of names.
func isList(flags []cli.Flag, name string) bool {
	for _, f := range flags {
		if !slices.Contains(f.Names(), strings.TrimLeft(name, "-")) {
			continue
		}
		switch f := f.(type) {
		case *cli.IntSliceFlag:
			return true
		case *cli.StringSliceFlag:
			return slices.Contains(lists, f.Name)
		}
	}
	return false
}
