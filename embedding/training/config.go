package training

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"tinygpt/data"
	"tinygpt/data/story"
	"tinygpt/embedding/corpus"
	"tinygpt/internal/suggest"
)

//go:embed presets/*.yaml
var presets embed.FS

// Presets has the configurations that come with the program, like vectors.yaml.
var Presets = func() fs.FS {
	folder, err := fs.Sub(presets, "presets")
	if err != nil {
		panic(err)
	}
	return folder
}()

// PresetNames lists the files of Presets.
func PresetNames() []string {
	names, _ := fs.Glob(Presets, "*.yaml")
	return names
}

// Config is all that decides a training of word vectors, besides the files' content.
type Config struct {
	// Data says which text is trained on, and what its words are.
	Data Data `yaml:"data"`
	// Vectors says how the vectors are trained. Names are gensim's where it has one.
	Vectors Settings `yaml:"vectors"`
}

// Data says which text is trained on, and what its words are.
type Data struct {
	// Files are files, folders and globs. None: the built-in stories.
	Files []string `yaml:"files,omitempty"`
	// Encoding is the name of the files' character encoding; none: UTF-8.
	Encoding string `yaml:"encoding,omitempty"`
	// StoriesBytes is the size of the built-in stories, in bytes.
	StoriesBytes int `yaml:"stories_bytes,omitempty"`
	// StoriesSeed is which built-in stories are generated.
	StoriesSeed uint64 `yaml:"stories_seed,omitempty"`
	// StoriesLanguage is the language of the built-in stories: en or zh; empty: en. The
	// words of Chinese stories are those of their grammar.
	StoriesLanguage string `yaml:"stories_language,omitempty"`
	// Words is how text is cut: words (runs of letters and digits, each ideograph alone),
	// spaces (whatever is between spaces) or characters; tokens if there is a Tokenizer.
	Words string `yaml:"words"`
	// Tokenizer is a file or folder of a tokenizer whose tokens are the words, so that a
	// GPT with the same tokenizer can begin with their vectors.
	Tokenizer string `yaml:"tokenizer,omitempty"`
	// MinCount is how often a word must occur; rarer ones are removed from the text.
	MinCount int `yaml:"min_count"`
	// MaxWords is the maximum size of the vocabulary; 0: no limit.
	MaxWords int `yaml:"max_words,omitempty"`
	// ValFraction is the share of the text, at its end, that is held out.
	ValFraction float64 `yaml:"val_fraction"`
}

// Settings are those of the model and its training. Names are gensim's where it has one.
type Settings struct {
	// Model is sgns (skip-gram with negative sampling), cbow or glove.
	Model string `yaml:"model"`
	// Dim is the length of a vector.
	Dim int `yaml:"dim"`
	// Window is how many words on each side belong to a word's context, at most.
	Window int `yaml:"window"`
	// Epochs is how many times the text is read.
	Epochs int `yaml:"epochs"`
	// LearningRate of sgns and cbow falls linearly to MinLearningRate; that of glove is
	// AdaGrad's. 0: the model's usual one.
	LearningRate float64 `yaml:"learning_rate"`
	// MinLearningRate is the learning rate of the last step, of sgns and cbow.
	MinLearningRate float64 `yaml:"min_learning_rate,omitempty"`

	// Objective of sgns and cbow is negative-sampling, or softmax: the full one, for small
	// vocabularies.
	Objective string `yaml:"objective,omitempty"`
	// Engine is kernel, or graph: Gorgonia's graph of the objective, for toy corpora.
	Engine string `yaml:"engine,omitempty"`
	// Negative is the number of noise words for each example, of sgns and cbow.
	Negative int `yaml:"negative,omitempty"`
	// NoisePower is the exponent of a word's frequency in the distribution of noise words.
	NoisePower float64 `yaml:"noise_power,omitempty"`
	// Sample is the threshold of subsampling: occurrences of words whose share of the text is
	// larger are left out at random. 0: none is.
	Sample float64 `yaml:"sample"`
	// Classic is cbow's gradient as in word2vec.c, without the mean's 1/C.
	Classic bool `yaml:"classic,omitempty"`

	// XMax is x_max of GloVe's weight f(X): cells with more than that count alike.
	XMax float64 `yaml:"x_max,omitempty"`
	// Alpha is the exponent α of GloVe's weight f(X).
	Alpha float64 `yaml:"alpha,omitempty"`
	// MemoryMB is how many megabytes GloVe's counts may take before they go to a temporary
	// file.
	MemoryMB int `yaml:"memory_mb,omitempty"`

	// Evaluations is how many times in all the held-out objective is measured and a checkpoint
	// is written.
	Evaluations int `yaml:"evaluations"`
	// Seed is the seed of everything that is drawn at random.
	Seed uint64 `yaml:"seed"`
}

// The models.
const (
	SkipGram = "sgns"
	CBOW     = "cbow"
	GloVe    = "glove"
)

// Values of settings.
var (
	Models     = []string{SkipGram, CBOW, GloVe}
	Objectives = []string{"negative-sampling", "softmax"}
	Engines    = []string{"kernel", graphEngine}
)

const graphEngine = "graph"

