package run

import (
	"context"
	"errors"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/finetune"
	"tinygpt/model"
	"tinygpt/train"
)

// Team is several processes of which the first one, which has the Team, gives the others
// work: a training to share. It alone reads and writes files. The others call Follow.
type Team struct {
	train.Peers
	working bool
}

// order is what the first process gives to the others.
type order struct {
	Config configs.Config
	Done   bool // there is no more work: leave with Status
	Status int

	Finetuning *finetuning
	Splits     *splits
}

// splits are the two splits of a text, without their tokens.
type splits struct {
	Training, Validation         data.Stream
	TrainingSize, ValidationSize int
}

// finetuning is what a fine-tuning needs besides its configuration.
type finetuning struct {
	Setup   finetune.Setup
	Special finetune.Special
	Sets    finetune.Sets
}

// Working says whether the others are at work on something that this process has ended with
// an error of its own. They have to be stopped.
func (t *Team) Working() bool { return t != nil && t.working }

// Dismiss tells the others that there is no more work, and with what status to leave.
func (t *Team) Dismiss(status int) error {
	return train.Send(t.Peers, order{Done: true, Status: status})
}

// during runs the first process' part of a training that the others share.
func (t *Team) during(work func() error) error {
	if t == nil {
		return work()
	}
	t.working = true
	err := work()
	if err == nil || train.Agreed(err) {
		t.working = false
	}
	return err
}

// share gives the others the training t.
func (t *Training) share() error {
	if t.Team == nil {
		return nil
	}
	t.Trainer.Peers = t.Team.Peers
	s := &splits{Training: *t.Training, Validation: *t.Validation}
	o := order{Config: t.Config, Splits: s}
	s.TrainingSize, s.ValidationSize = len(s.Training.Tokens), len(s.Validation.Tokens)
	s.Training.Tokens, s.Validation.Tokens = nil, nil
	if err := train.Send(t.Team.Peers, o); err != nil {
		return err
	}
	for _, tokens := range [][]int32{t.Training.Tokens, t.Validation.Tokens} {
		if err := t.Team.Broadcast(train.Bytes(tokens)); err != nil {
			return err
		}
	}
	return nil
}

// share gives the others the fine-tuning f.
func (f *Finetuning) share() error {
	if f.Team == nil {
		return nil
	}
	s := f.Session
	s.Peers = f.Team.Peers
	c := f.Config
	c.Finetune, c.Train = s.Setup.Config, s.Train
	return train.Send(f.Team.Peers, order{Config: c, Finetuning: &finetuning{
		Setup: *s.Setup, Special: s.Special, Sets: finetune.Sets{Train: s.TrainItems, Dev: s.DevItems, Test: s.TestItems},
	}})
}

// Follow does the work that the first of the processes gives to this one, until there is no
// more, and returns the status to leave with. When ctx ends, all processes stop the present
// training after a step, and save it.
func Follow(ctx context.Context, peers train.Peers) (status int, err error) {
	for {
		var o order
		if err := train.Receive(peers, &o); err != nil {
			return 1, err
		}
		switch {
		case o.Done:
			return o.Status, nil
		case o.Finetuning != nil:
			err = followFinetuning(ctx, peers, o)
		case o.Splits != nil:
			err = followTraining(ctx, peers, o)
		default:
			err = errors.New("run: an order without work")
		}
		if err != nil && !train.Agreed(err) {
			return 1, err
		}
	}
}

// followTraining takes part in the training of a language model.
func followTraining(ctx context.Context, peers train.Peers, o order) error {
	m := &Material{Training: &o.Splits.Training, Validation: &o.Splits.Validation}
	m.Training.Tokens, m.Validation.Tokens = make([]int32, o.Splits.TrainingSize), make([]int32, o.Splits.ValidationSize)
	for _, tokens := range [][]int32{m.Training.Tokens, m.Validation.Tokens} {
		if err := peers.Broadcast(train.Bytes(tokens)); err != nil {
			return err
		}
	}
	weights, err := model.NewZero(o.Config.Model)
	if err != nil {
		return err
	}
	t := &Training{Run: &Run{Kind: Text, Config: o.Config}, Material: m, Model: weights, Team: &Team{Peers: peers}}
	if err := t.makeTrainer(); err != nil {
		return err
	}
	t.Trainer.Peers = peers
	_, err = t.Trainer.Run(ctx)
	return err
}

// followFinetuning takes part in a fine-tuning.
func followFinetuning(ctx context.Context, peers train.Peers, o order) error {
	f := o.Finetuning
	m, err := finetune.NewModel(o.Config.Model, nil, &f.Setup, f.Special, o.Config.Train.Seed)
	if err != nil {
		return err
	}
	s := finetune.NewSession(m, &f.Setup, o.Config.Train, f.Special, f.Sets)
	s.Peers = peers
	_, err = s.Run(ctx)
	return err
}
