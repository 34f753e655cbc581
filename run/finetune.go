package run

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/model"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// Base is what fine-tunings start from.
type Base struct {
	// Dir is the run that the weights, or only tokenizer and shape, are from; "" if
	// there is none.
	Dir string
	// Model has the weights; nil: random ones.
	Model *model.Model
	// Tokenizer has the special tokens of fine-tuning.
	Tokenizer tokenizer.Tokenizer
	Special   finetune.Special
}

// String says in words what a fine-tuning starts from.
func (b *Base) String() string {
	switch {
	case b.Dir == "":
		return "random weights"
	case b.Model == nil:
		return "random weights, tokenizer and shape of " + b.Dir
	}
	return b.Dir
}

// OpenBase opens the run that the configuration starts from, the latest if it names
// none, and completes the configuration with its model, tokenizer and data. A
// training from scratch where there is no run learns a tokenizer from the examples.
func OpenBase(c *configs.Config, x *finetune.Examples) (*Base, error) {
	b := &Base{}
	r, err := Open(c.Finetune.From)
	switch {
	case err == nil:
		if b, err = openBase(c, r); err != nil {
			return nil, err
		}
	case c.Finetune.Scratch && c.Finetune.From == "":
		texts := &Texts{Training: corpus(x.Train), Whole: corpus(x.Train, x.Dev, x.Test)}
		if b.Tokenizer, err = NewTokenizer(c.Tokenizer, texts); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("the run to start from: %w; or train from scratch with --scratch", err)
	}
	if b.Tokenizer, b.Special, err = finetune.Extend(b.Tokenizer); err != nil {
		return nil, err
	}
	c.Model.VocabSize = b.Tokenizer.VocabSize()
	c.Finetune.From = b.Dir
	return b, nil
}

func openBase(c *configs.Config, r *Run) (*Base, error) {
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return nil, err
	}
	b := &Base{Dir: dir, Tokenizer: r.Tokenizer}
	if !c.Finetune.Scratch {
		if b.Model, _, err = r.Model(""); err != nil {
			return nil, err
		}
	}
	dropout := c.Model.Dropout
	c.Model, c.Data, c.Tokenizer, c.Sample = r.Config.Model, r.Config.Data, r.Config.Tokenizer, r.Config.Sample
	c.Model.Dropout = dropout
	return b, nil
}

// Encoder makes items of the examples of a fine-tuning.
func (b *Base) Encoder(c *configs.Config) *finetune.Encoder {
	return &finetune.Encoder{Tokenizer: b.Tokenizer, Special: b.Special, Config: c.Finetune, Context: c.Finetune.Room(c.Model.Context)}
}

// Session prepares a fine-tuning with the configuration, which it completes with what
// follows from the examples' number and lengths. Its folder is still to be made.
func (b *Base) Session(c *configs.Config, x *finetune.Examples) (*finetune.Session, error) {
	m, err := finetune.NewModel(c.Model, b.Model, &c.Finetune, b.Special, c.Train.Seed)
	if err != nil {
		return nil, err
	}
	drawn, err := c.Finetune.Subset(x.Train, c.Train.Seed)
	if err != nil {
		return nil, err
	}
	s := &finetune.Session{Config: c.Finetune, Train: c.Train, Model: m, Special: b.Special}
	encoder := b.Encoder(c)
	for _, set := range []struct {
		examples []labelled.Example
		items    *[]*finetune.Item
	}{{drawn, &s.TrainItems}, {x.Dev, &s.DevItems}, {x.Test, &s.TestItems}} {
		if *set.items, err = encoder.Items(set.examples, true); err != nil {
			return nil, err
		}
	}
	s.Plan()
	s.Saved = func(all []train.Metrics) error {
		return DrawLoss(filepath.Join(s.Dir, LossCurveFile), s.LossName(), all)
	}
	c.Finetune, c.Train = s.Config, s.Train
	return s, errors.Join(c.Validate(), c.Model.Validate())
}

// OpenFinetuned opens a fine-tuned run with the weights of its best checkpoint, the latest
// if dir is empty.
func OpenFinetuned(dir string) (*Run, *Base, error) {
	if dir == "" {
		var err error
		if dir, err = Latest(Root, Finetuned); err != nil {
			return nil, nil, err
		}
	}
	r, err := Open(dir)
	if err != nil {
		return nil, nil, err
	}
	if r.Kind != Finetuned {
		return nil, nil, fmt.Errorf("%s is no fine-tuned run: make one with `gpt finetune --from %s`", r.Dir, r.Dir)
	}
	path, err := r.Checkpoint("")
	if err != nil {
		return nil, nil, err
	}
	b := &Base{Dir: r.Dir, Tokenizer: r.Tokenizer}
	if b.Tokenizer, b.Special, err = finetune.Extend(r.Tokenizer); err != nil {
		return nil, nil, err
	}
	if b.Model, err = finetune.NewModel(r.Config.Model, nil, &r.Config.Finetune, b.Special, 0); err != nil {
		return nil, nil, err
	}
	if _, err := train.LoadCheckpoint(path, b.Model); err != nil {
		return nil, nil, fmt.Errorf("%w (the head has an output for each of the %d classes in %s)", err, len(r.Config.Finetune.Classes), filepath.Join(r.Dir, configFile))
	}
	return r, b, nil
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
