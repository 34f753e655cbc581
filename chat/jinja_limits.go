package chat

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/ardanlabs/jinja"
)

// A template is a program that came with somebody's model. So that it can't take all memory,
// or all of the stack, which nothing in Go recovers from, prepare has all that it writes and
// keeps, and all that a loop, a filter or a method takes, pass through functions of these
// names, and check holds what happens in between to mostNames and mostGrowth.
const (
	ownPrefix     = "_gpt_"
	writtenName   = ownPrefix + "written"   // (value): what is written
	keptName      = ownPrefix + "kept"      // (value): what a variable is set to, or something grows from
	attributeName = ownPrefix + "attribute" // (namespace, value): what an attribute is set to
	passName      = ownPrefix + "pass"      // (): at the beginning of each pass of a loop
	calledName    = ownPrefix + "called"    // (values…): at the beginning of a macro that is called with values
	returnedName  = ownPrefix + "returned"  // (): at the end of a macro
)

// renderTime is how long a template may take.
var renderTime = 5 * time.Second

const (
	longestRange   = 10000    // numbers in a range
	longestValue   = 32 << 10 // bytes, besides those of the conversation
	longestWritten = 4 << 20  // bytes, besides 16 times those of the conversation
	deepestValue   = 100      // lists in lists
	mostCalls      = 5000     // of macros
	deepestCalls   = 100      // of macros in macros: they may call themselves, and each takes some of the stack
)

var (
	target     = regexp.MustCompile(`^\w+(\.\w+)?$`)
	parameters = regexp.MustCompile(`(?s)^macro\s+\w+\s*\((.*)\)$`)
)

// limited writes a tag so that its values are limited.
func (t tag) limited() (string, error) {
	if len(wordsOf(t.body)) > mostWords {
		return "", fmt.Errorf("a tag has more than %d words", mostWords)
	}
	body := measured(strings.TrimSpace(t.body))
	whole := "{% " + body + " %}"
	switch word := firstWord(body); {
	case t.kind == '{' && body == "":
		return "", errors.New("it has an empty expression")
	case t.kind == '{':
		return "{{ " + writtenName + "(" + body + ") }}", nil
	case word == "for":
		return "{% " + measuredLoop(body) + " %}{{ " + passName + "() }}", nil
	case word == "endmacro":
		return "{{ " + returnedName + "() }}" + whole, nil
	case word == "macro":
		var names []string
		list := parameters.FindStringSubmatch(body)
		if list == nil {
			return "", errors.New("it has a macro without parameters in parentheses")
		}
		if strings.Contains(list[1], "(") { // calls before the macro's beginning, such as of itself
			return "", errors.New("it has a macro with a call as the default of a parameter")
		}
		for p := range strings.SplitSeq(list[1], ",") {
			name, _, _ := strings.Cut(p, "=")
			if name = strings.TrimSpace(name); name != "" && !identifier.MatchString(name) {
				return "", fmt.Errorf("it has a macro with a parameter %.40q, which is no name", name)
			}
			names = append(names, name)
		}
		return whole + "{{ " + calledName + "(" + strings.Join(names, ", ") + ") }}", nil
	case word == "set":
		name, value, ok := strings.Cut(strings.TrimPrefix(body, "set"), "=")
		if name = strings.TrimSpace(name); !target.MatchString(name) {
			return "", fmt.Errorf("it sets %.40q, which is no name", name)
		}
		if !ok {
			return whole, nil
		}
		call := keptName + "("
		if object, _, ok := strings.Cut(name, "."); ok {
			call = attributeName + "(" + object + ", "
		}
		return "{% set " + name + " = " + call + value + ") %}", nil
	}
	return whole, nil
}

// limits are those of one use of a template.
type limits struct {
	end         time.Time
	value, room int                  // the bytes that a value may have, and those that may still be written
	calls       int                  // of macros
	depth       int                  // of macros that are being called
	namespaces  map[*jinja.Dict]bool // those that the template made
}

// newLimits returns the limits for a conversation of this many bytes.
func newLimits(conversation int) *limits {
	return &limits{
		end: time.Now().Add(renderTime), value: longestValue + conversation, room: longestWritten + 16*conversation, namespaces: map[*jinja.Dict]bool{},
	}
}

// late returns an error if the template has run for too long.
func (l *limits) late() error {
	if time.Now().After(l.end) {
		return fmt.Errorf("it takes longer than %v", renderTime)
	}
	return nil
}

