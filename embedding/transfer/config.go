// Package transfer uses word vectors to find named entities: vectors trained on much text
// without labels are the input of a small classifier that learns from few labelled sentences.
// It looks at a window of words around each word (Collobert et al. 2011, Natural Language
// Processing (Almost) from Scratch, section 3.3.1), and starts from random vectors, from
// vectors that stay as they are, or from vectors that are trained further.
package transfer

import (
	"fmt"
	"slices"
	"strings"
)

// Start says what the word vectors of a classifier are at first, and whether they are trained.
type Start string

// The starts.
const (
	Random Start = "random" // drawn from a normal distribution; trained
	Frozen Start = "frozen" // those given; not trained
	Tuned  Start = "tuned"  // those given; trained
)

// Starts lists all starts.
var Starts = []Start{Random, Frozen, Tuned}

// File is a file of settings.
type File struct {
	// NER has the settings of a classifier that finds names.
	NER Config `yaml:"ner"`
}

// Config has the settings of the classifier.
type Config struct {
	// Window is how many words on each side of a word are seen.
	Window int `yaml:"window"`
	// Hidden is the width of the hidden layer.
	Hidden int `yaml:"hidden"`
	// Features is what the classifier knows of each word in the window besides its vector:
	// shape (case and digits), suffix (its last three letters), each a small learned vector.
	Features []string `yaml:"features"`
	// CRF adds a conditional random field: the tags of a sentence are chosen together, with a
	// learned score for each tag that follows another.
	CRF bool `yaml:"crf"`
	// Dropout is the share of the hidden layer's inputs that is set to 0 in training.
	Dropout float64 `yaml:"dropout"`
	// LearningRate is AdamW's learning rate of the first step; it falls linearly to about 0.
	LearningRate float64 `yaml:"learning_rate"`
	// WeightDecay is AdamW's λ.
	WeightDecay float64 `yaml:"weight_decay"`
	// Epochs is how many times the training sentences are read. The weights of the epoch with
	// the best F1 on the development sentences are kept.
	Epochs int `yaml:"epochs"`
	// BatchTokens is about how many tokens an update is computed from.
	BatchTokens int `yaml:"batch_tokens"`
}

// Default returns settings for hundreds to thousands of training sentences.
func Default() Config {
	return Config{Window: 2, Hidden: 150, Features: []string{Shape, Suffix}, CRF: true, Dropout: 0.5, LearningRate: 2e-3, WeightDecay: 0.01, Epochs: 15, BatchTokens: 256}
}

// Validate returns an error that names the first setting that can't be used.
func (c Config) Validate() error {
	switch {
	case c.Window < 0 || c.Window > 20:
		return fmt.Errorf("window is %d: expected 0 to 20", c.Window)
	case c.Hidden < 1 || c.Hidden > 10000:
		return fmt.Errorf("hidden is %d: expected 1 to 10000", c.Hidden)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("dropout is %v: expected 0 or more, and less than 1", c.Dropout)
	case !(c.LearningRate > 0 && c.LearningRate <= 1):
		return fmt.Errorf("learning_rate is %v: expected more than 0, at most 1", c.LearningRate)
	case !(c.WeightDecay >= 0 && c.WeightDecay <= 1):
		return fmt.Errorf("weight_decay is %v: expected 0 to 1", c.WeightDecay)
	case c.Epochs < 1:
		return fmt.Errorf("epochs is %d: expected 1 or more", c.Epochs)
	case c.BatchTokens < 1 || c.BatchTokens > 1<<16:
		return fmt.Errorf("batch_tokens is %d: expected 1 to %d", c.BatchTokens, 1<<16)
	}
	for i, f := range c.Features {
		if f != Shape && f != Suffix || slices.Contains(c.Features[:i], f) {
			return fmt.Errorf("features is [%s]: expected %s and %s, each at most once", strings.Join(c.Features, ", "), Shape, Suffix)
		}
	}
	return nil
}
