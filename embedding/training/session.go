package training

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"tinygpt/embedding"
	"tinygpt/embedding/corpus"
	"tinygpt/embedding/glove"
	"tinygpt/embedding/spec"
	"tinygpt/embedding/word2vec"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/interrupt"
	"tinygpt/model/safetensors"
)

// learner is a model in training. What a step does is a function of its number and of the
// state.
type learner interface {
	Steps() int                            // of all epochs
	Done(step int) int                     // words of the text, or cells of a matrix, in the steps before it
	LearningRate(step int) float64         // of a step
	Train(step int) error                  // makes the step of that number
	Evaluate() (training, heldOut float64) // the objective on a sample of what is trained on, and on what isn't
	State() []safetensors.Tensor           // what a checkpoint keeps; it shares memory with the learner
	Vectors() (matrix []float32)           // [V, Dim], the result so far
	FirstBad() (word int, what string)     // a vector that isn't finite, or −1
	Close()                                // removes what is temporary and gives up what only training needs
}

// Session is a training of word vectors.
type Session struct {
	Config Config
	Text   *corpus.Text
	// Progress, unless nil, is called after steps, at most a few times a second, and after
	// every evaluation, whose Loss is set.
	Progress func(Progress)

	// Instructions is the instruction set with which the checkpoint of a resumed training was
	// written; "" if it isn't known.
	Instructions string

	learner learner
	text    string // fingerprint of Text
	step    int    // the next one
	elapsed time.Duration
}

// Progress is how far a training is.
type Progress struct {
	Metrics
	Steps int    // of all epochs
	Unit  string // what Metrics.Words counts: "words", or "cells" of GloVe's matrix
}

// NewSession prepares a training from its beginning. The caller must Close it or Finish it.
// Settings that Validate refuses and a text that leaves nothing to train on are errors.
func NewSession(c Config, text *corpus.Text) (*Session, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Session{Config: c, Text: text, text: fingerprint(text)}
	var err error
	if s.learner, err = newLearner(c, text); err != nil {
		return nil, err
	}
	if s.learner.Steps() == 0 {
		return nil, errors.New("no words to train on: all text is held out; lower data.val_fraction or give more text")
	}
	return s, nil
}

// newLearner returns a new model with the settings of c.
func newLearner(c Config, text *corpus.Text) (learner, error) {
	v := c.Vectors
	if v.Model == GloVe {
		t, err := glove.NewTrainer(text.Vocabulary, text.Tokens.All(), glove.Options{
			Dim: v.Dim, Window: v.Window, XMax: v.XMax, Alpha: v.Alpha, Epochs: v.Epochs, LearningRate: v.LearningRate,
			HeldOut: c.Data.ValFraction, Memory: v.MemoryMB << 20, Seed: v.Seed,
		})
		if err != nil {
			return nil, err
		}
		if v.Engine == graphEngine {
			t.Step = spec.GloVeStep
		}
		return t, nil
	}
	training, heldOut := text.Split(c.Data.ValFraction)
	t := word2vec.NewTrainer(text.Vocabulary, training, heldOut, word2vec.Options{
		Dim: v.Dim, Window: v.Window, CBOW: v.Model == CBOW, Classic: v.Classic, Softmax: v.Objective == "softmax", Negatives: v.Negative,
		NoisePower: v.NoisePower, Sample: v.Sample, Epochs: v.Epochs,
		LearningRate: v.LearningRate, MinLearningRate: v.MinLearningRate, Seed: v.Seed,
	})
	switch {
	case v.Engine == graphEngine && v.Objective == "softmax":
		t.Step = spec.SoftmaxStep
	case v.Engine == graphEngine:
		t.Step = spec.Step
	}
	return t, nil
}

// Close removes a training's temporary files and gives its memory back to the system. Vectors
// that were returned before stay valid.
func (s *Session) Close() {
	if s.learner != nil {
		s.learner.Close()
		s.learner, s.Text.Tokens = nil, corpus.Sequence{}
		debug.FreeOSMemory()
	}
}

