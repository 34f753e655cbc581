package configs

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"tinygpt/internal/expect"
	"tinygpt/train"
)

func TestPresets(t *testing.T) {
	t.Chdir(t.TempDir())
	if len(Presets()) < 4 {
		t.Fatal("presets are missing: ", Presets())
	}
	for _, name := range Presets() {
		c, source, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(source, "preset") {
			t.Errorf("%s: source %q", name, source)
		}
		if len(c.Data.Files) == 0 && c.Data.StoriesBytes == 0 {
			c.Data.Files = []string{"a text of the user's"}
		}
		if c.Finetunes() && c.Finetune.Stories == "" {
			c.Finetune.Train = "a file of the user's"
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text, err := c.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(text, name); err != nil {
			t.Errorf("%s doesn't read what it wrote: %v", name, err)
		} else if second, _ := again.Marshal(); string(second) != string(text) {
			t.Errorf("%s comes back as\n%s\nnot\n%s", name, second, text)
		}
	}
}

func TestNoPreset(t *testing.T) {
	t.Chdir(t.TempDir())
	_, _, err := Load("smal.yaml")
	expect.OneLine(t, err, "smal.yaml: no such file, and no preset of that name: did you mean the preset small.yaml?")
}

// A fine-tuning's settings are GPT-1's unless the file says otherwise, and other
// configurations have no such section.
func TestFinetune(t *testing.T) {
	c, err := Parse([]byte("finetune: {task: tagging, lambda: 0}\ntrain: {weight_decay: 0.2}"), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if tr := c.Train; !c.Finetunes() || tr.Decay != "linear" || tr.WeightDecay != 0.2 || tr.Beta2 != 0.999 || c.Finetune.Lambda != 0 || c.Finetune.Epochs != 3 || c.Model.Dropout != 0.1 {
		t.Errorf("%+v", c)
	}
	if c, err = Parse([]byte("model: {layers: 3}"), "a.yaml"); err != nil || c.Finetunes() || c.Model.Dropout != 0 || c.Train.Decay != "" {
		t.Errorf("%+v: %v", c, err)
	}
	if text, err := c.Marshal(); err != nil || strings.Contains(string(text), "finetune") {
		t.Errorf("%s: %v", text, err)
	}
	if err := errors.Join(c.Set("train.rate_factors={tables: 3, vectors: 2}"), c.Set("train.rate_factors.tables=4")); err != nil || c.Train.RateFactors != (train.RateFactors{Tables: 4, Vectors: 2}) {
		t.Errorf("%+v: %v", c.Train.RateFactors, err)
	}
	if err := c.Set("finetune.text=[a, b]"); err != nil || len(c.Finetune.Text) != 2 {
		t.Errorf("%v: %v", c.Finetune.Text, err)
	}
}

// A text of any spelling comes back from a configuration as it was, wherever one may be.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"yes", "1", "0.50", "null", "~", "- a", "a: b", "# x", "'", `"`, "{", "很好", "😀", " a ", "|", "a\tb", "!tag", "&x", "*x", "%", "@", "`", "2001-01-01", "0x1f", "+", ".inf", "<<",
		"\n", "\t", "", "a\r\nb", "\x00", "\x7f", "\u0085", "\u2028", "\u00ad", "\ufeff", `\n`, "C:\\texts\\a b.txt", "é: #"} {
		f.Add(s, "b")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		c := DefaultFinetune()
		c.Data.Files, c.Sample.Stop, c.Tokenizer.File, c.Weights.From = []string{a, b}, []string{b, a}, a, b
		c.Finetune.Task, c.Finetune.Text, c.Finetune.Label, c.Finetune.Train = "classification", []string{a, b}, b, a
		text, err := c.Marshal()
		if valid := utf8.ValidString(a) && utf8.ValidString(b); err != nil || !valid {
			if valid || err == nil {
				t.Fatalf("%q, %q: %v", a, b, err)
			}
			return
		}
		again, err := Parse(text, "a.yaml")
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%q and %q come back as %+v: %v\n%s", a, b, again, err, text)
		}
	})
}

