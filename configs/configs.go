// Package configs holds what a run is configured with: one Config of sections,
// read strictly from YAML, and the presets embedded in the binary.
package configs

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"tinygpt/data"
	"tinygpt/data/story"
	"tinygpt/finetune"
	"tinygpt/internal/suggest"
	"tinygpt/model"
	"tinygpt/sample"
	"tinygpt/train"
)

//go:embed *.yaml
var presets embed.FS

// Config is what a user asks of a run. What the run finds out when it begins (checksums,
// labels) is in run.Found.
type Config struct {
	// Data says which text is trained on.
	Data Data `yaml:"data"`
	// Tokenizer says how text becomes tokens.
	Tokenizer Tokenizer `yaml:"tokenizer"`
	// Model is the shape of the model.
	Model model.Config `yaml:"model"`
	// Train says how the model is trained.
	Train train.Config `yaml:"train"`
	// Sample says how samples are drawn during training, and by default in gpt sample.
	Sample sample.Options `yaml:"sample"`
	// Finetune makes it the configuration of a fine-tuning. Then data and tokenizer
	// are those of the run that it starts from, and so is the model but for its dropout.
	Finetune finetune.Config `yaml:"finetune,omitempty"`
	// Weights says what a model begins with.
	Weights Weights `yaml:"weights,omitempty"`
}

// Finetunes says whether it is the configuration of a fine-tuning.
func (c Config) Finetunes() bool { return c.Finetune.Task != "" }

// Data says which text is trained on.
type Data struct {
	// Files are files, folders and globs. None: the built-in stories.
	Files []string `yaml:"files,omitempty"`
	// Encoding is the name of the files' character encoding; none: UTF-8.
	Encoding string `yaml:"encoding,omitempty"`
	// StoriesBytes is the size of the built-in stories, in bytes.
	StoriesBytes int `yaml:"stories_bytes,omitempty"`
	// StoriesSeed is which built-in stories are generated.
	StoriesSeed uint64 `yaml:"stories_seed,omitempty"`
	// StoriesLanguage is the language of the built-in stories: en or zh; empty: en.
	StoriesLanguage string `yaml:"stories_language,omitempty"`
	// Quizzes is the share of the built-in corpus' documents that are quiz sheets and
	// statements instead of stories.
	Quizzes float64 `yaml:"quizzes,omitempty"`
	// ValFraction of the text is held out for validation.
	ValFraction float64 `yaml:"val_fraction"`
	// Windows is where training windows begin: random (at any token) or documents (at a
	// document's first).
	Windows string `yaml:"windows"`
}

// Weights says what a model begins with.
type Weights struct {
	// From is the run whose weights, tokenizer and model a run begins with; in an
	// imported run it is what was imported. None: random weights.
	From string `yaml:"from,omitempty"`
}

// Tokenizer says how text becomes tokens.
type Tokenizer struct {
	// Kind is bpe (byte-level BPE trained on the corpus), gpt2 (r50k_base), char
	// or byte; in an imported run it is imported.
	Kind string `yaml:"kind,omitempty"`
	// VocabSize of bpe, with the 256 bytes and the end-of-text token; of imported,
	// for the reader.
	VocabSize int `yaml:"vocab_size,omitempty"`
	// File is a tokenizer that is there already: a file or a folder in the form of Hugging
	// Face's, GPT-1's, GPT-2's or tiktoken's. Kind and VocabSize then say nothing.
	File string `yaml:"file,omitempty"`
}

// windows are the values of Data.Windows.
var windows = []string{string(data.Random), string(data.Documents)}

// TokenizerKinds are the values of Tokenizer.Kind.
var TokenizerKinds = []string{"bpe", "gpt2", "char", "byte"}

// Default is what a YAML file's keys are laid over.
func Default() Config {
	return Config{
		Data:      Data{ValFraction: 0.1, Windows: string(data.Random), StoriesSeed: 1},
		Tokenizer: Tokenizer{Kind: "bpe", VocabSize: 1024},
		Model:     model.Config{Arch: model.GPT2, Layers: 12, Heads: 4, Width: 128, Context: 128},
		Train: train.Config{
			Steps: 1000, BatchSize: 8, GradientAccumulationSteps: 1,
			LearningRate: 1e-3, MinLearningRate: 1e-4, WarmupSteps: 100,
			Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, WeightDecay: 0.1, GradClip: 1,
			EvalInterval: 250, SampleInterval: 500, CheckpointInterval: 250, Seed: 1,
		},
		Sample: drawing(),
	}
}

