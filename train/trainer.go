// Package train trains a model: objectives, optimisers, the learning-rate schedule,
// evaluation, checkpoints, and the metrics that a run leaves in its folder.
//
// A step is a function of the configuration, the seed, the step's number and what the
// last checkpoint holds, so a run that was stopped and resumed ends with the same bits as
// one that never stopped.
package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gorgonia.org/tensor"

	"tinygpt/model"
	"tinygpt/model/safetensors"
)

// Files in a run's folder that training writes.
const (
	LastCheckpoint = "last.safetensors" // weights, optimiser, state: to resume from
	BestCheckpoint = "best.safetensors" // weights at the best evaluation
	MetricsFile    = "metrics.jsonl"
	SamplesFile    = "samples.txt"
)

// ErrInterrupted is returned when a run was stopped by its context. The last checkpoint
// holds everything up to the last update.
var ErrInterrupted = errors.New("interrupted")

// Trainer trains one model. Step makes single updates; Run makes all of them, and
// evaluates, samples and saves in between.
type Trainer struct {
	Config    Config
	Model     *model.Model
	Objective Objective
	// Optimiser is that of Config, with its settings, unless it is set before the first
	// step.
	Optimiser Optimiser
	// Peers, unless nil, are the processes that this one trains the model with. All have a
	// Trainer with the same Config, Objective and Validate, and of one Model's shape.
	// Process 0's weights and state are given to all at the first step; it alone reads and
	// writes Dir, shows Report and samples.
	Peers Peers

	// What follows is used by Run, Resume and Save alone.

	// Dir is the run's folder.
	Dir string
	// Validate measures the model on the held-out split, on sequences of up to Context()
	// tokens. If ctx ends it returns the context's error.
	Validate func(ctx context.Context) (Evaluation, error)
	// Sample returns a text that the model writes at present, or if ctx ends the context's
	// error; nil: no samples.
	Sample func(ctx context.Context) (string, error)
	// Floor is the lowest validation loss that is possible, in nats per token; 0 if it
	// is unknown.
	Floor float64
	// Report shows the run's progress; nil: nothing is shown.
	Report Report
	// Curve, unless nil, returns what draws the run; see there.
	Curve func() Curve

	plan    *plan     // nil before the first step
	losses  []float64 // of the batches of the present step
	tree    tree
	sharing *sharing               // nil without Peers
	taken   map[*tensor.Dense]bool // gradients of the last part that are in their buckets
	stop    bool                   // a process is to stop
	state   State
}

// Report shows what happens while a run goes on.
type Report interface {
	Step(m Metrics, p Progress)
	// Evaluated shows an evaluation; best says that it is the best one so far.
	Evaluated(m Metrics, best bool)
	Sampled(step int, text string)
	// Close ends the display; the run is over.
	Close()
}

// Progress is how far a run is.
type Progress struct {
	Steps int // updates that the run is to make in all
	// Done is the share of the run's work that is done. Steps that compute more count for
	// more.
	Done float64
}

// Silent is a Report that shows nothing. A Report that embeds it has only those methods
// left to write that it wants.
type Silent struct{}

// Step shows nothing.
func (Silent) Step(Metrics, Progress) {}

// Evaluated shows nothing.
func (Silent) Evaluated(Metrics, bool) {}

// Sampled shows nothing.
func (Silent) Sampled(int, string) {}

// Close does nothing.
func (Silent) Close() {}

// StopAt returns a Report that shows nothing and calls stop after a step, as someone does
// who interrupts a run.
func StopAt(step int, stop func()) Report { return stopAt{step: step, stop: stop} }

type stopAt struct {
	Silent
	step int
	stop func()
}

// Step calls stop.
func (s stopAt) Step(m Metrics, _ Progress) {
	if m.Step == s.step {
		s.stop()
	}
}

// Result is what a run reached.
type Result struct {
	State State
	Final Evaluation // of the model as it is at the end
}

// State returns what has been reached so far.
func (t *Trainer) State() State { return t.state }

// Resume continues from the folder's last checkpoint; it returns the number of updates
// made so far.
func (t *Trainer) Resume() (steps int, err error) {
	path := filepath.Join(t.Dir, LastCheckpoint)
	if _, err := os.Stat(path); err != nil {
		return 0, fmt.Errorf("%s: no %s in it: the run was stopped before its first checkpoint; start it again", t.Dir, LastCheckpoint)
	}
	t.state, err = LoadCheckpoint(path, t.Model, t.kept()...)
	return t.state.Step, err
}

// Save writes the checkpoint that Resume continues from.
func (t *Trainer) Save() error {
	if t.sharing != nil {
		return t.saveShared()
	}
	return SaveCheckpoint(filepath.Join(t.Dir, LastCheckpoint), t.Model, t.state, t.kept()...)
}

// first says whether this process writes the run's files: with Peers, process 0 does.
func (t *Trainer) first() bool { return t.Peers == nil || t.Peers.Rank() == 0 }

// kept returns the tensors besides the weights that a resumed run needs.
func (t *Trainer) kept() (list []safetensors.Tensor) {
	for _, p := range t.Model.Parameters {
		list = append(list, t.optimiser().State(p)...)
	}
	if o, ok := t.Objective.(Stateful); ok {
		list = append(list, o.State()...)
	}
	return list
}