// What is wrong in a file is said in one line, with the place.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "a.yaml: no settings in it",
		"# nothing\n":               "a.yaml: no settings in it",
		"model:\n  layer: 3":        `a.yaml:2:3: unknown key "layer": did you mean model.layers?`,
		"train:\n  learing_rate: 3": `a.yaml:2:3: unknown key "learing_rate": did you mean train.learning_rate?`,
		"modl:\n  layers: 3":        `a.yaml:1:1: unknown key "modl": did you mean model?`,
		"train:\n  steps: 010":      `a.yaml:2:10: found 010, which some read as 10 and others as octal: write it without the zero`,
		"train:\n  layers: 3":       `a.yaml:2:3: unknown key "layers": did you mean model.layers?`,
		"model:\n  block_size: 3":   `a.yaml:2:3: unknown key "block_size": here it is called model.context`,
		"train:\n  stages: [{until: 0.3, layer: 4}]":      `a.yaml:2:25: unknown key "layer": expected one of until, layers, context, batch_size`,
		"train:\n  rate_factors: {embeddings: 3}":         `a.yaml:2:18: unknown key "embeddings": expected one of tables, vectors, layer_decay`,
		"sample:\n  wwwwwwwwwwwww: 3":                     `a.yaml:2:3: unknown key "wwwwwwwwwwwww": expected one of repetition_penalty, presence_penalty, frequency_penalty, temperature, top_k, `,
		"model:\n  heads: 2\n  layers: three":             `a.yaml:3:11: found "three", expected a whole number`,
		"model: {layers: 1.5}":                            `found "1.5", expected a whole number`,
		"model: {layers: \"8\"}":                          `expected a whole number`,
		"model: {layers: 9223372036854775808}":            `expected a whole number`,
		"model:\n  layers:":                               `a.yaml:2:11: found no value, expected a whole number`,
		"train.steps: 3":                                  `a.yaml:1:1: unknown key "train.steps": a setting is a key within its section: write ` + "`train: {steps: VALUE}`",
		"'modl': {layers: 3}":                             `unknown key "modl": did you mean model?`,
		"\ufeffmodel: {layers: 3}":                        "",
		`{"model": {"layers": 3}}`:                        "",
		"kind: text\nfound: {x: [1]}\nmodel: {layers: 3}": "",
		"model:\n\tlayers: 3":                             `'\t'`,
		"\xff\xfem\x00":                                   `a.yaml: the file is UTF-16, as Windows PowerShell's > writes: save it as UTF-8`,
		"model: {layers: 3}\n# caf\xe9":                   `a.yaml:2: not UTF-8`,
		"model:":                                          `found no value, expected keys with values`,
		"model: 7":                                        `found "7", expected keys with values`,
		"- model":                                         `expected keys with values`,
		"model: {dropout: none}":                          `found "none", expected a number`,
		"model: {dropout: '0.1'}":                         `expected a number`,
		"model: {untied_head: 1}":                         `found "1", expected true or false`,
		"model: {arch: 2}":                                `found "2", expected a text`,
		"train: {seed: -1}":                               `found "-1", expected a whole number of 0 or more`,
		"data: {files: a.txt}":                            `found "a.txt", expected a list`,
		"data: {files: [a.txt, {b: c}]}":                  `expected a text`,
		"model:\n  layers: 3\n  layers: 4":                `a.yaml:3:3: mapping key "layers" already defined`,
		"model:\n  layers: [":                             `a.yaml:2:`,
		"model: {layers: 3}\n---\ndata: {}":               `2 YAML documents`,
		"train: {learning_rate: 1e-2}":                    "",
		"train: {learning_rate: 2}":                       "",
		"model: {layers: 0x10}":                           "",
		"data: {files: [a.txt, 'b c.txt']}":               "",
		"train: {seed: 18446744073709551615}":             "",
	} {
		_, err := Parse([]byte(text), "a.yaml")
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

// A capability can have a configuration type of its own, with the sections of Config and
// more.
func TestOwnSections(t *testing.T) {
	type settings struct {
		Beta  float64  `yaml:"beta"`
		Names []string `yaml:"names,omitempty"`
	}
	type own struct {
		Config `yaml:",inline"`
		Align  settings `yaml:"align"`
	}
	text := "model: {layers: 3}\nalign: {beta: 0.5}"
	c := own{Config: Default()}
	if err := Decode([]byte(text), "a.yaml", &c); err != nil || c.Model.Layers != 3 || c.Align.Beta != 0.5 {
		t.Fatalf("%+v: %v", c, err)
	}
	if err := SetIn(&c, "align.names=[a, b]"); err != nil || len(c.Align.Names) != 2 {
		t.Errorf("%+v: %v", c.Align, err)
	}
	written, err := Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	var again own
	if err := Decode(written, "a.yaml", &again); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%+v comes back as %+v: %v", c, again, err)
	}
	if _, err := Parse(written, "a.yaml"); err == nil {
		t.Error("the section align is taken for one of Config")
	}
	if plain, err := Parse(written, "a.yaml", "align"); err != nil || !reflect.DeepEqual(plain, c.Config) {
		t.Errorf("%+v: %v", plain, err)
	}
	var section settings
	if err := DecodeSection(written, "a.yaml", "align", &section); err != nil || !reflect.DeepEqual(section, c.Align) {
		t.Errorf("%+v: %v", section, err)
	}
	expect.Errors(t, map[string]string{
		"align: {bta: 1}":           "did you mean align.beta?",
		"align: {n_layer: 1}":       "here it is called model.layers",
		"algn: {beta: 1}":           "did you mean align?",
		"model: {layers: 3}\nx: {}": `unknown key "x"`,
	}, func(text string) (any, error) { return nil, Decode([]byte(text), "a.yaml", &c) })
}