// DefaultFinetune is what the keys of a file with a task to fine-tune for are laid
// over: the settings of GPT-1 (Radford et al. 2018, section 4.1).
func DefaultFinetune() Config {
	c := Default()
	c.Model.Dropout = 0.1
	c.Train = train.Config{
		BatchSize: 8, GradientAccumulationSteps: 4, Steps: 1, // 32 a step, in a quarter of the memory
		LearningRate: 0, Decay: train.Linear, // the rate follows from the width
		Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01, GradClip: 1, Patience: 4, Seed: 1,
	}
	c.Finetune = finetune.Default()
	return c
}

// drawing is how samples are drawn: a little colder than the model's own
// distribution.
func drawing() sample.Options {
	o := sample.Default()
	o.Temperature = 0.8
	return o
}

// PresetFiles has the embedded configurations.
func PresetFiles() fs.FS { return presets }

// Presets lists the embedded configurations.
func Presets() []string {
	names, _ := fs.Glob(presets, "*.yaml")
	return names
}

// Finetuning lists the presets that have a task, to be fine-tuned for.
var Finetuning = sync.OnceValue(func() (names []string) {
	for _, name := range Presets() {
		if c, err := Preset(name); err == nil && c.Finetunes() {
			names = append(names, name)
		}
	}
	return names
})

// Load reads the configuration of that name: the file if there is one, else the
// preset. source says in words which it was.
func Load(name string) (c Config, source string, err error) {
	text, source, err := Find(presets, name)
	if err != nil {
		return c, "", err
	}
	c, err = Parse(text, name)
	return c, source, err
}

// Preset is the embedded configuration of that name.
func Preset(name string) (Config, error) {
	text, err := presets.ReadFile(name)
	if err != nil {
		return Config{}, err
	}
	return Parse(text, name)
}

// foundBefore are keys that earlier programs wrote among the settings of a run, for what
// it had found. They are passed over.
var foundBefore = []string{
	"data.sha256", "tokenizer.sha256",
	"finetune.classes", "finetune.choice_labels", "finetune.mean", "finetune.deviation", "finetune.sha256",
}

// Parse reads YAML over the defaults, as Decode does.
func Parse(text []byte, name string, others ...string) (Config, error) {
	others = append(others, foundBefore...)
	c := Default()
	if err := Decode(text, name, &c, others...); err != nil || !c.Finetunes() {
		return c, err
	}
	c = DefaultFinetune()
	return c, Decode(text, name, &c, others...)
}

// Set changes one value, given as "section.key=value".
func (c *Config) Set(assignment string) error { return SetIn(c, assignment) }

// settledByFinetuning are settings that a fine-tuning has too, but computes from its own,
// and from which.
var settledByFinetuning = map[string]string{
	"train.steps":               "finetune.epochs and finetune.min_steps",
	"train.warmup_steps":        "finetune.warmup_fraction",
	"train.eval_interval":       "finetune.evaluations",
	"train.checkpoint_interval": "finetune.evaluations",
	"train.sample_interval":     "",
	"train.stages":              "",
}

// takenFromStart are the sections that a fine-tuning has from the run that it starts from.
var takenFromStart = []string{"data", "tokenizer", "model", "sample"}

// OfFinetuning says whether a key, like "train.steps", is a setting of a fine-tuning. The
// model is that of the run that it starts from, and the number of steps follows from the
// examples.
func OfFinetuning(key string) bool {
	_, settled := settledByFinetuning[key]
	return strings.HasPrefix(key, "finetune.") || strings.HasPrefix(key, "train.") && !settled || key == "model.dropout"
}

