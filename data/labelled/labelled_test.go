package labelled

import (
	"reflect"
	"strings"
	"testing"

	"tinygpt/data/story"
	"tinygpt/internal/expect"
)

func table(t *testing.T, text string, f Format) *Table {
	t.Helper()
	table, err := Parse("f", text, f)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Each way of writing a file gives the examples that a reader sees in it.
func TestExamples(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		format Format
		kind   Kind
		given  Columns
		want   []Example
	}{
		"no header, two columns: the label has fewer values": {
			"good \"stuff\"\t1\nbad stuff\t0\nmore\t1\n", TSV, Single, Columns{},
			[]Example{{Line: 1, Texts: []string{`good "stuff"`}, Label: "1"}, {Line: 2, Texts: []string{"bad stuff"}, Label: "0"}, {Line: 3, Texts: []string{"more"}, Label: "1"}},
		},
		"header by well-known names, in any case": {
			"Label\tReview\textra\n差\t房间很小\tx\n\n好\t很好", TSV, Single, Columns{},
			[]Example{{Line: 2, Texts: []string{"房间很小"}, Label: "差"}, {Line: 4, Texts: []string{"很好"}, Label: "好"}},
		},
		"header by the names that are asked for": {
			"a\tb\nx\tyes\n", TSV, Single, Columns{Text: []string{"a"}, Label: "b"},
			[]Example{{Line: 2, Texts: []string{"x"}, Label: "yes"}},
		},
		"CSV with quotes, a line break and a range of columns": {
			"\"3\",\"Title, one\",\"said \"\"no\"\"\"\n\"1\",\"two\nlines\",\"\"\n2,three\n", CSV, Single, Columns{Label: "1", Text: []string{"2-"}},
			[]Example{{Line: 1, Texts: []string{`Title, one said "no"`}, Label: "3"}, {Line: 2, Texts: []string{"two\nlines"}, Label: "1"}},
		},
		"a range that ends": {
			"a\tb\tc\td\n", TSV, Single, Columns{Label: "1", Text: []string{"2-3"}},
			[]Example{{Line: 1, Texts: []string{"b c"}, Label: "a"}},
		},
		"pairs": {
			"label\tpremise\thypothesis\nneutral\tp q\th\n", TSV, Pair, Columns{},
			[]Example{{Line: 2, Texts: []string{"p q", "h"}, Label: "neutral"}},
		},
		"a grade as label": {
			"pair_ID\tsentence_A\tsentence_B\trelatedness_score\n1\ta\tb\t4.5\n", TSV, Pair, Columns{Label: "relatedness_score"},
			[]Example{{Line: 2, Texts: []string{"a", "b"}, Label: "4.5"}},
		},
		"choices in columns, two texts before them": {
			`{"question": "cause", "premise": "P.", "choice1": "A.", "choice2": "B.", "label": 0}` + "\n", JSONL, Choice, Columns{Text: []string{"premise", "question"}},
			[]Example{{Line: 1, Texts: []string{"P. cause"}, Choices: []string{"A.", "B."}, Label: "0", LabelType: JSONNumber}},
		},
		"choices in a list, as many as there are": {
			"{\"question\":\"Q\",\"choices\":[\"a\",\"b\"],\"answer\":1}\n\n{\"answer\":2,\"question\":\"R\",\"choices\":[\"a\",7,true]}", JSONL, Choice, Columns{},
			[]Example{{Line: 1, Texts: []string{"Q"}, Choices: []string{"a", "b"}, Label: "1", LabelType: JSONNumber}, {Line: 3, Texts: []string{"R"}, Choices: []string{"a", "7", "true"}, Label: "2", LabelType: JSONNumber}},
		},
		"sentences with tags": {
			"-DOCSTART-\tO\n\nIn\tO\nParis\tB-loc\n \t \nHi\tO\n", CoNLL, Tagged, Columns{},
			[]Example{{Line: 3, Tokens: []string{"In", "Paris"}, Tags: []string{"O", "B-loc"}}, {Line: 6, Tokens: []string{"Hi"}, Tags: []string{"O"}}},
		},
		"sentences divided by spaces": {
			"In IN O\nParis NNP B-loc\n", CoNLL, Tagged, Columns{},
			[]Example{{Line: 1, Tokens: []string{"In", "Paris"}, Tags: []string{"O", "B-loc"}}},
		},
		"lists of tokens and tags": {
			`{"tokens": ["In", "Paris"], "ner_tags": ["O", "B-loc"]}`, JSONL, Tagged, Columns{},
			[]Example{{Line: 1, Tokens: []string{"In", "Paris"}, Tags: []string{"O", "B-loc"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := table(t, c.text, c.format)
			columns, err := table.Guess(c.kind, c.given, true)
			if err != nil {
				t.Fatal(err)
			}
			got, err := table.Examples(c.kind, columns, true)
			if name == "CSV with quotes, a line break and a range of columns" {
				if err == nil || err.Error() != "f:4: 2 columns, expected at least 3: column 3 is needed" {
					t.Errorf("a short row: %v", err)
				}
				table.Rows = table.Rows[:2]
				got, err = table.Examples(c.kind, columns, true)
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				got[i].File = ""
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
		})
	}
}

// What is to be labelled needs no label, and one that is there is left alone.
func TestWithoutLabels(t *testing.T) {
	for text, want := range map[string]string{"just text\n": "just text", "label\ttext\n\tabc\n": "abc"} {
		table := table(t, text, TSV)
		c, err := table.Guess(Single, Columns{}, false)
		if err != nil {
			t.Fatal(err)
		}
		got, err := table.Examples(Single, c, false)
		if err != nil || got[0].Texts[0] != want || got[0].Label != "" {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	table := table(t, "In\nParis\n\nHi\n", CoNLL)
	c, err := table.Guess(Tagged, Columns{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := table.Examples(Tagged, c, false); err != nil || len(got) != 2 || len(got[0].Tokens) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Errors name file and line, what was found and what was expected.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		format Format
		kind   Kind
		given  Columns
		want   string
	}{
		{"a\tx\nb\n", TSV, Single, Columns{Text: []string{"1"}, Label: "2"}, "f:2: 1 column, expected at least 2: column 2 is needed"},
		{"a\tx\n \ty\n", TSV, Single, Columns{Text: []string{"1"}, Label: "2"}, "f:2: the text (column 1) is empty"},
		{"a\tx\nb\t \n", TSV, Single, Columns{Text: []string{"1"}, Label: "2"}, "f:2: the label (column 2) is empty"},
		{"text\tlabel\n\tx\n", TSV, Single, Columns{}, `f:2: the text (column 1, "text") is empty`},
		{"a\tb\tc\n", TSV, Single, Columns{}, `f: which columns hold the text, label? it has the columns 1 ("a"), 2 ("b"), 3 ("c"): name them with --text, --label`},
		{"a\tb\n", TSV, Single, Columns{Text: []string{"3"}, Label: "1"}, `f: the text: column "3", but there are columns 1 to 2`},
		{"a\tb\nc\td\n", TSV, Single, Columns{Text: []string{"txt"}, Label: "a"}, `f: the text: no column "txt"; it has "a", "b". If these aren't names but an example, say --header no`},
		{"tex\tb\nc\td\n", TSV, Single, Columns{Text: []string{"text"}, Label: "B"}, `f: the text: no column "text"; it has "tex", "b"; did you mean tex?`},
		{"{\"a\":1}\n", JSONL, Single, Columns{Text: []string{"text"}, Label: "a"}, `f: the text: no column "text"; it has "a"`},
		{"a\tb\n", TSV, Single, Columns{Text: []string{"1"}, Label: "1-2"}, `the label is in columns "1-2", expected one column`},
		{"label\ttext\n", TSV, Single, Columns{}, "f: a header and no rows: it has \"label\", \"text\". If these"},
		{"a,\"b\nc", CSV, Single, Columns{Text: []string{"1"}, Label: "2"}, "f:1: the row that begins here, up to line 2: extraneous"},
		{"text,label\nfine,x\n\"open,y\nmore,x\n", CSV, Single, Columns{Text: []string{"1"}, Label: "2"}, "f:3: the row that begins here, up to line 4: "},
		{"a,b\"c\n", CSV, Single, Columns{Text: []string{"1"}, Label: "2"}, "f:1: column 4: bare"},
		{"{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\"}\n", JSONL, Single, Columns{}, `f:2: no key "label"`},
		{"{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": null}\n", JSONL, Single, Columns{}, `f:2: no key "label"`},
		{"{\"text\": {}, \"label\": 1}\n", JSONL, Single, Columns{}, `f:1: "text" is a list or an object, expected a text`},
		{"{\"text\": \"a\"}\n[1]\n", JSONL, Single, Columns{}, "f:2: not an object"},
		{"{\"text\": \"a\"\n", JSONL, Single, Columns{}, "f:1: the line ends in the middle of the JSON"},
		{"{\"a\": 1} {}\n", JSONL, Single, Columns{}, "f:1: there is more after the object"},
		{"{\"a\": 1, \"a\": 2}\n", JSONL, Single, Columns{}, "f:1: the key \"a\" is there twice"},
		{`{"question": "q", "choices": ["a"], "label": 0}`, JSONL, Choice, Columns{}, "f:1: 1 choice (column \"choices\"), expected two or more"},
		{`{"question": "q", "choices": ["a", " "], "label": 0}`, JSONL, Choice, Columns{}, "f:1: choice 2 is empty"},
		{"In\tO\n\tO\n", CoNLL, Tagged, Columns{}, "f:2: a tag without a token"},
		{"In\tO\nParis\n", CoNLL, Tagged, Columns{}, "f:2: not every token of this sentence has a tag"},
		{"In\tO\n\nParis\n", CoNLL, Tagged, Columns{}, "f:3: no tags"},
		{`{"tokens": ["a", "b"], "tags": ["O"]}`, JSONL, Tagged, Columns{}, "f:1: 1 tag for 2 tokens, expected as many"},
		{`{"tokens": "a b", "tags": ["O"]}`, JSONL, Tagged, Columns{}, `f:1: column "tokens" isn't a list of tokens`},
	} {
		table, err := Parse("f", c.text, c.format)
		if err == nil {
			var columns Columns
			if columns, err = table.Guess(c.kind, c.given, true); err == nil {
				_, err = table.Examples(c.kind, columns, true)
			}
		}
		expect.OneLine(t, err, c.want)
	}
	_, err := Parse("f", "a", "xml")
	expect.Error(t, err, "expected tsv, csv, jsonl or conll")
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]Format{"a.tsv": TSV, "a.csv.gz": CSV, "A.CSV": CSV, "b.JSON.GZ": JSONL, "b.jsonl": JSONL, "b.conll": CoNLL, "b.txt.gz": TSV, "-": TSV} {
		if got := formatOf(name, "a\tb\n"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	// What comes through a pipe has no name that says what it is.
	for text, want := range map[string]Format{"{\"text\": 1}": JSONL, " [\n {\"text\": 1}]": JSONL, "{x}\tcurly\n": TSV, "[1]\tnote\n": TSV, "": TSV} {
		if got := formatOf("/dev/fd/63", text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := formatOf("a.tsv", "{\"text\": 1}"); got != TSV {
		t.Errorf("what its name says isn't believed: %s", got)
	}
}

func labels(list ...string) (out []Example) {
	for i, l := range list {
		out = append(out, Example{File: "f", Line: i + 1, Label: l, Choices: []string{"yes", "no"}})
	}
	return out
}

func TestClasses(t *testing.T) {
	for want, list := range map[string][]string{
		"-1, 2, 10": {"10", "2", "-1", "2"}, "10, 2, x": {"x", "10", "2"}, "1, 1.0": {"1.0", "1"}, "非常好, 😀": {"😀", "非常好"},
	} {
		c, err := NewClasses(labels(list...))
		if err != nil || c.String() != want {
			t.Errorf("%q: %v, %v", list, c, err)
		}
		for i, l := range c {
			if got, err := c.Index(labels(l)[0]); err != nil || got != i {
				t.Errorf("%q is class %d: %v", l, got, err)
			}
		}
	}
	_, err := NewClasses(labels("a", "a"))
	expect.Error(t, err, `f: every row (2 of them) has the label "a"`)
	_, err = (Classes{"a", "b"}).Index(labels("B")[0])
	expect.Error(t, err, `f:1: the label "B" isn't one of the classes that training saw: a, b`)
}

func TestTags(t *testing.T) {
	sentence := func(tags ...string) []Example {
		return []Example{{File: "f", Line: 1, Tokens: make([]string, len(tags)), Tags: tags}}
	}
	c, err := NewTags(sentence("O", "I-per", "B-loc", "O"), true)
	if err != nil || c.String() != "O, B-loc, I-loc, B-per, I-per" {
		t.Errorf("%v, %v", c, err)
	}
	_, err = c.Indices(sentence("B-per", "B-org")[0])
	expect.Error(t, err, `f:1: the tag "B-org" of token 2`)
	_, err = NewTags(sentence("O", "NN"), true)
	expect.Error(t, err, `f:1: token 2, "", has the tag "NN"`)
	if _, err := NewTags(sentence("O", "O"), true); err == nil {
		t.Error("no entities, no error")
	}
	if c, err := NewTags(sentence("NN", "DT"), false); err != nil || c.String() != "DT, NN" {
		t.Errorf("%v, %v", c, err)
	}
}

func TestChoiceLabels(t *testing.T) {
	for _, c := range []struct {
		labels []string
		want   ChoiceLabels
		index  []int
		wrong  string
	}{
		{[]string{"1", "0"}, FromZero, []int{1, 0}, "2"},
		{[]string{"1", "2", "1"}, FromOne, []int{0, 1, 0}, "0"},
		{[]string{"A", "b"}, Letters, []int{0, 1}, "C"},
		{[]string{"no", "yes"}, ByText, []int{1, 0}, "maybe"},
	} {
		l := NewChoiceLabels(labels(c.labels...))
		if l != c.want {
			t.Errorf("%q: %q, want %q", c.labels, l, c.want)
		}
		for i, e := range labels(c.labels...) {
			if got, err := l.Index(e); err != nil || got != c.index[i] {
				t.Errorf("%q: %d, want %d: %v", e.Label, got, c.index[i], err)
			}
		}
		if i, err := l.Index(labels(c.wrong)[0]); err == nil {
			t.Errorf("%q of %q is choice %d", c.wrong, l, i)
		}
	}
}

func TestNumber(t *testing.T) {
	if x, err := (Example{Label: "4.50"}).Number(); err != nil || x != 4.5 {
		t.Errorf("%v, %v", x, err)
	}
	for _, l := range []string{"high", "NaN", "Inf", ""} {
		if _, err := (Example{File: "f", Line: 3, Label: l}).Number(); err == nil || !strings.HasPrefix(err.Error(), "f:3: ") {
			t.Errorf("%q: %v", l, err)
		}
	}
}

// Whatever a file holds, reading it ends with examples whose parts are all there, or
// with an error of one line.
func FuzzExamples(f *testing.F) {
	f.Add("text\tlabel\na\tb\n", 0, 0)
	f.Add("1,\"a\nb\"\n", 1, 1)
	f.Add(`{"choices": ["a", 1], "question": "x", "label": {}}`, 2, 2)
	f.Add("a\tB-x\n\n\tO", 3, 3)
	f.Fuzz(func(t *testing.T, text string, format, kind int) {
		if format < 0 || kind < 0 {
			return
		}
		table, err := Parse("f", text, Formats[format%len(Formats)])
		if err != nil {
			expect.OneLine(t, err)
			return
		}
		k := Kind(kind % 4)
		c, err := table.Guess(k, Columns{}, true)
		if err != nil {
			expect.OneLine(t, err)
			return
		}
		examples, err := table.Examples(k, c, true)
		if err != nil {
			expect.OneLine(t, err)
			return
		}
		for _, e := range examples {
			full := len(e.Texts) > 0 && e.Label != "" && (k != Pair || len(e.Texts) == 2) && (k != Choice || len(e.Choices) > 1)
			if k == Tagged {
				full = len(e.Tokens) > 0 && len(e.Tags) == len(e.Tokens)
			}
			for _, s := range append(append([]string{}, e.Texts...), e.Choices...) {
				full = full && strings.TrimSpace(s) != ""
			}
			if !full || e.Line < 1 || e.Line > 1+strings.Count(text, "\n") {
				t.Fatalf("%+v of %q", e, text)
			}
		}
	})
}

// Labelled stories have the parts of their kind, several labels, and no text in two of the sets.
func TestStories(t *testing.T) {
	for _, l := range story.Languages() {
		for _, label := range StoryLabels {
			t.Run(l.Name+" "+label, func(t *testing.T) { checkStories(t, l, label) })
		}
	}
}

func checkStories(t *testing.T, l *story.Language, label string) {
	train, dev, test := Stories(l, label)
	seen := map[string]int{}
	count := map[string]int{}
	for set, examples := range [][]Example{train, dev, test} {
		for _, e := range examples {
			text := strings.Join(append(append(e.Texts, e.Tokens...), e.Choices...), " ")
			if before, ok := seen[text]; ok && before != set {
				t.Errorf("%s: %q is in two sets", label, text)
			}
			seen[text] = set
			count[e.Label]++
			switch StoryKind(label) {
			case Tagged:
				if len(e.Tokens) != len(e.Tags) || len(e.Tokens) < 10 {
					t.Fatalf("%+v", e)
				}
				for _, tag := range e.Tags {
					count[tag]++
				}
			case Choice:
				if i, err := FromZero.Index(e); err != nil || len(e.Choices) != 4 || e.Choices[i] == "" {
					t.Fatalf("%+v: %v", e, err)
				}
			}
		}
	}
	delete(count, "")
	if len(count) < 3 {
		t.Errorf("%s: labels %v", label, count)
	}
	if len(train) < 1000 || len(dev) < 100 || len(test) < 100 {
		t.Errorf("%s: %d examples to train on, %d and %d to measure on", label, len(train), len(dev), len(test))
	}
}

// What a mention lies in is tagged.
func TestStoryTags(t *testing.T) {
	text := "Mia's red ball is here."
	spans := []story.Span{{Start: 0, End: 5}, {Start: 6, End: 9}, {Start: 10, End: 14}, {Start: 15, End: 17}, {Start: 18, End: 23}}
	words, tags := storyTags(text, spans, []story.Entity{{Kind: story.Person, Mentions: []story.Span{{Start: 0, End: 3}}}, {Kind: story.Thing, Mentions: []story.Span{{Start: 6, End: 14}}}})
	if got := strings.Join(tags, " "); got != "B-PER B-THING I-THING O O" || strings.Join(words, " ") != text {
		t.Errorf("%q are tagged %s", words, got)
	}
}
