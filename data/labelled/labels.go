package labelled

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Classes are the labels that examples have, each once: numbers in their order, other
// labels by spelling.
type Classes []string

// MarshalYAML writes the list with every label in double quotes, escaped as in JSON,
// which is YAML too: so any spelling comes back as it was.
func (c Classes) MarshalYAML() ([]byte, error) { return json.Marshal([]string(c)) }

// NewClasses lists the labels of training examples. Examples that all have the same
// label are an error.
func NewClasses(examples []Example) (Classes, error) {
	seen := map[string]bool{}
	for _, e := range examples {
		seen[e.Label] = true
	}
	c := sorted(seen)
	if len(c) == 1 {
		return nil, fmt.Errorf("%s: every row (%d of them) has the label %q: expected two classes or more; is that the column of the labels?", examples[0].File, len(examples), c[0])
	}
	return c, nil
}

func sorted(set map[string]bool) (c Classes) {
	numbers := true
	for s := range set {
		c = append(c, s)
		_, err := strconv.ParseFloat(s, 64)
		numbers = numbers && err == nil
	}
	slices.SortFunc(c, func(a, b string) int {
		if numbers {
			x, _ := strconv.ParseFloat(a, 64)
			y, _ := strconv.ParseFloat(b, 64)
			if x != y {
				if x < y {
					return -1
				}
				return 1
			}
		}
		return strings.Compare(a, b)
	})
	return c
}

// Index is the number of the example's class.
func (c Classes) Index(e Example) (int, error) {
	if i := slices.Index(c, e.Label); i >= 0 {
		return i, nil
	}
	return 0, e.Errorf("the label %q isn't one of the classes that training saw: %s", e.Label, c)
}

// String lists the classes, the first dozen of them.
func (c Classes) String() string {
	const shown = 12
	if len(c) <= shown {
		return strings.Join(c, ", ")
	}
	return fmt.Sprintf("%s … (%d in all)", strings.Join(c[:shown], ", "), len(c))
}

// Outside is the tag of a token that is in no entity.
const Outside = "O"

var bio = regexp.MustCompile(`^(O|[BI]-.+)$`)

// NewTags lists the tags of training examples: O first, then by type B- before I-,
// both for each type. If spans is false the tags may be any, and are listed as they
// are.
func NewTags(examples []Example, spans bool) (Classes, error) {
	seen := map[string]bool{}
	for _, e := range examples {
		for i, tag := range e.Tags {
			if spans && !bio.MatchString(tag) {
				return nil, e.Errorf("token %d, %q, has the tag %q: expected O, B-TYPE or I-TYPE; for other tags set finetune.metric to accuracy", i+1, e.Tokens[i], tag)
			}
			seen[tag] = true
		}
	}
	if !spans {
		return sorted(seen), nil
	}
	types := map[string]bool{}
	for tag := range seen {
		if tag != Outside {
			types[tag[2:]] = true
		}
	}
	c := Classes{Outside}
	for _, t := range sorted(types) {
		c = append(c, "B-"+t, "I-"+t)
	}
	if len(c) == 1 {
		return nil, fmt.Errorf("%s: every token has the tag O: expected entities, B-TYPE and I-TYPE", examples[0].File)
	}
	return c, nil
}

// Indices are the numbers of the example's tags.
func (c Classes) Indices(e Example) ([]int, error) {
	out := make([]int, len(e.Tags))
	for i, tag := range e.Tags {
		if out[i] = slices.Index(c, tag); out[i] < 0 {
			return nil, e.Errorf("the tag %q of token %d, %q, isn't one of those that training saw: %s", tag, i+1, e.Tokens[i], c)
		}
	}
	return out, nil
}

// Number is the label of an example whose labels are grades.
func (e Example) Number() (float64, error) {
	x, err := strconv.ParseFloat(e.Label, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, e.Errorf("the label %q isn't a number, which a regression head needs", e.Label)
	}
	return x, nil
}

