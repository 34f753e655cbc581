package run

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"tinygpt/configs"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/model/kernel"
)

// Found is what a run of a language model found out when it began. config.yaml has it as
// the section found, apart from the configuration, which is what was asked for.
type Found struct {
	// Program is the one that made the run: version, commit, Go and instruction set.
	Program string `yaml:"program,omitempty"`
	// TokenizerSHA256 is the tokenizer's fingerprint: the weights are never used with
	// another one's tokens.
	TokenizerSHA256 string `yaml:"tokenizer_sha256,omitempty"`
	// TextSHA256 is the checksum of all texts that the run was trained on.
	TextSHA256 string `yaml:"text_sha256,omitempty"`
	// Training and Validation are the two splits of the texts.
	Training   Split `yaml:"training,omitempty"`
	Validation Split `yaml:"validation,omitempty"`
	// FloorBits is the information content of the validation split in bits, where it is
	// known exactly; else 0.
	FloorBits float64 `yaml:"floor_bits,omitempty"`
	// StartSHA256 is the checksum of the weights that the run began with, if they are another
	// run's. A run that was stopped before its first checkpoint begins with them again.
	StartSHA256 string `yaml:"start_sha256,omitempty"`
	// ReferenceSHA256 is the checksum of the weights that an alignment's policy is held to
	// and rewarded by.
	ReferenceSHA256 string `yaml:"reference_sha256,omitempty"`
	// Examples is what a fine-tuning found in its examples.
	Examples finetune.Found `yaml:"examples,omitempty"`
}

// Split is one of the two parts of a run's texts.
type Split struct {
	SHA256 string `yaml:"sha256"`
	Bytes  int    `yaml:"bytes"`
	Tokens int    `yaml:"tokens"`
	// Cut says of the validation split that it begins within a document.
	Cut bool `yaml:"cut,omitempty"`
}

// FloorBitsPerByte is the least that predicting the validation split can cost; 0 if it is
// unknown.
func (f Found) FloorBitsPerByte() float64 { return f.FloorBits / float64(max(f.Validation.Bytes, 1)) }

// inherited returns what the run in the folder from found about its texts, for a run that
// starts from it and names the same texts. Nothing is inherited from a folder that can't be
// read.
func inherited(from string, d configs.Data) (f Found) {
	if from == "" {
		return f
	}
	text, kind, err := readConfig(from)
	if err != nil {
		return f
	}
	path := filepath.Join(from, configFile)
	c, err := configs.Parse(text, path, kinds[kind].sections...)
	if err != nil || !reflect.DeepEqual(c.Data, d) {
		return f
	}
	parent, err := parseFound(text, path)
	if err != nil {
		return f
	}
	return Found{TextSHA256: parent.TextSHA256, FloorBits: parent.FloorBits}
}

// parseFound reads the section found of a run's config.yaml, or of a run that has none the
// keys that earlier programs wrote among the settings.
func parseFound(text []byte, path string) (f Found, err error) {
	if err := configs.DecodeSection(text, path, configs.FoundKey, &f); err != nil || f.TokenizerSHA256 != "" {
		return f, err
	}
	var before struct {
		Data      struct{ SHA256 string }
		Tokenizer struct{ SHA256 string }
		Finetune  struct {
			Classes         labelled.Classes
			ChoiceLabels    labelled.ChoiceLabels `yaml:"choice_labels"`
			Mean, Deviation float64
			SHA256          string
		}
	}
	if err := configs.Peek(text, path, &before); err != nil {
		return f, damaged(path, err)
	}
	t := before.Finetune
	return Found{
		TokenizerSHA256: before.Tokenizer.SHA256, TextSHA256: before.Data.SHA256,
		Examples: finetune.Found{Classes: t.Classes, ChoiceLabels: t.ChoiceLabels, Mean: t.Mean, Deviation: t.Deviation, SHA256: t.SHA256},
	}, nil
}

// OtherInstructions returns a note if the run began on another instruction set than the one in
// use.
func (f Found) OtherInstructions() []string {
	return OtherInstructions(f.Program[strings.LastIndex(f.Program, " ")+1:])
}

// OtherInstructions returns a note if a run that goes on began on another instruction set
// than the one in use; "" is unknown.
func OtherInstructions(began string) []string {
	if now := kernel.InstructionSet(); began != "" && began != now {
		return []string{fmt.Sprintf("the run began on a processor with %s and goes on with %s: sums are taken in another order, so it may end with other last digits than it would have there", began, now)}
	}
	return nil
}
