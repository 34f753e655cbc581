package finetune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"tinygpt/model"
	"tinygpt/train"
)

// Session is one fine-tuning, from a model to its results.
type Session struct {
	// Setup and Train are as NewSession has completed them.
	Setup   *Setup
	Train   train.Config
	Model   *model.Model // see NewModel
	Special Special
	// Items of the three sets; TestItems may be nil.
	TrainItems, DevItems, TestItems []*Item
	Dir                             string
	Report                          train.Report // nil: nothing is shown
	// Fitting, unless nil, is called while n-grams are fitted, as linear.Problem's Progress.
	Fitting func(done, total int)
	// Peers, unless nil, are the processes that share the fine-tuning. Their sessions are the
	// same except for Dir and Report.
	Peers train.Peers
	// Curve, unless nil, returns what draws the run; see train.Trainer.
	Curve func() train.Curve

	batches *Batches
	trainer *train.Trainer
}

// Result is what a session reached.
type Result struct {
	State train.State
	// Dev and Test are the evaluations of the checkpoint that is best on the development set,
	// mixed with n-grams if the run has them. Test is nil if there is no test set.
	Dev  Evaluation
	Test *Evaluation
	// Mixture, unless nil, is the mixture of the network and the n-grams. Then Network and
	// NGrams have the evaluations of each by itself.
	Mixture         *Mixture
	Network, NGrams Alone
}

// Alone is what a part of a mixture reaches by itself.
type Alone struct {
	Dev  Evaluation
	Test *Evaluation // nil if there is no test set
}

// NewModel returns a model of this shape with the task's head, and with the weights of base,
// whose vocabulary may be smaller; if base is nil, with random ones. What the setup freezes is
// frozen. More frozen layers than the model has, and a base of another shape, are errors.
func NewModel(shape model.Config, base *model.Model, s *Setup, special Special, seed uint64) (*model.Model, error) {
	if s.FreezeLayers > shape.Layers {
		return nil, fmt.Errorf("finetune.freeze_layers is %d, but the model has %d layers: expected at most that many", s.FreezeLayers, shape.Layers)
	}
	m, err := model.New(shape, seed)
	if err != nil {
		return nil, err
	}
	if base != nil {
		if err := m.CopyFrom(base); err != nil {
			return nil, err
		}
	}
	AddHead(m, s, seed)
	if s.FreezeEmbeddings {
		m.FreezeEmbeddings(int(special.Start)) // the special tokens follow all others
	}
	if s.FreezeLayers > 0 {
		m.FreezeLayers(s.FreezeLayers)
	}
	return m, nil
}

// GPT-1's learning rate at GPT-1's width (Radford et al. 2018, section 4.1). The rate for
// another width is in inverse proportion to the width (Yang et al. 2022, Tensor Programs V,
// table 8).
const (
	learningRate   = 6.25e-5
	referenceWidth = 768
)

// Sets has the items of the three sets; Test may be nil.
type Sets struct{ Train, Dev, Test []*Item }

// NewSession prepares a fine-tuning of m, a model of NewModel. It completes the settings by what
// follows from the number and the lengths of the training items. In the session's Train these
// are batches no larger than the set, the number of steps, warm-up, the intervals of evaluations
// and checkpoints, and if the learning rate is 0 the one that fits the model's width. In its
// Setup these are more epochs if MinSteps asks for them, and no L1 if all layers are frozen.
func NewSession(m *model.Model, setup *Setup, c train.Config, special Special, sets Sets) *Session {
	completed := *setup
	all := len(sets.Train)
	// A batch holds each example once at most; batches without examples change nothing.
	c.BatchSize = min(c.BatchSize, all)
	c.GradientAccumulationSteps = min(c.GradientAccumulationSteps, (all+c.BatchSize-1)/c.BatchSize)
	perUpdate := c.BatchSize * c.GradientAccumulationSteps
	perEpoch := (all + perUpdate - 1) / perUpdate
	completed.Epochs = max(setup.Epochs, (setup.MinSteps+perEpoch-1)/perEpoch)
	if setup.FreezeLayers >= m.Config.Layers {
		completed.Lambda = 0 // L1 would change nothing
	}
	lengths := BucketLengths(sets.Train, setup.Buckets, m.Config.Context)
	b := NewBatches(sets.Train, lengths, c.BatchSize, c.GradientAccumulationSteps, completed.Epochs, c.Seed)
	c.Steps = b.Updates()
	c.WarmupSteps = int(math.Ceil(setup.WarmupFraction * float64(c.Steps)))
	c.EvalInterval = (c.Steps + setup.Evaluations - 1) / setup.Evaluations
	c.CheckpointInterval = c.EvalInterval
	c.SampleInterval = 0
	if c.LearningRate == 0 {
		c.LearningRate = learningRate * referenceWidth / float64(m.Config.Width)
	}
	return &Session{Setup: &completed, Train: c, Model: m, Special: special, TrainItems: sets.Train, DevItems: sets.Dev, TestItems: sets.Test, batches: b}
}

// start returns the trainer. It makes it at the first call, when Dir must be set.
func (s *Session) start() *train.Trainer {
	if s.trainer == nil {
		s.trainer = &train.Trainer{
			Config: s.Train, Model: s.Model, Dir: s.Dir, Report: s.Report, Curve: s.Curve,
			Objective: &Objective{Setup: s.Setup, Special: s.Special, Batches: s.batches},
		}
	}
	return s.trainer
}

