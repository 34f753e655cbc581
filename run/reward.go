package run

import (
	"fmt"

	"tinygpt/data/instruct"
	"tinygpt/model"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// RewardModel loads the weights of a checkpoint of a reward model's run, its head with
// them.
func (r *Run) RewardModel(checkpoint string) (*model.Model, error) {
	if err := r.Kind.expect(r.Dir, Reward); err != nil {
		return nil, err
	}
	path, err := r.Checkpoint(checkpoint)
	if err != nil {
		return nil, err
	}
	m, err := model.NewZero(r.Config.Model)
	if err != nil {
		return nil, err
	}
	m.AddHead(1, 0)
	if none, _, ok := instruct.Surprise(r.Tokenizer); ok {
		m.SetTypes(none)
	}
	_, err = train.LoadCheckpoint(path, m)
	return m, err
}

// classifier is what transformers has to know of a reward model. Padding is a token
// that is never the last of a conversation.
func (r *Run) classifier() (model.Classifier, error) {
	padding, ok := tokenizer.SpecialID(r.Tokenizer, instruct.SystemName)
	if !ok {
		return model.Classifier{}, fmt.Errorf("%s: its tokenizer has no token %s", r.Dir, instruct.SystemName)
	}
	return model.Classifier{Labels: []string{"reward"}, Padding: padding}, nil
}
