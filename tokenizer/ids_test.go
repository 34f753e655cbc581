package tokenizer

import (
	"slices"
	"strings"
	"testing"
)

func TestReadIDs(t *testing.T) {
	for _, c := range []struct {
		text string
		want []int32
		err  string
	}{
		{"", nil, ""},
		{" \n", nil, ""},
		{"1", []int32{1}, ""},
		{"1 22\t3\r\n", []int32{1, 22, 3}, ""},
		{"\ufeff1 22\r\n", []int32{1, 22}, ""},
		{"\ufeff{\"ids\":[1]}", []int32{1}, ""},
		{"[1, 22,3]\n", []int32{1, 22, 3}, ""},
		{"-1", []int32{-1}, ""},
		{`{"ids": [1, 22], "x": 0}`, []int32{1, 22}, ""},
		{"\n {\"ids\":[]}", nil, ""},
		{"1 x 2", []int32{1}, `"x" is number 2 of the input, expected a token id`},
		{"1.5", nil, `"1.5" is number 1`},
		{"3000000000", nil, `"3000000000" is number 1`},
		{`{"id": [1]}`, nil, `JSON object 1 has no list of ids under the key "ids": it isn't there`},
		{`{"ids": ["1"]}`, nil, `JSON object 1 has no list of ids under the key "ids": json: cannot unmarshal string`},
		{"{\"ids\":[1]}\n{\"ids\":[2,3]}\n", []int32{1, 2, 3}, ""},
		{"{\"ids\":[1]}\nx", []int32{1}, "JSON object 2 has no list"},
		{`{`, nil, `JSON object 1 has no list of ids under the key "ids": unexpected EOF`},
		{strings.Repeat("1", 1<<17), nil, "too long"},
	} {
		var got []int32
		var failed error
		for id, err := range ReadIDs(strings.NewReader(c.text), nil) {
			if failed = err; err == nil {
				got = append(got, id)
			}
		}
		if !slices.Equal(got, c.want) || (failed == nil) != (c.err == "") || failed != nil && !strings.Contains(failed.Error(), c.err) {
			t.Errorf("%.40q: %v, %v; want %v, %s", c.text, got, failed, c.want, c.err)
		}
	}
}

func FuzzReadIDs(f *testing.F) {
	f.Add("1, 2 [3]")
	f.Add(`{"ids":[1]}`)
	f.Fuzz(func(t *testing.T, s string) {
		failed := false
		for _, err := range ReadIDs(strings.NewReader(s), nil) {
			if failed {
				t.Fatal("goes on after an error")
			}
			failed = err != nil
		}
	})
}