// LossName returns the name of the loss in the picture of the training: that of L2, which it
// shows for training (see LabelLoss) and for validation.
func (s *Session) LossName() string {
	if s.Setup.Head == Regression {
		return "Squared error"
	}
	return "Cross-entropy of labels"
}

// Buckets returns the lengths that sequences are padded to, and the share of the tokens
// of all batches that are padding.
func (s *Session) Buckets() (lengths []int, padding float64) {
	total, own := 0, 0
	for step := range s.batches.Updates() {
		for micro := range s.batches.Accumulation {
			bucket, items := s.batches.At(step, micro)
			total += s.batches.Sequences * s.batches.Lengths[bucket]
			for _, it := range items {
				for _, q := range it.Sequences {
					own += len(q)
				}
			}
		}
	}
	return s.batches.Lengths, 1 - float64(own)/float64(total)
}

// Shape returns the shape of the largest batch.
func (s *Session) Shape() train.Shape {
	return train.Shape{Batch: s.batches.Sequences, Context: s.batches.Lengths[len(s.batches.Lengths)-1]}
}

// Memory estimates the memory of the training. The graphs of shorter sequences share the memory
// of the graph of the longest.
func (s *Session) Memory() train.Memory {
	return s.Train.MemoryOfShape(s.Model.Config, s.Shape())
}

// Resume continues from the folder's last checkpoint; it returns the number of updates
// made so far.
func (s *Session) Resume() (steps int, err error) { return s.start().Resume() }

// State returns how far the training is.
func (s *Session) State() train.State { return s.start().State() }

// StoppedEarly reports whether train.patience ended the training.
func (s *Session) StoppedEarly() bool { return s.start().StoppedEarly() }

// Run trains, loads the best checkpoint into the model, and measures it. When ctx ends, it saves
// a checkpoint and returns train.ErrInterrupted.
func (s *Session) Run(ctx context.Context) (Result, error) {
	p := NewPredictor(s.Model, s.Setup, s.batches.Lengths)
	trainer := s.start()
	trainer.Report, trainer.Peers, p.Peers = s.Report, s.Peers, s.Peers
	var last Evaluation
	trainer.Validate = func(ctx context.Context) (_ train.Evaluation, err error) {
		last, err = p.Evaluate(ctx, s.DevItems)
		return last.Train(), err
	}
	trained, err := trainer.Run(ctx)
	r := Result{State: trained.State}
	if err != nil {
		return r, err
	}
	if err := s.loadBest(); err != nil {
		return r, err
	}
	if s.Peers != nil { // every process must take part in the evaluations to their end
		ctx = context.WithoutCancel(ctx)
	}
	// A training that was best at its end has just been measured.
	if r.Dev = last; r.State.BestStep != r.State.Step || last.Examples == 0 || s.Setup.NGrams {
		dev, err := p.Scores(ctx, s.DevItems)
		if err != nil {
			return r, interrupted(ctx, err)
		}
		r.Dev = s.Setup.evaluate(s.DevItems, dev)
		if s.Setup.NGrams && (s.Peers == nil || s.Peers.Rank() == 0) {
			if err := s.mix(ctx, &r, dev); err != nil {
				return Result{State: r.State}, interrupted(ctx, err)
			}
		}
	}
	if s.TestItems != nil {
		test, err := p.Scores(ctx, s.TestItems)
		if err != nil {
			return r, fmt.Errorf("the test set: %w", interrupted(ctx, err))
		}
		err = s.measureTest(&r, test)
		return r, err
	}
	return r, nil
}

// mix fits the n-grams, and measures them and the mixture on the development set. scores are the
// network's of this set.
func (s *Session) mix(ctx context.Context, r *Result, scores [][]float32) (err error) {
	if r.Mixture, err = s.Setup.fitMixture(ctx, s.TrainItems, s.DevItems, scores, s.Fitting); err != nil {
		return err
	}
	r.Network.Dev, r.Dev = r.Dev, s.Setup.evaluate(s.DevItems, r.Mixture.mix(s.DevItems, scores))
	r.NGrams.Dev, err = s.Setup.Measure(examplesOf(s.DevItems), r.Mixture.NGrams)
	return err
}

// measureTest evaluates the network's scores of the test set, and if there are n-grams these and
// the mixture.
func (s *Session) measureTest(r *Result, scores [][]float32) error {
	test := s.Setup.evaluate(s.TestItems, scores)
	r.Test = &test
	if r.Mixture == nil {
		return nil
	}
	together := s.Setup.evaluate(s.TestItems, r.Mixture.mix(s.TestItems, scores))
	r.Network.Test, r.Test = &test, &together
	words, err := s.Setup.Measure(examplesOf(s.TestItems), r.Mixture.NGrams)
	r.NGrams.Test = &words
	return err
}

// interrupted returns train.ErrInterrupted if the end of ctx caused err, else err.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return train.ErrInterrupted
	}
	return err
}

// loadBest loads the weights of the best checkpoint. With Peers, one process reads them for all.
func (s *Session) loadBest() error {
	if s.Peers == nil || s.Peers.Rank() == 0 {
		if _, err := train.LoadCheckpoint(filepath.Join(s.Dir, train.BestCheckpoint), s.Model); err != nil || s.Peers == nil {
			return err
		}
	}
	return train.BroadcastWeights(s.Peers, s.Model)
}
