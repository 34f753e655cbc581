package labelled

import (
	"fmt"
	"strconv"
	"strings"
)

// Names that columns have in well-known data sets, the likeliest first.
var (
	labelNames  = []string{"label", "gold_label", "class", "category", "sentiment", "target", "answer", "answerKey", "score", "similarity", "stars", "labels"}
	textNames   = []string{"text", "sentence", "review", "content", "tweet", "comment", "document", "question", "ctx"}
	pairNames   = [][2]string{{"premise", "hypothesis"}, {"sentence1", "sentence2"}, {"question1", "question2"}, {"text1", "text2"}, {"sentence_A", "sentence_B"}, {"question", "sentence"}}
	beforeNames = []string{"context", "premise", "question", "question.stem", "prompt", "text", "sentence", "ctx"}
	listNames   = []string{"choices", "question.choices", "options", "endings", "answers"}
	choiceNames = []string{"choice%d", "choice_%d", "ending%d", "option%d", "answer%d"}
	tokenNames  = []string{"tokens", "words"}
	tagNames    = []string{"tags", "ner_tags", "labels"}
)

// Guess fills in the columns that c leaves out, by the names that they have in
// well-known data sets; of two columns without names the label is the one with fewer
// different values. If that isn't enough, the error says which columns there are.
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
		return c, t.noRows()
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
		// COPA (Roemmele et al. 2011) asks for the cause or the effect of a premise.
		if premise, question := t.first([]string{"premise"}), t.first([]string{"question"}); len(c.Text) == 0 && premise != "" && question != "" {
			c.Text = []string{premise, question}
		}
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
	c.Text, c.Second, c.Choices = t.selectors(c.Text), t.selectors(c.Second), t.selectors(c.Choices)
	if l := t.selectors([]string{c.Label}); len(l) == 1 {
		c.Label = l[0]
	}
	if missing := c.missing(kind, withLabel); len(missing) > 0 {
		return c, &UnknownColumns{t.Name, words(missing, 0), t.listColumns(), words(missing, 1) + t.undivided()}
	}
	return c, nil
}

// undivided is what to try with a table of a single column that commas or semicolons may
// divide.
func (t *Table) undivided() string {
	if t.Format == TSV && len(t.Rows) > 0 && len(t.Rows[0].cells) == 1 && strings.ContainsAny(t.Rows[0].cells[0].text, ",;") {
		return "; if commas or semicolons divide its columns, say --file-format csv"
	}
	return ""
}

// noRows is the error about a table whose only row was taken for names.
func (t *Table) noRows() error {
	return fmt.Errorf("%s: a header and no rows: %s. If these aren't names but an example, say --header no", t.Name, t.listColumns())
}

// UnknownColumns is the error of Guess about columns that nothing names.
type UnknownColumns struct {
	// Table is the file, Wanted what isn't found, Has the columns that there are, Flags
	// what names them on a command line.
	Table, Wanted, Has, Flags string
}

// Error says which columns are wanted, which there are, and how to name them.
func (u *UnknownColumns) Error() string {
	return fmt.Sprintf("%s: which columns hold the %s? %s: name them with %s", u.Table, u.Wanted, u.Has, u.Flags)
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

// selector names a column: by its name if that is the column's alone and can't be taken
// for a position, else by its position.
func (t *Table) selector(column int) string {
	if t.Named() && column < len(t.names) {
		if name := t.names[column]; t.column(name) == column && (Columns{Label: name}).byName() {
			return name
		}
	}
	return strconv.Itoa(column + 1)
}

// selectors names columns that were given by position, if they have names: a file with
// other columns is then never read by positions that were another's.
func (t *Table) selectors(given []string) (out []string) {
	for _, g := range given {
		at, err := t.find(g)
		if err != nil || t.column(g) >= 0 || !t.Named() {
			out = append(out, g)
			continue
		}
		for _, i := range at {
			out = append(out, t.selector(i))
		}
	}
	return out
}

// guessTwo decides between the columns of a table of two.
func (t *Table) guessTwo(c *Columns, withLabel bool) {
	if t.width() != 2 || !withLabel && len(c.Text) > 0 {
		if t.width() == 1 && len(c.Text) == 0 {
			c.Text = []string{t.selector(0)}
		}
		return
	}
	other := func(selector string) string {
		at, err := t.find(selector)
		if err != nil || len(at) != 1 || t.Format == JSONL {
			return ""
		}
		return t.selector(1 - at[0])
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
			c.Label, c.Text = t.selector(0), []string{t.selector(1)}
		case b < a:
			c.Label, c.Text = t.selector(1), []string{t.selector(0)}
		}
	}
}
