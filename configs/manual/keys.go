package manual

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"tinygpt/configs"
)

// Key is a setting.
type Key struct {
	// Name is its section and key, like train.steps.
	Name string `json:"key"`
	// Type says in words what its value is.
	Type string `json:"type"`
	// Default is its value where a configuration says nothing, as YAML.
	Default string `json:"default"`
	// Comment says what it does.
	Comment string `json:"comment"`
}

// Section is a part of a configuration.
type Section struct {
	Name    string `json:"section"`
	Comment string `json:"comment"`
	Keys    []Key  `json:"keys"`
}

// Sections lists the settings of a kind.
func (k *Kind) Sections() []Section { return k.sections(comments) }

func (k *Kind) sections(comments map[string]string) (list []Section) {
	defaults := reflect.ValueOf(k.Default()).Elem()
	for _, f := range configs.Fields(defaults.Type()) {
		s := Section{Name: configs.Tag(f), Comment: comments[fieldName(defaults.Type(), f)]}
		k.collect(&s, comments, s.Name, defaults.FieldByIndex(f.Index))
		if len(s.Keys) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// collect adds the keys of a struct, whose own key is prefix.
func (k *Kind) collect(s *Section, comments map[string]string, prefix string, value reflect.Value) {
	for _, f := range configs.Fields(value.Type()) {
		name := prefix + "." + configs.Tag(f)
		v := value.FieldByIndex(f.Index)
		switch {
		case k.has != nil && !k.has(name):
		case f.Type.Kind() == reflect.Struct:
			k.collect(s, comments, name, v)
		default:
			s.Keys = append(s.Keys, Key{name, typeName(f.Type), yamlOf(v), comments[fieldName(value.Type(), f)]})
			if elements(f.Type) {
				k.collect(s, comments, name+"[]", reflect.Zero(f.Type.Elem()))
			}
		}
	}
}

// elements says whether a type is a list of structs.
func elements(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

// fieldName is how comments names a field of a struct.
func fieldName(of reflect.Type, f reflect.StructField) string {
	return of.PkgPath() + "." + of.Name() + "." + f.Name
}

// typeName says in words what values a setting has.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Uint64:
		return "whole number"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		if elements(t) {
			return "list of mappings"
		}
		return "list of texts"
	}
	return "text"
}

// yamlOf writes a value on one line.
func yamlOf(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		var parts []string
		for i := range v.Len() {
			parts = append(parts, yamlOf(v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if v.Kind() == reflect.Struct {
		var parts []string
		for _, f := range configs.Fields(v.Type()) {
			if x := v.FieldByIndex(f.Index); !x.IsZero() {
				parts = append(parts, configs.Tag(f)+": "+yamlOf(x))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	value := v.Interface()
	switch v.Kind() {
	case reflect.String:
		value = v.String() // quoted by what it is, not by the name of its type
	case reflect.Float32, reflect.Float64:
		if x := v.Float(); !math.IsInf(x, 0) && !math.IsNaN(x) {
			return strconv.FormatFloat(x, 'g', -1, v.Type().Bits())
		}
	}
	text, err := configs.Encode(value)
	if err != nil {
		return fmt.Sprintf("%q", value) // a text that isn't UTF-8
	}
	return strings.TrimSpace(string(text))
}

// StructTypes returns the types of structs that hold the settings, with those of their
// parts.
func (k *Kind) StructTypes() (list []reflect.Type) {
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		list = append(list, t)
		for _, f := range configs.Fields(t) {
			switch {
			case f.Type.Kind() == reflect.Struct:
				add(f.Type)
			case elements(f.Type):
				add(f.Type.Elem())
			}
		}
	}
	add(reflect.TypeOf(k.Default()).Elem())
	return list
}
