package configs

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// leadingZero is a whole number with zeros before it.
var leadingZero = regexp.MustCompile(`^([-+]?)0+([0-9]+)$`)

// misfit is a node that isn't what is expected in its place.
type misfit struct {
	node    ast.Node
	message string
}

// Error says what is wrong; explain adds where.
func (m *misfit) Error() string { return m.message }

// check compares a node with the type that it is to be decoded into. whole is the type
// of the configuration, section the key that the node belongs to, "" at the top.
func check(n ast.Node, t, whole reflect.Type, section string) error {
	switch t.Kind() {
	case reflect.Struct:
		return checkMapping(n, t, whole, section)
	case reflect.Int, reflect.Uint64, reflect.Float32, reflect.Float64:
		// 010 is eight in YAML 1.1 and ten in YAML 1.2.
		if text := n.GetToken().Value; leadingZero.MatchString(text) {
			return &misfit{n, fmt.Sprintf("found %s, which some read as %s and others as octal: write it without the zero", text, leadingZero.ReplaceAllString(text, "$1$2"))}
		}
	}
	switch t.Kind() {
	case reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			return unexpected(n, "a list, like [a, b]")
		}
		for i, v := range list.Values {
			if err := check(v, t.Elem(), whole, section); err != nil {
				return err
			}
			list.Values[i] = asNumber(v, t.Elem())
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
func checkMapping(n ast.Node, t, whole reflect.Type, section string) error {
	mapping, ok := n.(ast.MapNode)
	if !ok {
		return unexpected(n, "keys with values, like `layers: 12`")
	}
	for each := mapping.MapRange(); each.Next(); {
		key := keyOf(each.Key())
		field, known := fieldOf(t, key)
		if !known {
			hint := didYouMean(whole, section, key)
			if f, ok := fieldOf(whole, section); section != "" && (!ok || f.Type != t) { // below a section
				hint = "expected one of " + strings.Join(keys(t), ", ")
			}
			return &misfit{each.Key(), fmt.Sprintf("unknown key %q: %s", key, hint)}
		}
		if err := check(each.Value(), field.Type, whole, key); err != nil {
			return err
		}
		pair := each.KeyValue()
		pair.Value = asNumber(pair.Value, field.Type)
	}
	return nil
}

// keyOf is a key without the quotes that it may have.
func keyOf(n ast.MapKeyNode) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return n.String()
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

// asNumber is a node that is to be decoded into a float as one that the library takes for a
// number: to it 1e-3, without a point, is a text, which a type of one's own for floats
// doesn't take.
func asNumber(n ast.Node, t reflect.Type) ast.Node {
	s, ok := n.(*ast.StringNode)
	if !ok || t.Kind() != reflect.Float32 && t.Kind() != reflect.Float64 {
		return n
	}
	x, err := strconv.ParseFloat(s.Value, 64)
	if err != nil {
		return n
	}
	f := ast.Float(s.Token)
	f.Value = x
	return f
}

func isUint(v any) bool { _, ok := v.(uint64); return ok }

// fieldOf is the field of a struct that a YAML key names.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for _, f := range Fields(t) {
		if Tag(f) == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// Fields are those of a struct, and of the structs that it takes in.
func Fields(t reflect.Type) (all []reflect.StructField) {
	for i := range t.NumField() {
		f := t.Field(i)
		if _, options, _ := strings.Cut(f.Tag.Get("yaml"), ","); options == "inline" {
			all = append(all, Fields(f.Type)...)
			continue
		}
		all = append(all, f)
	}
	return all
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

// oneLine joins the lines of a message; a tab that it quotes stays visible.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "'\t'", `'\t'`)), " ")
}
