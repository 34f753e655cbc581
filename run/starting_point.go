package run

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/model"
	"tinygpt/tokenizer"
)

// StartingPoint is what fine-tunings start from.
type StartingPoint struct {
	// Dir is the run that the weights, or only tokenizer and shape, are from; "" if
	// there is none.
	Dir string
	// Model has the weights; nil: random ones.
	Model *model.Model
	// Tokenizer has the special tokens of fine-tuning.
	Tokenizer tokenizer.Tokenizer
	Special   finetune.Special

	run *Run // nil if there is none
}

// String says in words what a fine-tuning starts from.
func (p *StartingPoint) String() string {
	switch {
	case p.Dir == "":
		return "random weights"
	case p.Model == nil:
		return "random weights, tokenizer and shape of " + p.Dir
	}
	return p.Dir
}

// SHA256 is the checksum of its weights, "" of random ones.
func (p *StartingPoint) SHA256() string { return startSum(p.Model) }

// OpenStartingPoint opens the run that the configuration starts from, the latest if it
// names none. A training from scratch where there is no run learns a tokenizer from the
// examples.
func OpenStartingPoint(c configs.Config, x *finetune.Examples) (*StartingPoint, error) {
	p := &StartingPoint{}
	r, err := Open(c.Finetune.From)
	switch {
	case err == nil:
		if p.Dir, err = filepath.Abs(r.Dir); err != nil {
			return nil, err
		}
		p.run, p.Tokenizer = r, r.Tokenizer
		if !c.Finetune.Scratch {
			if p.Model, _, err = r.Model(""); err != nil {
				return nil, err
			}
		}
	case c.Finetune.Scratch && c.Finetune.From == "":
		texts := &Texts{Training: corpus(x.Train), Whole: corpus(x.Train, x.Dev, x.Test)}
		if p.Tokenizer, err = NewTokenizer(c.Tokenizer, texts); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("the run to start from: %w; or train from scratch with --scratch", err)
	}
	p.Tokenizer, p.Special, err = finetune.Extend(p.Tokenizer)
	return p, err
}

// settle returns the configuration of a fine-tuning from here: with the model, the
// tokenizer and the texts of the run that it starts from.
func (p *StartingPoint) settle(c configs.Config) configs.Config {
	if p.run != nil {
		dropout := c.Model.Dropout
		c.Model, c.Data, c.Tokenizer, c.Sample = p.run.Config.Model, p.run.Config.Data, p.run.Config.Tokenizer, p.run.Config.Sample
		c.Model.Dropout = dropout
	}
	c.Model.VocabSize = p.Tokenizer.VocabSize()
	c.Finetune.From = p.Dir
	return c
}

// leftOut notes which sections of a configuration say what a fine-tuning from here doesn't do,
// because it has them from the run.
func (p *StartingPoint) leftOut(c configs.Config) (notes []string) {
	if p.run == nil {
		return nil
	}
	usual, theirs := configs.DefaultFinetune(), p.run.Config
	for _, m := range []*model.Config{&c.Model, &usual.Model, &theirs.Model} {
		m.Dropout, m.VocabSize = 0, 0 // the first is the fine-tuning's own, the second the tokenizer's
	}
	for _, section := range []struct {
		name               string
		ours, usual, their any
	}{
		{"model", c.Model, usual.Model, theirs.Model}, {"data", c.Data, usual.Data, theirs.Data},
		{"tokenizer", c.Tokenizer, usual.Tokenizer, theirs.Tokenizer},
	} {
		if !reflect.DeepEqual(section.ours, section.usual) && !reflect.DeepEqual(section.ours, section.their) {
			notes = append(notes, fmt.Sprintf("the configuration's section %s is left out: a fine-tuning has its %s from the run that it starts from, %s", section.name, section.name, p.Dir))
		}
	}
	return notes
}

// Session prepares a fine-tuning from here. Its folder is still to be made.
func (p *StartingPoint) Session(c configs.Config, x *finetune.Examples, s *finetune.Setup) (*finetune.Session, error) {
	return newSession(p.settle(c), x, s, p)
}

// corpus collects the texts of examples.
func corpus(sets ...[]labelled.Example) (c data.Corpus) {
	for _, set := range sets {
		for _, e := range set {
			for _, text := range [][]string{e.Texts, e.Choices, {strings.Join(e.Tokens, " ")}} {
				for _, t := range text {
					if t != "" {
						c.Documents = append(c.Documents, data.Document{Source: e.File, Text: t})
					}
				}
			}
		}
	}
	return c
}
