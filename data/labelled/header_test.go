package labelled

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// rows makes a table of rows with tabs, n times with a number in each text.
func rows(header string, n int, lines ...string) string {
	var b strings.Builder
	if header != "" {
		b.WriteString(header + "\n")
	}
	for i := range n {
		fmt.Fprintf(&b, strings.ReplaceAll(lines[i%len(lines)], "#", "%[1]d")+"\n", i)
	}
	return b.String()
}

// TestHeader: whether the first row has names follows from the rows below it, not from
// a list of English words.
func TestHeader(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		named bool
	}{
		"names that nobody knows": {rows("headline\ttopic", 12, "Markets fall again on news number # from abroad\tbusiness", "The home team wins match # in the rain\tsport"), true},
		"a label that is a well-known name": {rows("", 12, "question\tIs it going to rain in the # days to come?",
			"statement\tIt rained for # days, and then it stopped."), false},
		"a rare label that is a well-known name": {"answer\tIt is what one says when one was asked.\n" +
			rows("", 12, "question\tIs it going to rain in the # days to come?", "statement\tIt rained for # days, and then it stopped."), false},
		"Chinese names":                    {rows("标题\t类别", 8, "股市因第#条国外消息再次大幅下跌\t财经", "主队在雨中赢得第#场比赛令人激动\t体育"), true},
		"Chinese, no names":                {rows("", 8, "股市因第#条国外消息再次大幅下跌\t财经", "主队在雨中赢得第#场比赛令人激动\t体育"), false},
		"Russian names":                    {rows("класс\tтекст", 8, "спорт\tКоманда выиграла матч номер # под дождём", "рынок\tБиржа снова упала после новости номер #"), true},
		"numbers as labels, no names":      {rows("", 8, "1\tThe film was good for # minutes, then great", "0\tThe film was bad for # minutes, then worse"), false},
		"numbers as labels, with names":    {rows("y\tx", 8, "1\tThe film was good for # minutes, then great", "0\tThe film was bad for # minutes, then worse"), true},
		"grades, no names":                 {rows("", 8, "a plane is taking off at # o'clock\tan air plane takes off at #\t4.#"), false},
		"grades, with names":               {rows("first\tother\tgrade", 8, "a plane is taking off at # o'clock\tan air plane takes off at #\t4.#"), true},
		"CoLA's four columns":              {rows("", 8, "gj04\t1\t\tOur friends won't buy this analysis # times", "gj04\t0\t*\tThey drank the pub # times over"), false},
		"a word over short sentences":      {rows("Nachricht\tKategorie", 24, "Das Spiel # ging gut\tSport", "Die Kurse # fielen\tGeld"), true},
		"a text of one word":               {rows("", 24, "Schade!\tschlecht", "Das Spiel # ging gut\tgut", "Die Kurse # fielen\tschlecht"), false},
		"few rows, well-known names":       {"text\tlabel\nshort\tx\n", true},
		"few rows, no names":               {"short\tx\nother\ty\n", false},
		"one row":                          {"just some text\n", false},
		"one word and a class, no names":   {rows("", 12, "cat#\tanimal", "oak#\tplant"), false},
		"one word and a class, with names": {rows("word\tkind", 12, "cat#\tanimal", "oak#\tplant"), true},
		"GLUE's SST-2":                     {rows("sentence\tlabel", 8, "hide new secretions from the parental units # \t0", "that loves its # characters and communicates\t1"), true},
		"a first row longer than others":   {"a very long first sentence that goes on and on without any end in sight\tpos\n" + rows("", 8, "short one # here, fine\tpos", "short two # here, bad\tneg"), false},
	} {
		if got := table(t, c.text, TSV).looksNamed(Columns{}); got != c.named {
			t.Errorf("%s: header %v, want %v", name, got, c.named)
		}
	}
}

// TestHeaderOfFixtures: the public sets are read as their makers wrote them.
func TestHeaderOfFixtures(t *testing.T) {
	for name, named := range map[string]bool{
		"cola/in_domain_train.tsv": false, "cola/in_domain_dev.tsv": false, "sst2/train.tsv": false, "sst2/dev.tsv": false, "snli/dev.tsv": true, "stsb/dev.tsv": true, "ag_news/train.csv": false, "chnsenticorp/train.tsv": true,
	} {
		t.Run(name, func(t *testing.T) {
			format := TSV
			if strings.HasSuffix(name, ".csv") {
				format = CSV
			}
			tab, err := Parse(name, string(fixture.Read(t, "data/"+name)), format)
			if err != nil {
				t.Fatal(err)
			}
			if got := tab.looksNamed(Columns{}); got != named {
				t.Errorf("header %v, want %v: the first row is %v", got, named, tab.Rows[0])
			}
		})
	}
}

