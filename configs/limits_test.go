package configs

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"tinygpt/internal/expect"
)

// hostile are texts that the YAML library needs minutes or gigabytes for.
func hostile() map[string]string {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	indented := ""
	for i := range 700 {
		indented += strings.Repeat(" ", i) + "a:\n"
	}
	return map[string]string{
		"brackets": strings.Repeat("[", 100_000), "braces": strings.Repeat("{{{{a,", 40_000), "anchors": strings.Repeat("&", 200_000),
		"directives": strings.Repeat("%", 200_000), "lists": strings.Repeat("- ", 100_000), "keys": strings.Repeat("? ", 100_000),
		"tags": strings.Repeat("!a ", 70_000), "colons": strings.Repeat("a: ", 70_000), "aliases": bomb, "indented": indented,
		"lines of lists": strings.Repeat(strings.Repeat("- ", 45)+"\n", 600), "lines of anchors": strings.Repeat("&a\n", 20_000),
		"lines of colons": strings.Repeat(strings.Repeat("a: ", 45)+"\n", 500), "a large file": strings.Repeat("# more\n", 1<<18),
		"lines of brackets": strings.Repeat("- [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n", 900),
		"lines of strings":  strings.Repeat("'", 200_000), "a long word": "train: {steps: " + strings.Repeat("x", 200_000),
	}
}

// Whatever a text is, it is read or refused in a moment.
func TestHostile(t *testing.T) {
	for name, text := range hostile() {
		for of, read := range map[string]func() error{
			"Parse": func() error { _, err := Parse([]byte(text), "a.yaml"); return err },
			"Peek":  func() error { return Peek([]byte(text), "a.yaml", &struct{ Kind string }{}) },
		} {
			if of == "Peek" && name != "aliases" {
				continue // the same limits and parser
			}
			start := time.Now()

			err := read()

			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s of %s takes %v", of, name, took)
			}
			if of == "Parse" && (err == nil || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%s of %s: %v", of, name, err)
			}
		}
	}
	expect.Error(t, checkLimits([]byte(strings.Repeat("[", 40)), "a.yaml"), "a.yaml:1:33: nested more than 32 deep")
	for _, fine := range []string{"a: '" + strings.Repeat("[", 500) + "'", `a: "` + strings.Repeat(`\"[`, 500) + `"`, "# " + strings.Repeat("{", 500), "a: [" + strings.Repeat("-1, ", 500) + "]"} {
		if err := checkLimits([]byte(fine), "a.yaml"); err != nil {
			t.Error(err)
		}
	}
}

// Every number that a setting accepts is written so that it is read again as it was, in
// whatever way it was spelled.
func TestNumbers(t *testing.T) {
	for _, setting := range []string{"sample.temperature", "sample.top_p", "sample.min_p", "sample.repetition_penalty", "train.learning_rate", "train.epsilon", "data.val_fraction", "model.dropout"} {
		for _, number := range []string{"5e-1", "0.5", ".5", "1e-06", "1E-6", "0.000001", "1", "0.1000000000000000055511151231257827", "0x1p-2"} {
			c := Default()
			if err := c.Set(setting + "=" + number); err != nil {
				if !strings.Contains(number, "x") {
					t.Errorf("%s=%s: %v", setting, number, err)
				}
				continue
			}
			text, err := c.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Parse(text, "a.yaml"); err != nil || !reflect.DeepEqual(again, c) {
				t.Errorf("%s=%s comes back as another: %v", setting, number, err)
			}
		}
	}
}

// FuzzSet: an assignment of --set changes a configuration to one that can be written and
// read again, or is refused in one line.
func FuzzSet(f *testing.F) {
	for _, s := range []string{"sample.temperature=5e-1", "model.width=9223372036854775807", "train.batch_size=100000000", "train.stages=[{until: 0.5}]", "a.b.c=1", "a=", "=", ".=.", "model.layers=[", "data.files=[a, 'b']", "sample.stop=[\"\\n\"]", "train.seed=-1", "model.arch=&a", "\n\n.=", "model.\nlayers=a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, assignment string) {
		c := Default()
		if err := c.Set(assignment); err != nil {
			expect.OneLine(t, err)
			return
		}
		if err := c.Validate(); err != nil {
			if lines := strings.Count(err.Error(), "\n"); lines > 20 {
				t.Errorf("%q: %d lines", assignment, lines)
			}
			return
		}
		text, err := c.Marshal()
		if err != nil {
			return // a text that isn't UTF-8
		}
		again, err := Parse(text, "a.yaml")
		if err != nil {
			t.Fatalf("%q: %v", assignment, err)
		}
		if twice, err := again.Marshal(); err != nil || string(twice) != string(text) {
			t.Errorf("%q comes back as another: %v\n%s\n%s", assignment, err, text, twice)
		}
	})
}