// ChoiceLabels is how the right choice is named.
type ChoiceLabels string

const (
	FromZero ChoiceLabels = "0" // by its number, the first being 0
	FromOne  ChoiceLabels = "1" // by its number, the first being 1
	Letters  ChoiceLabels = "A" // by a letter, the first being A
	ByText   ChoiceLabels = "text"
)

// NewChoiceLabels finds out how the right choices of training examples are named. A
// choice that the file itself names (see Example.ChoiceNames) goes by that name. Else
//
//   - a JSON number is the number of a choice, and a JSON string is the text of one if
//     each is among its choices;
//   - other labels, of tables too, are numbers if all are and fit, else letters, else
//     texts. Rows with letters and rows with digits may be mixed; then 1 is A.
//
// Numbers count from 0 if one of them is 0, and else from 1.
func NewChoiceLabels(examples []Example) ChoiceLabels {
	numbers, letters, mixed, zero, texts, strings := true, true, true, false, true, true
	for _, e := range examples {
		if e.ChoiceNames != nil {
			continue
		}
		n, isNumber := wholeNumber(e.Label)
		isLetter := letterOf(e.Label) >= 0
		numbers = numbers && isNumber && n >= 0 && n <= len(e.Choices)
		letters = letters && isLetter
		mixed = mixed && (isNumber || isLetter)
		zero = zero || isNumber && n == 0
		texts = texts && slices.Contains(e.Choices, e.Label) && e.LabelType != JSONNumber
		strings = strings && e.LabelType == JSONString
	}
	switch {
	case texts && (strings || !numbers):
		return ByText
	case numbers && zero:
		return FromZero
	case numbers:
		return FromOne
	case letters || mixed:
		return Letters
	}
	return ByText
}

// wholeNumber reads a number, which may be written as 1.0: so pandas writes a column that
// has gaps.
func wholeNumber(label string) (n int, ok bool) {
	x, err := strconv.ParseFloat(label, 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > 1e9 {
		return 0, false
	}
	return int(x), true
}

// letterOf is the number of a letter, 0 for A, a, (A), A) and A.; -1 for what isn't one.
func letterOf(label string) int {
	label = strings.TrimRight(strings.TrimLeft(label, "("), ").")
	if len(label) != 1 {
		return -1
	}
	if c := label[0] &^ 0x20; c >= 'A' && c <= 'Z' {
		return int(c - 'A')
	}
	return -1
}

// Index is the number of the example's right choice.
func (l ChoiceLabels) Index(e Example) (int, error) {
	if e.ChoiceNames != nil {
		if i := slices.Index(e.ChoiceNames, e.Label); i >= 0 {
			return i, nil
		}
		return 0, e.Errorf("the label %q is the name of none of the choices, which are called %q", e.Label, e.ChoiceNames)
	}
	i := -1
	switch l {
	case FromZero, FromOne:
		n, ok := wholeNumber(e.Label)
		if !ok {
			return 0, e.Errorf("the label %q isn't the number of a choice, as in training", e.Label)
		}
		if i = n; l == FromOne {
			i--
		}
	case Letters:
		if i = letterOf(e.Label); i < 0 {
			if n, ok := wholeNumber(e.Label); ok {
				i = n - 1
			}
		}
	case ByText:
		if i = slices.Index(e.Choices, e.Label); i < 0 {
			return 0, e.Errorf("the label %q isn't one of the choices %q", e.Label, e.Choices)
		}
	}
	if i < 0 || i >= len(e.Choices) {
		return 0, e.Errorf("the label %q names none of the %d choices (%s)", e.Label, len(e.Choices), l.Describe())
	}
	return i, nil
}

// Describe says how the right choice is named.
func (l ChoiceLabels) Describe() string {
	switch l {
	case FromZero, FromOne:
		return "the answer is the number of a choice, from " + string(l) + " on"
	case Letters:
		return "the answer is the letter of a choice, from A on"
	}
	return "the answer is the text of a choice"
}