// TestNamesStay: columns that were found by position in a file with names are named
// from then on.
func TestNamesStay(t *testing.T) {
	text := rows("headline\ttopic", 12, "Markets fall again on news number # from abroad\tbusiness", "The home team wins match # in the rain\tsport")
	for _, given := range []Columns{{}, {Text: []string{"1"}, Label: "2"}, {Text: []string{"1-1"}}} {
		c, err := table(t, text, TSV).Guess(Single, given, true)
		if err != nil || c.Text[0] != "headline" || c.Label != "topic" || c.Header != "yes" {
			t.Errorf("%+v: %+v, %v", given, c, err)
		}
	}
	// Names that look like positions don't stand for columns.
	c, err := table(t, rows("1\t0", 12, "0\ta", "1\tb"), TSV).Guess(Single, Columns{Header: "yes", Text: []string{"2"}, Label: "1"}, true)
	if err != nil || c.Text[0] != "2" || c.Label != "1" {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestArray: an array of objects is read like an object on each line.
func TestArray(t *testing.T) {
	for _, text := range []string{
		`[{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]`,
		"\n[\n  {\"text\": \"a\",\n   \"label\": \"x\"},\n  {\n\"label\": \"y\", \"text\": \"b\"}\n]\n",
	} {
		tab := table(t, text, JSONL)
		c, err := tab.Guess(Single, Columns{}, true)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tab.Examples(Single, c, true)
		if err != nil || len(got) != 2 || got[0].Texts[0] != "a" || got[1].Label != "y" || strings.HasPrefix(text, "\n") && (got[0].Line != 3 || got[1].Line != 5) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"[":                        "f:1: the file ends in the middle of the array",
		"[{\"a\": 1},\n{\"a\": ":   "f:2: the file ends in the middle of the array",
		"[{\"a\": 1},\n 7]":        "f:2: not an object",
		"[{\"a\": 1}]\n{}":         "f:2: there is more after the array",
		"[]":                       "f: no rows in it",
		"[{\"a\": 1}\n{\"a\": 2}]": "f:",
	} {
		if _, err := Parse("f", text, JSONL); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestKeys: rows with keys of their own take memory in proportion to the file, in any order of the
// keys; too many are refused, and so is what is nested deeply.
func TestKeys(t *testing.T) {
	var own, array strings.Builder
	array.WriteString("[")
	for i := range 4000 {
		fmt.Fprintf(&own, "{\"k%d\": 1, \"text\": \"t%d\", \"label\": \"x\"}\n", i, i)
		fmt.Fprintf(&array, "{\"label\": \"x\", \"text\": \"t%d\"},\n", i)
	}
	for text, line := range map[string]int{own.String(): 4000, strings.TrimSuffix(array.String(), ",\n") + "]": 4000} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tab, err := Parse("f", text, JSONL)
		if runtime.ReadMemStats(&after); err != nil {
			t.Fatal(err)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<25 {
			t.Errorf("%d bytes taken for %d", taken, len(text))
		}
		got, err := tab.Examples(Single, Columns{Text: []string{"text"}, Label: "label"}, true)
		if err != nil || len(got) != 4000 || got[3999].Texts[0] != "t3999" || got[3999].Label != "x" || got[3999].Line != line {
			t.Errorf("%d rows, %v", len(got), err)
		}
	}
	var many strings.Builder
	for i := range mostColumns + 1 {
		fmt.Fprintf(&many, "{\"k%d\": 1}\n", i)
	}
	deep := func(n int) string { return strings.Repeat(`{"a": `, n) + "1" + strings.Repeat("}", n) }
	for _, c := range []struct {
		text   string
		format Format
		want   string
	}{
		{many.String(), JSONL, "f:10001: there are more than 10000 different keys"},
		{deep(5000), JSONL, "objects are nested deeper than 100"},
		{strings.Repeat("a\t", mostColumns) + "a", TSV, "f:1: more than 10000 columns"},
		{"a\n" + strings.Repeat("a,", mostColumns) + "a", CSV, "f:2: more than 10000 columns"},
	} {
		_, err := Parse("f", c.text, c.format)
		expect.OneLine(t, err, c.want)
	}
	if _, err := Parse("f", deep(50), JSONL); err != nil {
		t.Error(err)
	}
	tab := table(t, strings.Repeat("a\t", 1000)+"a", TSV)
	if _, err := tab.Guess(Single, Columns{}, true); err == nil || len(err.Error()) > 2000 || !strings.Contains(err.Error(), "and 951 more") {
		t.Error(err)
	}
}

// TestAnswers: how the right choice is named, by every command.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []int // the right choices
		by   ChoiceLabels
	}{
		"numbers, not texts": {`{"question": "q", "choices": ["1","2","3"], "answer": 1}
{"question": "q", "choices": ["1","2","3"], "answer": 0}`, []int{1, 0}, FromZero},
		"texts, not numbers": {`{"question": "q", "choices": ["1","2","3"], "answer": "1"}
{"question": "q", "choices": ["3","1","2"], "answer": "1"}`, []int{0, 1}, ByText},
		"numbers as strings": {`{"ctx": "q", "question": "q", "endings": ["a","b","c"], "label": "2"}
{"ctx": "q", "question": "q", "endings": ["a","b","c"], "label": "0"}`, []int{2, 0}, FromZero},
		"numbers as pandas writes them": {`{"question": "q", "choices": ["a","b"], "answer": 1.0}
{"question": "q", "choices": ["a","b"], "answer": 0.0}`, []int{1, 0}, FromZero},
		"texts that are letters": {`{"question": "q", "choices": ["B","A"], "answer": "A"}`, []int{1}, ByText},
		"letters":                {`{"question": "q", "choices": ["x","y"], "answer": "B"}`, []int{1}, Letters},
		"letters as prompts have them": {`{"ctx": "q", "choices": ["x","y","z"], "answer": "(B)"}
{"ctx": "q", "choices": ["x","y","z"], "answer": "c."}
{"ctx": "q", "choices": ["x","y","z"], "answer": "A)"}`, []int{1, 2, 0}, Letters},
		"letters and digits": {`{"question": "q", "choices": ["x","y"], "answer": "B"}
{"question": "q", "choices": ["x","y"], "answer": "1"}`, []int{1, 0}, Letters},
		"ARC": {`{"id": "a", "question": "q", "choices": {"text": ["x","y","z"], "label": ["A","B","C"]}, "answerKey": "C"}
{"id": "b", "question": "q", "choices": {"text": ["x","y","z"], "label": ["1","2","3"]}, "answerKey": "2"}`, []int{2, 1}, ""},
		"ARC as its authors wrote it": {`{"id": "a", "question": {"stem": "q", "choices": [{"text": "x", "label": "A"}, {"text": "y", "label": "B"}]}, "answerKey": "B"}`, []int{1}, ""},
		"COPA":                        {`{"question": "cause", "premise": "P.", "choice1": "A.", "choice2": "B.", "label": 0, "idx": 3}` + "\n" + `{"question": "effect", "premise": "Q.", "choice1": "A.", "choice2": "B.", "label": 1, "idx": 4}`, []int{0, 1}, FromZero},
	} {
		t.Run(name, func(t *testing.T) {
			tab := table(t, c.text, JSONL)
			columns, err := tab.Guess(Choice, Columns{}, true)
			if err != nil {
				t.Fatal(err)
			}
			examples, err := tab.Examples(Choice, columns, true)
			if err != nil {
				t.Fatal(err)
			}
			by := NewChoiceLabels(examples)
			if c.by != "" && by != c.by {
				t.Errorf("%s, want %s", by.Describe(), c.by.Describe())
			}
			for i, e := range examples {
				if got, err := by.Index(e); err != nil || got != c.want[i] {
					t.Errorf("row %d: choice %d, %v; want %d", i+1, got, err, c.want[i])
				}
			}
			if name == "COPA" && examples[0].Texts[0] != "P. cause" {
				t.Errorf("the text is %q", examples[0].Texts[0])
			}
		})
	}
	named := Example{File: "f", Line: 2, Choices: []string{"x", "y"}, ChoiceNames: []string{"A", "B"}, Label: "C"}
	_, err := Letters.Index(named)
	expect.Error(t, err, `f:2: the label "C" is the name of none of the choices, which are called ["A" "B"]`)
}

// A CSV file of a spreadsheet whose numbers have commas is divided by semicolons.
func TestSemicolons(t *testing.T) {
	for text, want := range map[string][]string{
		"Text;Label\n\"a; b\";x\n":       {"Text", "Label"},
		"\"a;b\",\"c\"\nd,e\n":           {"a;b", "c"},
		"a;b,c\n":                        {"a;b", "c"},
		"text\nno separator; but this\n": {"text"},
		"sep=|\na,b|c;d\n":               {"a,b", "c;d"},
		"\"sep=;\"\r\na,b;c\r\n":         {"a,b", "c"},
		"SEP=\t\na,b\tc\n":               {"a,b", "c"},
		"sep=x\na,b\n":                   {"sep=x"},
		"\"文;本\";标签\n":                   {"文;本", "标签"},
	} {
		tab := &Table{}
		if err := tab.parseCSV(text); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, c := range tab.Rows[0].cells {
			got = append(got, c.text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q begins with %q, want %q", text, got, want)
		}
	}
}
