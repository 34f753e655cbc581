package finetune

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// Classes are the training file's; without a development file a part of every class
// is held out, the same each time.
func TestLoad(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("text\tlabel\n")
	for i := range 100 {
		fmt.Fprintf(&rows, "text %d\t%s\n", i, []string{"often", "often", "often", "rare"}[i%4])
	}
	c := Default()
	c.Task, c.Train, c.DevFraction = "classification", fixture.File(t, "a.tsv", rows.String()), 0.2
	c.Test = fixture.File(t, "test.tsv", "label\tother\ttext\nrare\tx\tof another order\n")
	x, s, err := Load(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Classes, []string{"often", "rare"}) || len(x.Train) != 80 || len(x.Dev) != 20 || len(x.Test) != 1 {
		t.Errorf("classes %v, %d, %d and %d examples", s.Classes, len(x.Train), len(x.Dev), len(x.Test))
	}
	rare := 0
	seen := map[string]bool{}
	for _, e := range x.Dev {
		seen[e.Texts[0]] = true
		if e.Label == "rare" {
			rare++
		}
	}
	if rare != 5 || len(seen) != 20 || slices.ContainsFunc(x.Train, func(e labelled.Example) bool { return seen[e.Texts[0]] }) {
		t.Errorf("%d rare ones of %d held out", rare, len(seen))
	}
	if x.Test[0].Texts[0] != "of another order" {
		t.Errorf("the test's text is %q", x.Test[0].Texts[0])
	}
	if y, _, err := Load(c, &s.Found); err != nil || y.Dev[3].Line != x.Dev[3].Line {
		t.Errorf("loaded again: %v", err)
	}
	fixture.Write(t, c.Test, "label\ttext\nrare\tchanged\n")
	_, _, err = Load(c, &s.Found)
	expect.Error(t, err, "are not those that the run began with")
	s.Examples = 8
	for seed := range uint64(3) {
		drawn, err := s.Subset(x.Train, seed)
		if err != nil || len(drawn) != 8 || len(slices.DeleteFunc(slices.Clone(drawn), func(e labelled.Example) bool { return e.Label == "rare" })) != 6 {
			t.Errorf("seed %d draws %v: %v", seed, drawn, err)
		}
	}
	if s.Examples = 81; s.Examples > 0 {
		if _, err := s.Subset(x.Train, 1); err == nil {
			t.Error("more examples drawn than there are")
		}
	}
}

func TestLoadGrades(t *testing.T) {
	c := Default()
	c.Task, c.Head, c.Label = "similarity", Regression, "score"
	c.Train = fixture.File(t, "a.jsonl", `{"sentence1": "a", "sentence2": "b", "score": 1}`+"\n"+`{"sentence1": "c", "sentence2": "d", "score": "4"}`+"\n")
	c.Dev = c.Train
	// However far from 0 grades are, their spread isn't lost.
	far := c
	far.Train = fixture.File(t, "far.jsonl", `{"sentence1": "a", "sentence2": "b", "score": 1700000001}`+"\n"+`{"sentence1": "c", "sentence2": "d", "score": 1700000004}`+"\n")
	far.Dev = far.Train
	if _, s, err := Load(far, nil); err != nil || math.Abs(s.Deviation-1.5) > 1e-6 {
		t.Errorf("deviation of large grades %+v: %v", s, err)
	}
	if _, s, err := Load(c, nil); err != nil || s.Mean != 2.5 || math.Abs(s.Deviation-1.5) > 1e-12 {
		t.Errorf("mean and deviation %+v: %v", s, err)
	}
}

// What is wrong with the files is said with file and line.
func TestLoadErrors(t *testing.T) {
	good := "text\tlabel\na\tx\nb\ty\n"
	var unique strings.Builder
	for i := range 5001 {
		fmt.Fprintf(&unique, "a\t%d\n", i)
	}
	for _, k := range []struct{ train, test, want string }{
		{"text\tlabel\na\tx\nb\tx\n", "", `a.tsv: every row (2 of them) has the label "x"`},
		{good, "text\tlabel\nc\tz\n", `test.tsv:2: the label "z" isn't one of the classes that training saw: x, y`},
		{good, "text\tlabel\nc\tx\nc\n", `test.tsv:3: 1 column, expected at least 2`},
		{good, "text\tlabel\n\tx\n", `test.tsv:2: the text (column 1, "text") is empty`},
		{"text\tlabel\n \tx\n", "", `a.tsv:2: the text (column 1, "text") is empty`},
		{"", "", "the file is empty"},
		{"text\tlabel\na\tx\nb\t" + strings.Repeat("y", 1<<18), "", "a.tsv: 2 different labels, with 262153 bytes: expected up to 5000, with 200000 bytes"},
		{"text\tlabel\n" + unique.String(), "", "a.tsv: 5001 different labels, with 38898 bytes: expected up to 5000"},
	} {
		c := Default()
		c.Task, c.Train = "classification", fixture.File(t, "a.tsv", k.train)
		c.Dev = c.Train
		if k.test != "" {
			c.Test = fixture.File(t, "test.tsv", k.test)
		}
		_, _, err := Load(c, nil)
		expect.OneLine(t, err, k.want)
	}
	for want, spoil := range map[string]func(c *Config){
		`whose examples don't fit the task entailment`: func(c *Config) { c.Task, c.Stories = "entailment", "sentiment" },
		`isn't a number`: func(c *Config) {
			c.Task, c.Head, c.Train = "classification", Regression, fixture.File(t, "a.tsv", good)
			c.Dev = c.Train
		},
		`the grades go from -1e+308 to 1e+308`: func(c *Config) {
			c.Task, c.Head, c.Train = "classification", Regression, fixture.File(t, "a.tsv", "text\tlabel\na\t1e308\nb\t-1e308\nc\t1\n")
			c.Dev = c.Train
		},
		`have the grade 1`: func(c *Config) {
			c.Task, c.Head, c.Train = "classification", Regression, fixture.File(t, "a.tsv", "text\tlabel\na\t1\nb\t1.0\n")
			c.Dev = c.Train
		},
		`too few to hold some out`: func(c *Config) {
			c.Task, c.Train, c.DevFraction = "classification", fixture.File(t, "a.tsv", good), 0.9
		},
	} {
		c := Default()
		spoil(&c)
		_, _, err := Load(c, nil)
		expect.Error(t, err, want)
	}
}

