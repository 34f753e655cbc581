package manual

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"tinygpt/configs"
	"tinygpt/internal/terminal"
)

// mostColumns is how many columns comments take at most.
const mostColumns = 79

// columns is how many columns comments take on w: fewer on a narrow terminal.
func columns(w io.Writer) int {
	if n := terminal.Width(w); n > 0 {
		return min(n, mostColumns)
	}
	return mostColumns
}

// Write writes a configuration of this kind as YAML that can be read again, with a comment
// for every key. config is a pointer to the settings.
func (k *Kind) Write(w io.Writer, config any) error {
	y := &yamlWriter{Writer: w, kind: k, columns: columns(w)}
	settings := reflect.ValueOf(config).Elem()
	for _, f := range configs.Fields(settings.Type()) {
		y.section(f, settings, "")
	}
	return y.err
}

type yamlWriter struct {
	io.Writer
	kind    *Kind
	columns int  // of comments
	begun   bool // something was written
	err     error
}

func (y *yamlWriter) line(format string, args ...any) {
	if y.err == nil {
		_, y.err = fmt.Fprintf(y, format+"\n", args...)
	}
}

// comment writes lines that begin with # at an indentation.
func (y *yamlWriter) comment(indent, text string) {
	for line := range strings.SplitSeq(terminal.Wrapped(text, y.columns-len(indent)-2), "\n") {
		y.line("%s# %s", indent, line)
	}
}

// section writes a field of a struct that is a struct itself, with its keys below it.
func (y *yamlWriter) section(f reflect.StructField, of reflect.Value, prefix string) {
	name := prefix + configs.Tag(f)
	inner := of.FieldByIndex(f.Index)
	begun := false
	for _, key := range configs.Fields(inner.Type()) {
		full := name + "." + configs.Tag(key)
		if y.kind.has != nil && !y.kind.has(full) {
			continue
		}
		indent := strings.Repeat("  ", strings.Count(name, "."))
		if !begun {
			begun = true
			if y.begun && prefix == "" {
				y.line("")
			}
			y.begun = true
			y.comment(indent, comments[fieldName(of.Type(), f)])
			y.line("%s%s:", indent, configs.Tag(f))
		}
		if key.Type.Kind() == reflect.Struct {
			y.section(key, inner, name+".")
			continue
		}
		y.key(indent+"  ", inner, key)
	}
}

// key writes one setting.
func (y *yamlWriter) key(indent string, of reflect.Value, f reflect.StructField) {
	y.comment(indent, comments[fieldName(of.Type(), f)])
	if elements(f.Type) {
		for _, part := range configs.Fields(f.Type.Elem()) {
			y.comment(indent, fmt.Sprintf("%s of each: %s", configs.Tag(part), comments[fieldName(f.Type.Elem(), part)]))
		}
	}
	y.line("%s%s: %s", indent, configs.Tag(f), yamlOf(of.FieldByIndex(f.Index)))
}

// Print writes sections for reading on a terminal.
func Print(w io.Writer, sections []Section) error {
	var text strings.Builder
	columns := columns(w)
	for i, s := range sections {
		if i > 0 {
			text.WriteString("\n")
		}
		fmt.Fprintln(&text, terminal.Wrapped(s.Name+": "+s.Comment, columns))
		for _, k := range s.Keys {
			key := fmt.Sprintf("  %s  (%s, default %s)", k.Name, k.Type, k.Default)
			fmt.Fprintln(&text, terminal.Wrapped(key, columns))
			fmt.Fprintln(&text, terminal.Wrapped("      "+k.Comment, columns))
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