func TestSet(t *testing.T) {
	c := Default()
	for _, s := range []string{"model.layers=3", "train.learning_rate=1e-2", "data.files=[a, b]", "tokenizer.kind=char"} {
		if err := c.Set(s); err != nil {
			t.Error(err)
		}
	}
	if c.Model.Layers != 3 || c.Train.LearningRate != 1e-2 || len(c.Data.Files) != 2 || c.Tokenizer.Kind != "char" || c.Model.Heads != Default().Model.Heads {
		t.Errorf("%+v", c)
	}
	expect.Errors(t, map[string]string{
		"layers=3":         "expected section.key=value",
		"model.layers":     "expected section.key=value",
		"model.layer=3":    `--set model.layer=3: unknown key "layer": did you mean model.layers?`,
		"model.layers=":    "found no value, expected a whole number",
		"model.layers=3}{": "--set model.layers=3}{: ",
	}, func(assignment string) (any, error) { return nil, c.Set(assignment) })
}

// A fine-tuning refuses settings that it has from elsewhere; one from scratch may need them.
func TestSetFinetuning(t *testing.T) {
	c := DefaultFinetune()
	expect.Errors(t, map[string]string{
		"model.layers=3":         "a fine-tuning has its model from the run that it starts from (--from)",
		"tokenizer.vocab_size=9": "a fine-tuning has its tokenizer from",
		"data.quizzes=1":         "a fine-tuning has its data from",
		"train.steps=3":          "follows from finetune.epochs and finetune.min_steps",
		"train.max_steps=3":      "--set train.max_steps=3: in a fine-tuning this follows from finetune.epochs and finetune.min_steps: set that",
		"finetune.max_steps=3":   "follows from finetune.epochs and finetune.min_steps",
		"train.stages=[]":        "a fine-tuning has no such thing",
		"finetune.n_layer=3":     "a fine-tuning has its model from the run",
	}, func(assignment string) (any, error) { return nil, c.SetFinetuning(assignment) })
	if err := c.SetFinetuning("model.dropout=0.2"); err != nil || c.Model.Dropout != 0.2 {
		t.Error(err, c.Model.Dropout)
	}
	c.Finetune.Scratch = true
	if err := c.SetFinetuning("model.layers=3"); err != nil || c.Model.Layers != 3 {
		t.Error(err, c.Model.Layers)
	}
}

func TestValidate(t *testing.T) {
	for set, want := range map[string]string{
		"model.heads=3":            "model.heads is 3, which doesn't divide model.width 128",
		"data.val_fraction=1":      "data.val_fraction is 1",
		"data.windows=none":        `data.windows is "none": expected random or documents`,
		"tokenizer.kind=sentence":  `tokenizer.kind is "sentence": expected bpe, `,
		"tokenizer.vocab_size=256": "tokenizer.vocab_size is 256",
		"sample.temperature=-1":    "sample: temperature is -1",
		"sample.top_p=0":           "sample: top-p is 0",
		"sample.min_p=2":           "sample: min-p is 2",
		"sample.stop=['']":         "sample: a stop text is empty",
		"train.steps=0":            "train.steps is 0",
		"model.dropout=.nan":       "model.dropout is NaN",
		"model.layers=1000000000":  "model.layers is 1000000000: expected 10000 or less",

		"train.on_spike=stop":                                   `train.on_spike is "stop": expected skip, or nothing`,
		"train.optimiser=moun":                                  `train.optimiser is "moun": expected adamw or muon; did you mean muon?`,
		"train.momentum=1":                                      "train.momentum is 1: expected 0 or more and less than 1",
		"train.momentum=0.9":                                    "train.momentum is 0.9: only muon has it (train.optimiser); adamw has train.beta1",
		"train.steps=9223372036854775807":                       "train.steps is 9223372036854775807: expected 1000000000 or less",
		"train.gradient_accumulation_steps=9223372036854775807": "expected 1000000 or less",
		"train.batch_size=9223372036854775807":                  "train.batch_size is 9223372036854775807: expected 1000000000 or less",
		"train.warmup_steps=9223372036854775807":                "train.warmup_steps is",
		"train.eval_interval=9223372036854775807":               "train.eval_interval is",
		"train.patience=9223372036854775807":                    "train.patience is",
		"train.stages=[{until: 0.5, batch_size: 5000000000}]":   "train.stages[0].batch_size is 5000000000: expected 0 (the same tokens) to 1000000000",
	} {
		c, _, err := Load("small.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Set(set); err != nil {
			t.Fatal(err)
		}
		expect.Error(t, c.Validate(), want)
	}
}

// Parse never panics, and says everything in one line.
func FuzzParse(f *testing.F) {
	f.Add("model:\n  layers: 3\ntrain: {learning_rate: 1e-3}\ndata:\n  files: [a, 'b']\n")
	f.Add("a: &x 1\nb: *x\n<<: {c: |\n  d}")
	for _, text := range hostile() {
		f.Add(text[:min(len(text), 2000)])
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse([]byte(text), "a.yaml"); err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q", err)
		}
	})
}