// Classes that can't be told apart, or that no label can be, were found in no examples.
func TestFoundCheck(t *testing.T) {
	for want, f := range map[string]Found{
		`class 3 of 3 is "a"`: {Classes: []string{"a", "b", "a"}},
		`class 2 of 2 is ""`:  {Classes: []string{"a", ""}},
		"a deviation of 0":    {Deviation: -1},
	} {
		expect.OneLine(t, f.Check(), want)
	}
	if err := (Found{Classes: []string{"a", "b"}}).Check(); err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	good := Default()
	good.Task, good.Train = "classification", "a.tsv"
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, spoil := range map[string]func(*Config){
		"finetune.task is missing": func(c *Config) { c.Task = "" },
		`finetune.task is "sorting": expected ` + strings.Join(Tasks()[:2], ", "): func(c *Config) { c.Task = "sorting" },
		`finetune.train is missing`:                          func(c *Config) { c.Train = "" },
		`finetune.train and finetune.stories are both set`:   func(c *Config) { c.Stories = "topic" },
		`finetune.head is "tree"`:                            func(c *Config) { c.Head = "tree" },
		`finetune.head is regression, but the labels of tag`: func(c *Config) { c.Task, c.Head = "tagging", Regression },
		`finetune.metric is "f2"`:                            func(c *Config) { c.Metric = "f2" },
		`finetune.metric is pearson, but classification is`:  func(c *Config) { c.Metric = "pearson" },
		`finetune.truncate is "left"`:                        func(c *Config) { c.Truncate = "left" },
		`finetune.format is "xls"`:                           func(c *Config) { c.Format = "xls" },
		`finetune.epochs is 0`:                               func(c *Config) { c.Epochs = 0 },
		`finetune.buckets is 101: expected 1 to 100`:         func(c *Config) { c.Buckets = 101 },
		`finetune.buckets is 0`:                              func(c *Config) { c.Buckets = 0 },
		`finetune.dropout is 1`:                              func(c *Config) { c.Dropout = 1 },
		`finetune.lambda is NaN`:                             func(c *Config) { c.Lambda = math.NaN() },
		`finetune.dev_fraction is 0`:                         func(c *Config) { c.DevFraction = 0 },
		`finetune.freeze_layers is -1`:                       func(c *Config) { c.FreezeLayers = -1 },
	} {
		c := good
		spoil(&c)
		expect.Error(t, c.Validate(), want)
	}
}

// TestPositionsOfHeaderless: positions from a file without names aren't those of a file
// with names, unless the user says so.
func TestPositionsOfHeaderless(t *testing.T) {
	var plain, named strings.Builder
	named.WriteString("id\ttext\n")
	for i := range 12 {
		fmt.Fprintf(&plain, "%s\tan example of some length, number %d of twelve\n", []string{"good", "bad"}[i%2], i)
		fmt.Fprintf(&named, "%d\tan example of some length, number %d of twelve\n", 1000+i, i)
	}
	c := Default()
	c.Task, c.Train = "classification", fixture.File(t, "plain.tsv", plain.String())
	x, s, err := Load(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if found := s.Found.Columns; !s.Headerless || found.Text[0] != "2" || found.Label != "1" || len(x.Notes) != 1 || !strings.HasSuffix(x.Notes[0], "plain.tsv: 12 rows, no header; text: 2; label: 1") {
		t.Errorf("%+v, %q", s, x.Notes)
	}
	other := fixture.File(t, "named.tsv", named.String())
	_, err = s.Read(Source{File: other})
	expect.Error(t, err, "named.tsv: its first row looks like names of columns (id, text)")
	for header, want := range map[string]int{"yes": 12, "no": 13} {
		if examples, err := s.Read(Source{File: other, Columns: labelled.Columns{Header: header}}); err != nil || len(examples) != want {
			t.Errorf("header %s: %d examples, %v", header, len(examples), err)
		}
	}
	// A label of the first row alone may be its column's name, which is said.
	c = Default()
	c.Task, c.Train = "classification", fixture.File(t, "b.tsv", "mood\tan example of some length, as long as the other ones\n"+plain.String())
	if x, _, err = Load(c, nil); err != nil || len(x.Notes) != 1 || !strings.Contains(x.Notes[0], "no other row has the label \"mood\" of the first one: if that is the column's name, say --header yes") {
		t.Errorf("%q, %v", x.Notes, err)
	}
	// By name nothing depends on the places.
	c = Default()
	c.Task, c.Train = "classification", fixture.File(t, "a.tsv", "subject\ttopic\n"+strings.ReplaceAll(plain.String(), "good\t", "x\t"))
	c.Text, c.Label = []string{"2"}, "1"
	if _, s, err := Load(c, nil); err != nil || s.Headerless || s.Found.Columns.Text[0] != "topic" || s.Found.Columns.Label != "subject" {
		t.Errorf("%+v, %v", s, err)
	}
}