// functions are what a prepared template calls, by name.
func (l *limits) functions() map[string]jinja.Value {
	list := map[string]func(args []jinja.Value) (jinja.Value, error){
		writtenName: func(args []jinja.Value) (jinja.Value, error) {
			if len(args) != 1 {
				return jinja.Undefined(), errors.New("a tag writes several values")
			}
			size, err := l.size(args[0])
			if l.room -= size; err == nil && l.room < 0 {
				err = errors.New("it writes too much")
			}
			return args[0], err
		},
		keptName: func(args []jinja.Value) (jinja.Value, error) {
			if len(args) != 1 {
				return jinja.Undefined(), errors.New("a variable or a loop takes several values")
			}
			_, err := l.size(args[0])
			if err == nil {
				err = l.late()
			}
			return args[0], err
		},
		attributeName: func(args []jinja.Value) (jinja.Value, error) {
			if len(args) != 2 || !args[0].IsDict() || !l.namespaces[args[0].AsDict()] {
				return jinja.Undefined(), errors.New("it sets an attribute of something else than a namespace")
			}
			_, err := l.part(args[1], l.value, 0)
			return args[1], err
		},
		passName: func([]jinja.Value) (jinja.Value, error) {
			return jinja.NewString(""), l.late()
		},
		calledName: func(args []jinja.Value) (jinja.Value, error) {
			err := l.late()
			l.calls++
			l.depth++
			if l.calls > mostCalls {
				err = fmt.Errorf("it calls its macros more than %d times", mostCalls)
			} else if l.depth > deepestCalls {
				err = fmt.Errorf("its macros call each other deeper than %d times", deepestCalls)
			}
			for _, a := range args {
				if err == nil {
					_, err = l.size(a)
				}
			}
			return jinja.NewString(""), err
		},
		returnedName: func([]jinja.Value) (jinja.Value, error) {
			l.depth--
			return jinja.NewString(""), nil
		},
	}
	values := map[string]jinja.Value{
		"range": jinja.NewCallable("range", numbersTo),
		"namespace": jinja.NewCallable("namespace", func(_ []jinja.Value, attributes map[string]jinja.Value) (jinja.Value, error) {
			n := jinja.NewDict()
			for name, v := range attributes {
				n.AsDict().Set(name, v)
			}
			l.namespaces[n.AsDict()] = true
			return n, nil
		}),
	}
	for name, f := range list {
		values[name] = jinja.NewCallable(name, func(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) { return f(args) })
	}
	return values
}

// size is about the number of bytes that v has when it is written. Unless v is one itself, it
// holds no namespace: that could be made to hold v, which would then be written without end.
func (l *limits) size(v jinja.Value) (int, error) {
	if !v.IsDict() || !l.namespaces[v.AsDict()] {
		return l.part(v, l.value, 0)
	}
	left := l.value
	for _, name := range v.AsDict().Keys {
		size, err := l.part(v.AsDict().Data[name], left, 1)
		if left -= size + len(name); err != nil {
			return 0, err
		}
	}
	return l.value - left, nil
}

// part is the size of a value that is in depth others; it may be up to most.
func (l *limits) part(v jinja.Value, most, depth int) (size int, err error) {
	const each = 16 // what a value takes in any case
	add := func(v jinja.Value) {
		if err == nil {
			var n int
			n, err = l.part(v, most-size, depth+1)
			size += n
		}
	}
	size = each
	switch {
	case depth > deepestValue:
		return 0, fmt.Errorf("it makes values nested deeper than %d", deepestValue)
	case v.IsString():
		size += len(v.AsString())
	case v.IsList():
		for _, item := range v.AsList().Items {
			add(item)
		}
	case v.IsDict():
		d := v.AsDict()
		if l.namespaces[d] {
			return 0, errors.New("it keeps a namespace in another value")
		}
		for _, key := range d.Keys {
			size += len(key)
			add(d.Data[key])
		}
	}
	if err == nil && size > most {
		err = fmt.Errorf("it makes a value of more than %d bytes", l.value)
	}
	return size, err
}

// numbersTo is range, for up to longestRange numbers.
func numbersTo(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) {
	n := [3]int64{0, 0, 1}
	switch len(args) {
	case 1:
		n[1] = args[0].AsInt()
	case 2, 3:
		for i, a := range args {
			n[i] = a.AsInt() // panics if it is none
		}
	default:
		return jinja.Undefined(), errors.New("range takes one to three numbers")
	}
	var list []jinja.Value
	for i := n[0]; n[2] > 0 && i < n[1] || n[2] < 0 && i > n[1]; i += n[2] {
		if len(list) == longestRange {
			return jinja.Undefined(), fmt.Errorf("a range has more than %d numbers", longestRange)
		}
		list = append(list, jinja.NewInt(i))
	}
	return jinja.NewList(list), nil
}