// SetFinetuning is Set for a fine-tuning, and refuses what would be overwritten.
func (c *Config) SetFinetuning(assignment string) error {
	key, _, _ := strings.Cut(assignment, "=")
	key = strings.TrimSpace(key)
	section, field, _ := strings.Cut(key, ".")
	if ours, ok := Elsewhere[field]; ok { // isn't the key to set either
		key = ours
		section, _, _ = strings.Cut(ours, ".")
	}
	switch by, settled := settledByFinetuning[key]; {
	case slices.Contains(takenFromStart, section) && key != "model.dropout" && !c.Finetune.Scratch:
		return fmt.Errorf("%s: a fine-tuning has its %s from the run that it starts from (--from)", SetFlag(assignment), section)
	case settled && by == "":
		return fmt.Errorf("%s: a fine-tuning has no such thing", SetFlag(assignment))
	case settled:
		return fmt.Errorf("%s: in a fine-tuning this follows from %s: set that", SetFlag(assignment), by)
	}
	return c.Set(assignment)
}

// Imported is the kind of a tokenizer that came with a model's weights.
const Imported = "imported"

// Validate checks what can be known without the text; the vocabulary's size in
// the model follows later, from the tokenizer. There need not be any text: an
// imported run has none.
func (c Config) Validate() error {
	var errs []error
	if c.Model.VocabSize == 0 {
		c.Model.VocabSize = 1
	}
	errs = append(errs, c.Model.Validate(), c.Train.Validate())
	// No computer has the memory for more, and sizes computed from more overflow.
	for _, f := range []struct {
		key         string
		value, most int
	}{
		{"model.layers", c.Model.Layers, 10_000}, {"model.width", c.Model.Width, 1_000_000},
		{"model.context", c.Model.Context, 1 << 24}, {"model.vocab_size", c.Model.VocabSize, 1 << 24},
		{"tokenizer.vocab_size", c.Tokenizer.VocabSize, 1 << 24},
	} {
		if f.value > f.most {
			errs = append(errs, fmt.Errorf("%s is %d: expected %d or less", f.key, f.value, f.most))
		}
	}
	if c.Finetunes() {
		errs = append(errs, c.Finetune.Validate())
		if len(c.Train.Stages) > 0 {
			errs = append(errs, errors.New("train.stages: a fine-tuning has no stages, only the training of a language model"))
		}
	}
	for i, stage := range c.Train.Stages {
		if stage.Layers > 0 && c.Model.Arch == model.GPT1 {
			errs = append(errs, fmt.Errorf("train.stages[%d].layers is %d: only gpt2 can grow; in gpt1 a layer that adds nothing still normalises", i, stage.Layers))
		}
	}
	if err := c.Sample.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("sample: %w", err))
	}
	if err := data.CheckEncoding(c.Data.Encoding); err != nil {
		errs = append(errs, fmt.Errorf("data.encoding: %w", err))
	}
	if !(c.Data.ValFraction > 0 && c.Data.ValFraction < 1) {
		errs = append(errs, fmt.Errorf("data.val_fraction is %v: expected more than 0 and less than 1", c.Data.ValFraction))
	}
	if !(c.Data.Quizzes >= 0 && c.Data.Quizzes <= 1) {
		errs = append(errs, fmt.Errorf("data.quizzes is %v: expected a share from 0 to 1", c.Data.Quizzes))
	}
	if l, err := story.ByName(c.Data.StoriesLanguage); err != nil {
		errs = append(errs, fmt.Errorf("data.stories_language: %w", err))
	} else if l != story.English && c.Data.Quizzes > 0 {
		errs = append(errs, fmt.Errorf("data.quizzes is %v: quiz sheets are in English, data.stories_language is %s", c.Data.Quizzes, l.Name))
	}
	if !slices.Contains(windows, c.Data.Windows) {
		errs = append(errs, fmt.Errorf("data.windows is %q: %s", c.Data.Windows, suggest.Expected(c.Data.Windows, windows...)))
	}
	switch k := c.Tokenizer.Kind; {
	case c.Tokenizer.File != "" || k == Imported:
	case k == "bpe":
		if c.Tokenizer.VocabSize < 257 {
			errs = append(errs, fmt.Errorf("tokenizer.vocab_size is %d: expected 257 or more (256 bytes and the end-of-text token)", c.Tokenizer.VocabSize))
		}
	case !slices.Contains(TokenizerKinds, k):
		errs = append(errs, fmt.Errorf("tokenizer.kind is %q: %s", k, suggest.Expected(k, TokenizerKinds...)))
	}
	return errors.Join(errs...)
}

// Marshal writes c as YAML that Parse reads back.
func (c Config) Marshal() ([]byte, error) { return Encode(c) }
