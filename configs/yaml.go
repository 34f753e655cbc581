package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"tinygpt/data"
	"tinygpt/internal/suggest"
	"tinygpt/internal/userfile"
)

// The functions of this file read and write the configuration of any type of run: a
// struct of sections, which are structs of settings, with yaml tags. A capability
// with settings of its own declares such a struct, which may take in Config with
// `yaml:",inline"`.

// Keys at the top of a run's config.yaml that are not settings: package run writes and
// reads them, Decode passes over them. So a run's config.yaml can be given where a
// configuration is expected.
const (
	KindKey  = "kind"
	FoundKey = "found"
)

// Decode lays YAML over the struct that into points to. Unknown keys, wrong types and
// keys without a value are errors with line and column in the text called name, with
// the most similar known key. KindKey, FoundKey and others, sections or keys like
// "section.key", are passed over.
//
// It is stricter than the YAML library, which cuts 1.5 down to a whole number and takes
// a key without a value for zero.
func Decode(text []byte, name string, into any, others ...string) error {
	mapping, err := parse(text, name)
	if err != nil {
		return err
	}
	remove(mapping, "", append(others, KindKey, FoundKey))
	return decode(mapping, name, into)
}

// remove takes keys out of a mapping; prefix goes before its keys.
func remove(mapping *ast.MappingNode, prefix string, keys []string) {
	mapping.Values = slices.DeleteFunc(mapping.Values, func(n *ast.MappingValueNode) bool {
		if section, ok := n.Value.(*ast.MappingNode); ok && prefix == "" {
			remove(section, keyOf(n.Key)+".", keys)
		}
		return slices.Contains(keys, prefix+keyOf(n.Key))
	})
}

// DecodeSection lays the section of that key over the struct that into points to, as
// strictly as Decode. A text without that section leaves it as it is.
func DecodeSection(text []byte, name, key string, into any) error {
	mapping, err := parse(text, name)
	if err != nil {
		return err
	}
	for _, section := range mapping.Values {
		if keyOf(section.Key) == key {
			return decode(section.Value, name, into)
		}
	}
	return nil
}

// Extract returns the section of that key as YAML, the key included, or nothing if the
// text has none.
func Extract(text []byte, name, key string) ([]byte, error) {
	mapping, err := parse(text, name)
	if err != nil {
		return nil, err
	}
	for _, section := range mapping.Values {
		if keyOf(section.Key) == key {
			return []byte(section.String() + "\n"), nil
		}
	}
	return nil, nil
}

// Peek reads what it finds of a YAML text into the struct that into points to, and passes
// over the rest: for the few keys that say what a file is.
func Peek(text []byte, name string, into any) error {
	if err := checkLimits(text, name); err != nil {
		return err
	}
	return yaml.Unmarshal(text, into)
}

// parse reads one YAML document, which must consist of keys with values.
func parse(text []byte, name string) (*ast.MappingNode, error) {
	if userfile.UTF16(text) {
		return nil, fmt.Errorf("%s: the file is UTF-16, as Windows PowerShell's > writes: save it as UTF-8", name)
	}
	if at := data.FirstInvalid(text); at >= 0 {
		return nil, fmt.Errorf("%s:%d: not UTF-8, which a configuration is written in: save it as UTF-8", name, data.LineAt(text, at))
	}
	text = bytes.TrimPrefix(text, []byte(userfile.ByteOrderMark))
	if err := checkLimits(text, name); err != nil {
		return nil, err
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, explain(err, name)
	}
	if len(file.Docs) > 1 {
		return nil, fmt.Errorf("%s: %d YAML documents (divided by ---): expected one", name, len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: no settings in it: expected sections with settings, like `model: {layers: 12}`", name)
	}
	mapping, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		return nil, explain(unexpected(file.Docs[0].Body, "keys with values, like `layers: 12`"), name)
	}
	return mapping, nil
}

// decode checks a node against the type of into and lays it over into.
func decode(n ast.Node, name string, into any) error {
	t := reflect.TypeOf(into).Elem()
	if err := check(n, t, t, ""); err != nil {
		return explain(err, name)
	}
	if err := yaml.NodeToValue(n, into, yaml.Strict()); err != nil {
		return explain(err, name)
	}
	return nil
}

// Encode writes a configuration as YAML that Decode reads back to the same values,
// whatever characters its strings have. A string that isn't UTF-8, which YAML can't
// hold, is an error.
func Encode(config any) ([]byte, error) {
	return yaml.MarshalWithOptions(config, yaml.CustomMarshaler[string](func(s string) ([]byte, error) {
		switch {
		case !utf8.ValidString(s):
			return nil, fmt.Errorf("%q isn't valid UTF-8: a configuration can't hold it", s)
		case plain.MatchString(s) && !notText.MatchString(s):
			return []byte(s), nil
		}
		return []byte(strconv.Quote(s)), nil
	}))
}

var (
	// plain is what needs no quotes in YAML, unless it is notText: what YAML 1.1 or
	// 1.2 takes for a number, a truth value, a date or nothing.
	plain   = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./-]*$`)
	notText = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null|nan|inf)$`)
)

// SetIn changes one value of the struct that into points to. The assignment is
// "section.key=value", the value YAML; the key may be that of a part of a setting.
func SetIn(into any, assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	parts := strings.Split(key, ".") // a key may have keys of its own: train.rate_factors.tables
	if !ok || len(parts) < 2 {
		return fmt.Errorf("%s: expected section.key=value, like model.layers=6", SetFlag(assignment))
	}
	text := parts[0] + ": {" + strings.Join(parts[1:], ": {") + ": " + value + strings.Repeat("}", len(parts)-1)
	return Decode([]byte(text), SetFlag(assignment), into)
}

// SetFlag is the flag that makes an assignment, in one line, for errors.
func SetFlag(assignment string) string { return "--set " + oneLine(assignment) }

// NoConfiguration is the error about a name that is neither a file's nor one of the presets.
func NoConfiguration(name string, presets []string) error {
	absolute, _ := filepath.Abs(name)
	hint := "expected a YAML file or one of " + strings.Join(presets, ", ")
	var stems []string
	for _, p := range presets {
		stems = append(stems, strings.TrimSuffix(p, ".yaml"))
	}
	if meant := suggest.Closest(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)), stems); meant != "" {
		hint = fmt.Sprintf("did you mean the preset %s.yaml?", meant)
	}
	return fmt.Errorf("%s: no such file, and no preset of that name: %s", absolute, hint)
}

// Find returns the text of the configuration of that name: of the file if there is
// one, else of the preset. source says in words which it was.
func Find(presets fs.FS, name string) (text []byte, source string, err error) {
	text, err = userfile.ReadUpTo(name, MaxSize)
	source = "file " + name
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = fs.ReadFile(presets, name); err != nil {
			names, _ := fs.Glob(presets, "*.yaml")
			return nil, "", NoConfiguration(name, names)
		}
		source = "preset " + name
	}
	return text, source, err
}
