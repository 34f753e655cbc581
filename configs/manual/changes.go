package manual

import (
	"fmt"
	"reflect"

	"tinygpt/configs"
)

// Changes lists the settings in which one configuration differs from another of the same
// type, in the order of their keys: "train.steps 20 (not 1776)". Both are pointers to the
// settings.
func Changes(before, after any) []string {
	return changes("", reflect.ValueOf(before).Elem(), reflect.ValueOf(after).Elem())
}

func changes(prefix string, before, after reflect.Value) (list []string) {
	for _, f := range configs.Fields(before.Type()) {
		name := prefix + configs.Tag(f)
		a, b := before.FieldByIndex(f.Index), after.FieldByIndex(f.Index)
		if f.Type.Kind() == reflect.Struct {
			list = append(list, changes(name+".", a, b)...)
		} else if was, is := yamlOf(a), yamlOf(b); was != is {
			list = append(list, fmt.Sprintf("%s %s (not %s)", name, is, was))
		}
	}
	return list
}