// Run trains up to Config.Steps, or until Config.Patience ends it. When ctx ends, it
// finishes the step, saves, and returns ErrInterrupted; an evaluation or a sample that was
// going on is made when the run goes on. At a loss or gradient that isn't
// finite it returns an error before the update; earlier checkpoints stay as they are.
func (t *Trainer) Run(ctx context.Context) (Result, error) {
	if t.Report == nil || !t.first() {
		t.Report = Silent{}
	}
	defer t.Report.Close()
	if err := t.begin(); err != nil {
		return Result{}, err
	}
	var log *metricsLog
	if t.first() {
		var err error
		if log, err = openMetrics(filepath.Join(t.Dir, MetricsFile), t.state.Step, t.Curve); err != nil {
			return Result{}, err
		}
		defer log.close()
		if err := cutSamples(filepath.Join(t.Dir, SamplesFile), t.state.Step); err != nil {
			return Result{}, err
		}
	}

	var final Evaluation
	for !t.Finished() {
		err := t.interrupted(ctx)
		if err == nil && !t.state.Pending {
			err = t.update(ctx, log)
		}
		if err == nil {
			err = t.follow(ctx, log, &final)
		}
		if err != nil && t.interrupted(ctx) != nil && errors.Is(err, t.interrupted(ctx)) {
			if err := t.save(log); err != nil {
				return Result{}, err
			}
			return Result{State: t.state}, ErrInterrupted
		}
		if err != nil {
			return Result{}, err
		}
	}
	return Result{State: t.state, Final: final}, nil
}

// interrupted returns an error if the run is to stop after the last step. With Peers it
// is for the same step on all processes, whichever of them is to stop.
func (t *Trainer) interrupted(ctx context.Context) error {
	switch {
	case t.sharing == nil:
		return ctx.Err()
	case t.stop:
		return context.Canceled
	}
	return nil
}

// update makes an update and notes it.
func (t *Trainer) update(ctx context.Context, log *metricsLog) error {
	m, err := t.Step(ctx)
	if err != nil {
		return err
	}
	t.state.Pending = true
	if err := log.add(m); err != nil {
		return err
	}
	t.Report.Step(m, Progress{t.Config.Steps, workAfter(t.plan.phases, m.Step)})
	return nil
}

// follow does what is due after an update: evaluation, sample, checkpoint. If ctx ends
// before all is done, the state stays pending.
func (t *Trainer) follow(ctx context.Context, log *metricsLog, final *Evaluation) (err error) {
	if t.sharing != nil { // all processes take part in an evaluation to its end
		ctx = context.WithoutCancel(ctx)
	}
	c, step := t.Config, t.state.Step
	if step == c.Steps || due(step, c.EvalInterval) {
		if *final, err = t.evaluate(ctx, log); err != nil {
			return err
		}
	}
	done := step >= c.Steps || t.enough()
	if t.Sample != nil && t.first() && (done || due(step, c.SampleInterval)) {
		if err := t.sample(ctx); err != nil {
			return err
		}
	}
	t.state.Pending = false
	if done || due(step, c.CheckpointInterval) {
		return t.save(log)
	}
	return nil
}

// due says whether something that is done every interval steps is due at step.
func due(step, interval int) bool { return interval > 0 && step%interval == 0 }

// Finished says whether all updates were made, or the run has stopped early, and nothing
// that follows the last one is pending.
func (t *Trainer) Finished() bool {
	return !t.state.Pending && (t.state.Step >= t.Config.Steps || t.enough())
}

// StoppedEarly says whether Config.Patience evaluations in a row have brought nothing
// better, before all updates were made.
func (t *Trainer) StoppedEarly() bool { return t.Finished() && t.state.Step < t.Config.Steps }

// enough says whether Config.Patience evaluations in a row have brought nothing better.
func (t *Trainer) enough() bool {
	c, s := t.Config, t.state
	return c.Patience > 0 && due(s.Step, c.EvalInterval) && s.BestStep > 0 && s.Step-s.BestStep >= c.Patience*c.EvalInterval
}

// evaluate measures the model, and saves its weights if it is the best so far.
func (t *Trainer) evaluate(ctx context.Context, log *metricsLog) (Evaluation, error) {
	e, err := t.Validate(ctx)
	if err != nil {
		return e, err
	}
	m := Metrics{Step: t.state.Step, ValLoss: e.Loss, Context: t.shortContext(), Floor: t.Floor, Metric: e.Metric, Score: e.Score, Elapsed: t.state.Elapsed.Seconds()}
	if e.Bytes > 0 {
		m.BitsPerByte = e.BitsPerByte()
	}
	if !finite(e.Loss) {
		return e, t.diverged(m.Step, fmt.Sprintf("validation loss %v", e.Loss))
	}
	best := e.betterThan(t.state)
	if best {
		t.state.BestStep, t.state.BestLoss, t.state.BestScore = t.state.Step, e.Loss, e.Score
		if t.first() {
			if err := SaveCheckpoint(filepath.Join(t.Dir, BestCheckpoint), t.Model, t.state); err != nil {
				return e, err
			}
		}
	}
	t.Report.Evaluated(m, best)
	return e, log.addEvaluation(m)
}

// shortContext returns Context if it is shorter than the model's, else 0.
func (t *Trainer) shortContext() int {
	if c := t.Context(); c < t.Model.Config.Context {
		return c
	}
	return 0
}

// sample notes a text that the model writes.
func (t *Trainer) sample(ctx context.Context) error {
	text, err := t.Sample(ctx)
	if err != nil {
		return err
	}
	t.Report.Sampled(t.state.Step, text)
	return addSample(filepath.Join(t.Dir, SamplesFile), t.state.Step, text)
}

// save has the curve drawn and writes the last checkpoint. The checkpoint comes last, and when the
// metrics before it are on the disk: a run that goes on from it has all that comes before.
func (t *Trainer) save(log *metricsLog) error {
	if !t.first() {
		return t.Save()
	}
	err := log.file.Sync()
	if log.curve != nil {
		err = errors.Join(err, log.curve.Draw())
	}
	if failed := t.Save(); failed != nil {
		return failed // most often for the same reason
	}
	return err
}