// Finish closes the session and returns the result. It frees the memory that only training
// needs before it allocates the result.
func (s *Session) Finish() *embedding.Vectors {
	s.learner.Close()
	s.Text.Tokens = corpus.Sequence{}
	debug.FreeOSMemory()
	v := s.Vectors()
	s.Close()
	return v
}

// Steps returns the number of steps of all epochs.
func (s *Session) Steps() int { return s.learner.Steps() }

// Step returns how many steps have been made.
func (s *Session) Step() int { return s.step }

// Elapsed returns the time that training has taken so far, over all of its processes.
func (s *Session) Elapsed() time.Duration { return s.elapsed }

// ErrStopped is what Run returns when its context ends, after it has written the checkpoint.
var ErrStopped = errors.New("stopped")

// reportInterval is the minimum time between two calls of Progress for steps.
const reportInterval = 200 * time.Millisecond

// Run trains to the end and writes the run's files into dir. When ctx ends it finishes the
// current step, writes a checkpoint and returns ErrStopped. A vector that isn't finite at an
// evaluation ends the training with an error that names the word; the last checkpoint stays.
func (s *Session) Run(ctx context.Context, dir string) error {
	// Lines of steps that are made again are dropped.
	all, log, err := atomicfile.Reopen(filepath.Join(dir, MetricsFile), func(m Metrics) bool { return m.Step <= s.step })
	if err != nil {
		return err
	}
	defer log.Close()
	steps := s.learner.Steps()
	started, before := interrupt.Now(), s.elapsed
	sinceReport, doneThen := interrupt.Now(), s.learner.Done(s.step)
	for s.step < steps {
		if ctx.Err() != nil {
			return errors.Join(ErrStopped, s.save(dir, log, all))
		}
		rate := s.learner.LearningRate(s.step)
		if err := s.learner.Train(s.step); err != nil {
			return err
		}
		s.step++
		s.elapsed = before + interrupt.Now().Sub(started)
		m := Metrics{Step: s.step, Words: s.learner.Done(s.step), LearningRate: rate, Elapsed: s.elapsed.Seconds()}
		m.Epoch = float64(m.Words) / float64(s.learner.Done(steps)) * float64(s.Config.Vectors.Epochs)
		if s.due() {
			if row, what := s.learner.FirstBad(); row >= 0 {
				return s.diverged(row, what)
			}
			if d := interrupt.Now().Sub(sinceReport).Seconds(); d > 0 {
				m.WordsPerSec = float64(m.Words-doneThen) / d
			}
			m.Loss, m.ValLoss = s.learner.Evaluate()
			all = append(all, m)
			if err := errors.Join(log.Add(m), s.save(dir, log, all)); err != nil {
				return err
			}
			s.report(m)
			sinceReport, doneThen = interrupt.Now(), m.Words
		} else if d := interrupt.Now().Sub(sinceReport); d > reportInterval && s.Progress != nil {
			m.WordsPerSec = float64(m.Words-doneThen) / d.Seconds()
			s.report(m)
			sinceReport, doneThen = interrupt.Now(), m.Words
		}
	}
	return nil
}

func (s *Session) report(m Metrics) {
	if s.Progress != nil {
		unit := "words"
		if s.Config.Vectors.Model == GloVe {
			unit = "cells"
		}
		s.Progress(Progress{m, s.learner.Steps(), unit})
	}
}

// due reports whether an evaluation follows the last step. Evaluations are spread evenly.
func (s *Session) due() bool {
	n, steps := s.Config.Vectors.Evaluations, s.learner.Steps()
	return s.step*n/steps > (s.step-1)*n/steps
}

func (s *Session) diverged(row int, what string) error {
	return fmt.Errorf("the %s of %q (word %d of the vocabulary, %d occurrences) isn't finite after step %d: lower vectors.learning_rate, or look at what the text holds",
		what, s.Text.Vocabulary.Words[row], row+1, s.Text.Vocabulary.Counts[row], s.step)
}

// Vectors returns a copy of the vectors as they are now.
func (s *Session) Vectors() *embedding.Vectors {
	return &embedding.Vectors{Words: s.Text.Vocabulary.Words, Counts: s.Text.Vocabulary.Counts, Dim: s.Config.Vectors.Dim, Matrix: s.learner.Vectors()}
}
