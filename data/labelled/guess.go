package labelled

import (
	"fmt"
	"strconv"
	"strings"
)

// Names that columns have in well-known data sets, the likeliest first.
var (
	labelNames  = []string{"label", "gold_label", "class", "category", "sentiment", "target", "answer", "score", "similarity", "stars", "labels"}
	textNames   = []string{"text", "sentence", "review", "content", "tweet", "comment", "document", "question"}
	pairNames   = [][2]string{{"premise", "hypothesis"}, {"sentence1", "sentence2"}, {"question1", "question2"}, {"text1", "text2"}, {"sentence_A", "sentence_B"}, {"question", "sentence"}}
	beforeNames = []string{"context", "premise", "question", "prompt", "text", "sentence"}
	listNames   = []string{"choices", "options", "endings", "answers"}
	choiceNames = []string{"choice%d", "choice_%d", "ending%d", "option%d", "answer%d"}
	tokenNames  = []string{"tokens", "words"}
	tagNames    = []string{"tags", "ner_tags", "labels"}
)

// Guess fills in the columns that c leaves out, by the names that they have in
// well-known data sets; of two columns without names the label is the one with fewer
// different values. It fails, and says what there is, where that leaves anything open.
func (t *Table) Guess(kind Kind, c Columns, withLabel bool) (Columns, error) {
	if c.Header == "" {
		c.Header = "no"
		if t.looksNamed(c) {
			c.Header = "yes"
		}
	}
	if t.Format == TSV || t.Format == CSV {
		t.setHeader(c.Header == "yes")
	}
	if len(t.Rows) == 0 {
		return c, fmt.Errorf("%s: a header and no rows", t.Name)
	}
	if withLabel && c.Label == "" {
		c.Label = t.first(labelNames)
		if kind == Tagged {
			c.Label = t.first(tagNames)
		}
	}
	switch kind {
	case Single:
		c.Text = t.orFirst(c.Text, textNames)
		t.guessTwo(&c, withLabel)
	case Pair:
		for _, n := range pairNames {
			if len(c.Text)+len(c.Second) == 0 && t.column(n[0]) >= 0 && t.column(n[1]) >= 0 {
				c.Text, c.Second = []string{n[0]}, []string{n[1]}
			}
		}
	case Choice:
		c.Text = t.orFirst(c.Text, beforeNames)
		c.Choices = t.orFirst(c.Choices, listNames)
		for _, n := range choiceNames {
			if len(c.Choices) == 0 {
				c.Choices = t.numbered(n)
			}
		}
	case Tagged:
		c.Text = t.orFirst(c.Text, tokenNames)
	}
	if missing := c.missing(kind, withLabel); len(missing) > 0 {
		return c, fmt.Errorf("%s: which columns hold the %s? %s: name them with %s", t.Name, words(missing, 0), t.listColumns(), words(missing, 1))
	}
	return c, nil
}

// missing lists what isn't named, with the flags that name it.
func (c Columns) missing(kind Kind, withLabel bool) (out [][2]string) {
	if len(c.Text) == 0 {
		out = append(out, [2]string{"text", "--text"})
	}
	if kind == Pair && len(c.Second) == 0 {
		out = append(out, [2]string{"second text", "--second"})
	}
	if kind == Choice && len(c.Choices) == 0 {
		out = append(out, [2]string{"choices", "--choices"})
	}
	if withLabel && c.Label == "" {
		out = append(out, [2]string{"label", "--label"})
	}
	return out
}

func words(list [][2]string, i int) string {
	var out []string
	for _, pair := range list {
		out = append(out, pair[i])
	}
	return strings.Join(out, ", ")
}

// looksNamed says whether the first row has names: those that c asks for, or well-known
// ones.
func (t *Table) looksNamed(c Columns) bool {
	if t.named() {
		return true
	}
	for _, selector := range append(append(append([]string{c.Label}, c.Text...), c.Second...), c.Choices...) {
		if first, _, _ := strings.Cut(selector, "-"); selector != "" {
			if _, err := strconv.Atoi(strings.TrimSpace(first)); err != nil {
				return true
			}
		}
	}
	known := map[string]bool{}
	for _, list := range [][]string{labelNames, textNames, beforeNames, listNames} {
		for _, n := range list {
			known[n] = true
		}
	}
	for _, pair := range pairNames {
		known[strings.ToLower(pair[0])], known[strings.ToLower(pair[1])] = true, true
	}
	for _, c := range t.Rows[0].cells {
		if known[strings.ToLower(strings.TrimSpace(c.text))] {
			return true
		}
	}
	return false
}

// first is the first of the names, in any case, that a column has.
func (t *Table) first(names []string) string {
	for _, n := range names {
		for _, have := range t.names {
			if strings.EqualFold(n, have) {
				return have
			}
		}
	}
	return ""
}

func (t *Table) orFirst(given, names []string) []string {
	if n := t.first(names); len(given) == 0 && n != "" {
		return []string{n}
	}
	return given
}

// numbered lists columns like choice1, choice2 …, from 0 or 1.
func (t *Table) numbered(pattern string) (out []string) {
	for i := 0; ; i++ {
		name := fmt.Sprintf(pattern, i)
		if t.column(name) >= 0 {
			out = append(out, name)
		} else if i > 0 {
			return out
		}
	}
}

// guessTwo decides between the columns of a table of two.
func (t *Table) guessTwo(c *Columns, withLabel bool) {
	if t.width() != 2 || !withLabel && len(c.Text) > 0 {
		if t.width() == 1 && len(c.Text) == 0 {
			c.Text = []string{"1"}
		}
		return
	}
	other := func(selector string) string {
		at, err := t.find(selector)
		if err != nil || len(at) != 1 || t.Format == JSONL {
			return ""
		}
		return strconv.Itoa(2 - at[0])
	}
	switch {
	case t.Format == JSONL:
	case c.Label != "" && len(c.Text) == 0:
		c.Text = []string{other(c.Label)}
	case c.Label == "" && len(c.Text) == 1:
		c.Label = other(c.Text[0])
	case c.Label == "" && len(c.Text) == 0:
		var different [2]map[string]bool
		for i := range different {
			different[i] = map[string]bool{}
			for _, r := range t.Rows {
				different[i][r.cell(i).text] = true
			}
		}
		switch a, b := len(different[0]), len(different[1]); {
		case a < b:
			c.Label, c.Text = "1", []string{"2"}
		case b < a:
			c.Label, c.Text = "2", []string{"1"}
		}
	}
}
