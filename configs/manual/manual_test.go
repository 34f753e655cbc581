package manual

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"tinygpt/configs"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/internal/terminal"
)

// Every preset of every kind, written with its comments, reads back as what it was.
func TestWrite(t *testing.T) {
	path := fixture.NewPath(t, "again.yaml")
	if len(Presets()) < 20 {
		t.Errorf("%d presets: %v", len(Presets()), Presets())
	}
	for _, name := range Presets() {
		k, config, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := k.Write(&out, config); err != nil {
			t.Fatal(err)
		}
		fixture.Write(t, path, out.Bytes())
		again, read, err := Load(path)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out.String())
		}
		// What isn't a setting of the kind is left out, so it may differ.
		var second bytes.Buffer
		if err := again.Write(&second, read); err != nil || second.String() != out.String() || again.Command != k.Command {
			t.Errorf("%s comes back as %s's (%v)\n%s\nnot\n%s", name, again.Command, err, second.String(), out.String())
		}
		for _, s := range k.Sections() {
			for _, key := range s.Keys {
				if field := key.Name[strings.LastIndex(key.Name, ".")+1:]; !strings.Contains(out.String(), field+": ") && !strings.Contains(out.String(), field+" of each: ") {
					t.Errorf("%s: %s is missing", name, key.Name)
				}
			}
		}
		for line := range strings.Lines(out.String()) {
			if terminal.Columns(strings.TrimRight(line, "\n")) > 79 && strings.Contains(line, "#") {
				t.Errorf("%s: %q is longer than 79 columns", name, line)
			}
		}
	}
}

// narrow is a terminal of that many columns.
type narrow struct {
	bytes.Buffer
	columns int
}

func (n *narrow) Columns() int { return n.columns }

// On a narrow terminal, comments take as many columns as it has.
func TestNarrow(t *testing.T) {
	k := Kinds()[0]
	c := configs.Default()
	for _, columns := range []int{1, 40, 60, 200} {
		written, printed := &narrow{columns: columns}, &narrow{columns: columns}
		if err := errors.Join(k.Write(written, &c), Print(printed, k.Sections())); err != nil {
			t.Fatal(err)
		}
		longest := 0
		for line := range strings.Lines(written.String() + printed.String()) {
			if line = strings.TrimRight(line, "\n"); strings.Contains(strings.TrimLeft(line, " #"), " ") && !strings.Contains(line, ": ") {
				longest = max(longest, terminal.Columns(line))
			}
		}
		if most := min(columns, mostColumns); columns > 1 && (longest > most || longest < most-9) {
			t.Errorf("%d columns: the longest line has %d", columns, longest)
		}
	}
}

// A configuration with values that the presets leave at their defaults comes back too.
func TestWriteEveryValue(t *testing.T) {
	c := configs.Default()
	for _, s := range []string{`data.files=["a: b", "c #d", ""]`, "data.encoding=gb18030", "train.stages=[{until: 0.5, layers: 2}]", "train.rate_factors={tables: 2}",
		`sample.stop=["\n", "x"]`, "model.activation=gelu", "train.epsilon=1e-12", "model.dropout=0.1", "train.seed=18446744073709551615"} {
		if err := c.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := Kinds()[0].Write(&out, &c); err != nil {
		t.Fatal(err)
	}
	if again, err := configs.Parse(out.Bytes(), "a.yaml"); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%v: %+v\n%s", err, again, out.String())
	}
}

// Each key of each kind is explained, and says its default.
func TestSections(t *testing.T) {
	for _, k := range Kinds() {
		keys := 0
		for _, s := range k.Sections() {
			if s.Comment == "" {
				t.Errorf("%s: section %s has no comment", k.Command, s.Name)
			}
			for _, key := range s.Keys {
				if keys++; key.Comment == "" || key.Default == "" || key.Type == "" || !strings.HasPrefix(key.Name, s.Name+".") {
					t.Errorf("%s: %+v", k.Command, key)
				}
			}
		}
		if keys < 8 {
			t.Errorf("%s: %d keys", k.Command, keys)
		}
	}
}

// The kind of a file follows from its sections; what is wrong with a name is said.
func TestLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	for text, want := range map[string]string{
		"model: {layers: 1}": "train", "finetune: {task: tagging}": "finetune", "vectors: {dim: 3}": "vectors train", "ner: {hidden: 3}": "vectors ner",
		"ppo: {updates: 3}": "align", "data: {min_count: 2}\nvectors: {dim: 3}": "vectors train",
	} {
		fixture.Write(t, "a.yaml", text)
		if k, _, err := Load("a.yaml"); err != nil || k.Command != want {
			t.Errorf("%s: %v, %v, want %s", text, k, err, want)
		}
	}
	fixture.Write(t, "runs/x/config.yaml", "kind: text\nmodel: {layers: 7}\nfound: {program: x}\n")
	if _, config, err := Load("runs/x"); err != nil || config.(*configs.Config).Model.Layers != 7 {
		t.Errorf("%+v, %v", config, err)
	}
	for name, want := range map[string]string{"smal.yaml": "did you mean the preset small.yaml?", "clasroom": "did you mean the preset classroom.yaml?", "qqqqqqq": "expected a YAML file or one of ", "/dev/zero": "/dev/zero"} {
		if _, _, err := Load(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// What differs is listed by key, as is what is within a setting.
func TestChanges(t *testing.T) {
	a, b := configs.Default(), configs.Default()
	if got := Changes(&a, &b); got != nil {
		t.Errorf("%q", got)
	}
	b.Train.Steps, b.Data.Files, b.Train.RateFactors.Tables = 20, []string{"a b.txt"}, 2
	want := []string{`data.files ["a b.txt"] (not [])`, "train.steps 20 (not 1000)", "train.rate_factors.tables 2 (not 0)"}
	if got := Changes(&a, &b); !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHostileKind: a file that a YAML parser needs minutes for is left to the command, which
// refuses it.
func TestHostileKind(t *testing.T) {
	path := fixture.File(t, "nest.yaml", []byte("model: "+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)))
	start := time.Now()
	if err := CheckKind(path, "train"); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	large := fixture.File(t, "large.yaml", bytes.Repeat([]byte("a"), configs.MaxSize+2))
	_, _, err := Load(large)
	expect.OneLine(t, err, "large.yaml: more than 262144 bytes")
}
