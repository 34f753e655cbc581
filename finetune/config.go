// Package finetune trains a model for a task with labels, as GPT-1 was (Radford et
// al. 2018, sections 3.2 and 3.3): a transform turns each example into sequences of
// tokens, a head turns the state of their last token into scores, and the loss is
//
//	L3 = L2 + λ·L1
//
// where L2 is the loss of the labels and L1 that of predicting the examples' own tokens.
//
// Each transform has a small file (classification.go, entailment.go, …), and so has each head
// (classes.go, grades.go, …). Package train has the loop, optimiser and checkpoints.
package finetune

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tinygpt/data"
	"tinygpt/data/labelled"
	"tinygpt/data/story"
	"tinygpt/internal/suggest"
)

// Config has the settings of a fine-tuning, apart from those of training. What follows from the
// examples is in Found.
type Config struct {
	// Task is the transform: classification, entailment, similarity, choice or tagging.
	Task string `yaml:"task,omitempty"`
	// Head is classes (also if empty), or regression: the labels are grades.
	Head string `yaml:"head,omitempty"`
	// Metric decides about early stopping and the best checkpoint: accuracy, macro_f1,
	// matthews, pearson, spearman or span_f1; empty: the usual one for the task.
	Metric string `yaml:"metric,omitempty"`

	// Train is the file with labels to train on.
	Train string `yaml:"train,omitempty"`
	// Dev is the file with labels to stop by; empty: DevFraction of the training examples.
	Dev string `yaml:"dev,omitempty"`
	// Test is the file with labels to measure the best checkpoint on, once.
	Test string `yaml:"test,omitempty"`
	// DevFraction of the training examples is held out if there is no Dev.
	DevFraction float64 `yaml:"dev_fraction,omitempty"`
	// Stories is what the built-in stories are labelled with, in place of Train: sentiment,
	// topic, questions or entities.
	Stories string `yaml:"stories,omitempty"`
	// StoriesLanguage is the language of these stories: en or zh; empty: en.
	StoriesLanguage string `yaml:"stories_language,omitempty"`
	// Format of the files: tsv, csv, jsonl or conll; empty: by their names.
	Format string `yaml:"format,omitempty"`
	// Text is the columns of the text, by name or by position from 1; none: found by
	// well-known names, as are the other columns.
	Text []string `yaml:"text,omitempty"`
	// Second is the columns of the second text.
	Second []string `yaml:"second,omitempty"`
	// Choices is the columns of the choices, or one with lists of them.
	Choices []string `yaml:"choices,omitempty"`
	// Label is the column of the label.
	Label string `yaml:"label,omitempty"`
	// Header is yes or no: whether the first row has the columns' names; empty: what the
	// rows look like.
	Header string `yaml:"header,omitempty"`
	// Encoding is the name of the files' character encoding; empty: UTF-8.
	Encoding string `yaml:"encoding,omitempty"`
	// Examples is how many of the training examples are used, drawn at random; 0: all.
	Examples int `yaml:"examples,omitempty"`

	// From is the folder of the run whose weights are the start; empty: the latest.
	From string `yaml:"from,omitempty"`
	// Scratch takes the tokenizer and the shape of From, but random weights.
	Scratch bool `yaml:"scratch,omitempty"`
	// Adapt is the number of updates by next-token prediction on the texts of the training
	// examples that are made before the fine-tuning (Gururangan et al. 2020); 0: none.
	Adapt int `yaml:"adapt,omitempty"`
	// NGrams lets the run predict together with a linear model over the n-grams of the
	// training examples (Cheng et al. 2016). The development set chooses how much each counts.
	NGrams bool `yaml:"ngrams,omitempty"`
	// Lambda is λ of L2 + λ·L1: how much the language model's loss counts; 0 leaves it out.
	Lambda float64 `yaml:"lambda"`
	// Dropout is the probability of dropout on the states that the head reads; model.dropout
	// is the model's own.
	Dropout float64 `yaml:"dropout"`
	// FreezeEmbeddings leaves the pre-trained embeddings as they are.
	FreezeEmbeddings bool `yaml:"freeze_embeddings,omitempty"`
	// FreezeLayers is the number of lower layers that stay as they are, with the embeddings; 0:
	// none. With all layers frozen it is a linear probe.
	FreezeLayers int `yaml:"freeze_layers,omitempty"`

	// Epochs is how many times each example is seen; more, if that makes fewer than
	// MinSteps updates.
	Epochs int `yaml:"epochs,omitempty"`
	// MinSteps is the smallest number of updates: a hundred examples need more than three
	// epochs.
	MinSteps int `yaml:"min_steps"`
	// WarmupFraction is the share of the steps in which the learning rate rises from 0.
	WarmupFraction float64 `yaml:"warmup_fraction"`
	// Evaluations is how many times the development set is measured in all.
	Evaluations int `yaml:"evaluations,omitempty"`
	// Buckets is the number of lengths that sequences are padded to.
	Buckets int `yaml:"buckets,omitempty"`
	// MaxLength is the number of tokens that longer examples are cut to; 0: the model's
	// context.
	MaxLength int `yaml:"max_length,omitempty"`
	// Truncate is the part that too long examples lose: middle, start or end.
	Truncate string `yaml:"truncate,omitempty"`
}