// Default returns the settings of keys that a YAML file doesn't have: word2vec's with gensim's
// names and learning rates, and for GloVe those of its authors' demonstration.
func Default() Config {
	return Config{
		Data: Data{StoriesSeed: 1, Words: "words", MinCount: 5, ValFraction: 0.01},
		Vectors: Settings{
			Model: SkipGram, Dim: 100, Window: 5, Negative: 5, NoisePower: 0.75, Sample: 1e-3,
			Objective: Objectives[0], Engine: Engines[0],
			Epochs: 5, MinLearningRate: 1e-4, XMax: 10, Alpha: 0.75, MemoryMB: 1024, Evaluations: 10, Seed: 1,
		},
	}
}

// rates are the models' usual learning rates: gensim's for skip-gram, that of GloVe's
// program, and for CBOW a larger one, since the mean's 1/C makes its steps small.
// classicRate is word2vec.c's for CBOW.
var rates = map[string]float64{SkipGram: 0.025, CBOW: 0.1, GloVe: 0.05}

const classicRate = 0.05

// Completed returns the configuration with the learning rate and the words that follow from
// other settings, and without the settings that its model doesn't use.
func (c Config) Completed() Config {
	v := &c.Vectors
	if c.Data.Tokenizer != "" {
		c.Data.Words = "tokens"
	}
	if v.LearningRate == 0 {
		if v.LearningRate = rates[v.Model]; v.Classic {
			v.LearningRate = classicRate
		}
	}
	switch v.Model {
	case GloVe:
		if v.Objective == Objectives[0] {
			v.Objective = ""
		}
		if v.Engine == Engines[0] {
			v.Engine = ""
		}
		v.MinLearningRate, v.Negative, v.NoisePower, v.Sample = 0, 0, 0, 0
	default:
		v.XMax, v.Alpha, v.MemoryMB = 0, 0, 0
	}
	return c
}

// Validate checks a completed configuration, as far as that is possible without the text. The
// error has a line for each wrong key.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	oneOf := func(key, value string, choices []string) {
		check(slices.Contains(choices, value), "%s is %q: %s", key, value, suggest.Expected(value, choices...))
	}
	const manySteps = 1_000_000 // products of numbers of steps and words stay within 64 bits
	d, v := c.Data, c.Vectors
	if d.Tokenizer == "" {
		oneOf("data.words", d.Words, corpus.Splitters)
	}
	if err := data.CheckEncoding(d.Encoding); err != nil {
		errs = append(errs, fmt.Errorf("data.encoding: %w", err))
	}
	if _, err := story.ByName(d.StoriesLanguage); err != nil {
		errs = append(errs, fmt.Errorf("data.stories_language: %w", err))
	}
	check(d.MinCount >= 1, "data.min_count is %d: expected 1 or more", d.MinCount)
	check(d.MaxWords >= 0, "data.max_words is %d: expected 0 (no limit) or more", d.MaxWords)
	check(d.ValFraction >= 0 && d.ValFraction < 1, "data.val_fraction is %v: expected 0 or more and less than 1", d.ValFraction)
	oneOf("vectors.model", v.Model, Models)
	check(v.Dim >= 1 && v.Dim <= 4096, "vectors.dim is %d: expected 1 to 4096", v.Dim)
	check(v.Window >= 1 && v.Window <= 100, "vectors.window is %d: expected 1 to 100", v.Window)
	check(v.Epochs >= 1 && v.Epochs <= manySteps, "vectors.epochs is %d: expected 1 to %d", v.Epochs, manySteps)
	check(v.Evaluations >= 1 && v.Evaluations <= manySteps, "vectors.evaluations is %d: expected 1 to %d", v.Evaluations, manySteps)
	known := slices.Contains(Models, v.Model) // else the rate that follows from it is unknown too
	check(!known || v.LearningRate > 0 && v.LearningRate <= 10, "vectors.learning_rate is %v: expected more than 0, at most 10", v.LearningRate)
	check(!v.Classic || v.Model == CBOW, "vectors.classic is set, but vectors.model is %s: expected cbow, or no classic", v.Model)
	if v.Model == GloVe {
		check(v.Objective == "", "vectors.objective is %s: glove has its own objective, leave the key out", v.Objective)
		if v.Engine != "" {
			oneOf("vectors.engine", v.Engine, Engines)
		}
		check(v.XMax > 0, "vectors.x_max is %v: expected more than 0", v.XMax)
		check(v.Alpha >= 0 && v.Alpha <= 2, "vectors.alpha is %v: expected 0 to 2", v.Alpha)
		check(v.MemoryMB >= 1 && v.MemoryMB <= 1<<40, "vectors.memory_mb is %d: expected 1 to %d", v.MemoryMB, 1<<40)
		return errors.Join(errs...)
	}
	oneOf("vectors.objective", v.Objective, Objectives)
	oneOf("vectors.engine", v.Engine, Engines)
	check(v.Engine != graphEngine || !v.Classic, "vectors.engine graph can't train classic CBOW, which isn't the gradient of an objective: set vectors.engine kernel, or leave out vectors.classic")
	check(v.Negative >= 1 && v.Negative <= 100, "vectors.negative is %d: expected 1 to 100", v.Negative)
	check(v.NoisePower >= 0 && v.NoisePower <= 2, "vectors.noise_power is %v: expected 0 to 2", v.NoisePower)
	check(v.Sample >= 0 && v.Sample < 1, "vectors.sample is %v: expected 0 or more and less than 1", v.Sample)
	check(!known || v.MinLearningRate >= 0 && v.MinLearningRate <= v.LearningRate, "vectors.min_learning_rate is %v: expected 0 to the learning rate, %v", v.MinLearningRate, v.LearningRate)
	return errors.Join(errs...)
}
