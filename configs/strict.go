package configs

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// decode lays YAML over c. It is stricter than the YAML library, which cuts 1.5
// down to a whole number and takes a key without a value for zero.
func decode(text []byte, name string, c *Config) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return explain(err, name)
	}
	if len(file.Docs) > 1 {
		return fmt.Errorf("%s: %d YAML documents (divided by ---): expected one", name, len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return fmt.Errorf("%s: no settings in it: expected sections data, tokenizer, model, train, sample, finetune", name)
	}
	if err := check(file.Docs[0].Body, reflect.TypeFor[Config](), ""); err != nil {
		return explain(err, name)
	}
	if err := yaml.NodeToValue(file.Docs[0].Body, c, yaml.Strict()); err != nil {
		return explain(err, name)
	}
	return nil
}

// misfit is a node that isn't what is expected in its place.
type misfit struct {
	node    ast.Node
	message string
}

func (m *misfit) Error() string { return m.message }

// check compares a node with the type that it is to be decoded into; section is
// the key that it belongs to, "" at the top.
func check(n ast.Node, t reflect.Type, section string) error {
	switch t.Kind() {
	case reflect.Struct:
		return checkMapping(n, t, section)
	case reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			return unexpected(n, "a list, like [a, b]")
		}
		for _, v := range list.Values {
			if err := check(v, t.Elem(), section); err != nil {
				return err
			}
		}
	case reflect.Int:
		// The library holds what is not negative as uint64, the rest as int64.
		if i, ok := n.(*ast.IntegerNode); !ok || isUint(i.Value) && i.Value.(uint64) > math.MaxInt {
			return unexpected(n, "a whole number")
		}
	case reflect.Uint64:
		if i, ok := n.(*ast.IntegerNode); !ok || !isUint(i.Value) {
			return unexpected(n, "a whole number of 0 or more")
		}
	case reflect.Float32, reflect.Float64:
		if !isNumber(n) {
			return unexpected(n, "a number")
		}
	case reflect.Bool:
		if _, ok := n.(*ast.BoolNode); !ok {
			return unexpected(n, "true or false")
		}
	default:
		switch n.(type) {
		case *ast.StringNode, *ast.LiteralNode:
		default:
			return unexpected(n, "a text (numbers in quotes)")
		}
	}
	return nil
}

// checkMapping checks a section, or all of them.
func checkMapping(n ast.Node, t reflect.Type, section string) error {
	mapping, ok := n.(ast.MapNode)
	if !ok {
		return unexpected(n, "keys with values, like `layers: 12`")
	}
	for each := mapping.MapRange(); each.Next(); {
		key := each.Key().String()
		field, known := fieldOf(t, key)
		if !known {
			return &misfit{each.Key(), fmt.Sprintf("unknown key %q: %s", key, suggest(section, key))}
		}
		if err := check(each.Value(), field.Type, key); err != nil {
			return err
		}
	}
	return nil
}

func isNumber(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return true
	case *ast.StringNode:
		// 1e-3, without a point, is a text to the library until it is decoded.
		_, err := strconv.ParseFloat(n.Value, 64)
		return err == nil && n.Token.Type == token.StringType
	}
	return false
}

func isUint(v any) bool { _, ok := v.(uint64); return ok }

// fieldOf is the field of a struct that a YAML key names.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if tag(t.Field(i)) == key {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

func unexpected(n ast.Node, expected string) error {
	found := fmt.Sprintf("%.40q", oneLine(n.String()))
	if _, ok := n.(*ast.NullNode); ok {
		found = "no value"
	}
	return &misfit{n, fmt.Sprintf("found %s, expected %s", found, expected)}
}

// explain makes one line of an error, with the place.
func explain(err error, name string) error {
	var wrong *misfit
	var syntax yaml.Error
	message, where := err.Error(), name
	switch {
	case errors.As(err, &wrong):
		where = place(name, wrong.node.GetToken().Position.Line, wrong.node.GetToken().Position.Column)
	case errors.As(err, &syntax):
		message = syntax.GetMessage()
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			where = place(name, t.Position.Line, t.Position.Column)
		}
	}
	return fmt.Errorf("%s: %s", where, oneLine(message))
}

// place is where in a file; a flag has no lines.
func place(name string, line, column int) string {
	if strings.HasPrefix(name, "--") {
		return name
	}
	return fmt.Sprintf("%s:%d:%d", name, line, column)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