// Default returns the settings of GPT-1 (Radford et al. 2018, section 4.1).
func Default() Config {
	return Config{
		DevFraction: 0.1, Lambda: 0.5, Dropout: 0.1, Epochs: 3, MinSteps: 200, WarmupFraction: 0.002,
		Evaluations: 8, Buckets: 4, Truncate: Middle,
	}
}

// Values of Config.Head.
const (
	ByClass    = "classes"    // the head for classes, choices and tags
	Regression = "regression" // the head for grades
)

// Validate checks the settings. The error has a line for each wrong key.
func (c Config) Validate() error {
	var errs []error
	complain := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("finetune."+format, args...))
	}
	oneOf := func(key, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			complain("%s is %q: %s", key, value, suggest.Expected(value, allowed...))
		}
	}
	if c.Task == "" {
		complain("task is missing: expected %s", strings.Join(Tasks(), ", "))
	}
	oneOf("task", c.Task, Tasks()...)
	oneOf("head", c.Head, ByClass, Regression)
	oneOf("metric", c.Metric, Metrics...)
	oneOf("stories", c.Stories, labelled.StoryLabels...)
	if _, err := story.ByName(c.StoriesLanguage); err != nil {
		complain("stories_language: %w", err)
	}
	oneOf("header", c.Header, "yes", "no")
	if err := data.CheckEncoding(c.Encoding); err != nil {
		errs = append(errs, fmt.Errorf("finetune.encoding: %w", err))
	}
	oneOf("truncate", c.Truncate, Middle, Start, End)
	var formats []string
	for _, f := range labelled.Formats {
		formats = append(formats, string(f))
	}
	oneOf("format", c.Format, formats...)
	if c.Train == "" && c.Stories == "" {
		complain("train is missing: give --data FILE with labels")
	}
	if c.Train != "" && c.Stories != "" {
		complain("train and finetune.stories are both set: expected one of them")
	}
	whole := func(key string, value, low int) {
		const high = 1_000_000 // the plan of all updates is in memory
		switch {
		case value < low:
			complain("%s is %d: expected %d or more", key, value, low)
		case value > high:
			complain("%s is %d: expected %d or less", key, value, high)
		}
	}
	whole("epochs", c.Epochs, 1)
	whole("min_steps", c.MinSteps, 0)
	whole("evaluations", c.Evaluations, 1)
	if c.Buckets < 1 || c.Buckets > maxBuckets {
		complain("buckets is %d: expected 1 to %d", c.Buckets, maxBuckets)
	}
	whole("adapt", c.Adapt, 0)
	if c.Examples < 0 {
		complain("examples is %d: expected 0 (all) or more", c.Examples)
	}
	if c.Adapt > 0 && c.Scratch {
		complain("adapt is %d: a start from random weights (scratch) has nothing to adapt", c.Adapt)
	}
	whole("max_length", c.MaxLength, 0)
	whole("freeze_layers", c.FreezeLayers, 0)
	between := func(key string, value, from, below float64) {
		if !(value >= from && value < below) {
			complain("%s is %v: expected %v or more and less than %v", key, value, from, below)
		}
	}
	between("lambda", c.Lambda, -1e6, 1e6)
	between("dropout", c.Dropout, 0, 1)
	between("warmup_fraction", c.WarmupFraction, 0, 1)
	if c.Dev == "" {
		between("dev_fraction", c.DevFraction, 1e-6, 1)
	}
	if len(errs) == 0 {
		errs = append(errs, c.fits())
	}
	return errors.Join(errs...)
}

// fits checks the settings against the task.
func (c Config) fits() error {
	t := tasks[c.Task]
	if c.Head == Regression && !t.grades {
		return fmt.Errorf("finetune.head is %s, but the labels of %s aren't grades", Regression, c.Task)
	}
	if fitting := t.head(&Setup{Config: c}).metrics(); c.Metric != "" && !slices.Contains(fitting, c.Metric) {
		return fmt.Errorf("finetune.metric is %s, but %s is measured by %s", c.Metric, c.Task, strings.Join(fitting, ", "))
	}
	return nil
}

// Room returns the maximum number of tokens of a sequence for a model with this context.
func (c Config) Room(context int) int {
	if c.MaxLength > 0 {
		return min(context, c.MaxLength)
	}
	return context
}
