// Package train trains a model: objective, AdamW, learning-rate schedule,
// evaluation, checkpoints, and the record that a run leaves in its folder.
//
// Every step is a function of the configuration, the seed and the step's number,
// so a run that was stopped and resumed gives the bits of one that was not.
package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	G "gorgonia.org/gorgonia"

	"tinygpt/model"
	"tinygpt/model/op"
)

// Files of a run's folder that training writes.
const (
	LastCheckpoint = "last.safetensors" // weights, optimiser, state: to resume from
	BestCheckpoint = "best.safetensors" // weights at the best evaluation
	MetricsFile    = "metrics.jsonl"
	LossCurveFile  = "loss.svg"
	SamplesFile    = "samples.txt"
)

// ErrInterrupted is the cause when a run was stopped by its context. The last
// checkpoint holds everything up to the last update.
var ErrInterrupted = errors.New("interrupted")

// Trainer trains one model in one run folder.
type Trainer struct {
	Config    Config
	Model     *model.Model
	Objective Objective
	Dir       string
	// Validate measures the model on the held-out split.
	Validate func() (Evaluation, error)
	// Sample returns a text that the model writes at present; nil: no samples.
	Sample func() (string, error)
	// Floor is the lowest reachable validation loss, in nats per token; 0 if
	// unknown.
	Floor float64
	// LossName is what the loss curve shows; "" means the cross-entropy of tokens.
	LossName string
	Report   Report

	optimiser AdamW
	state     State
}

// Report is told what happens while a run goes on.
type Report interface {
	Step(m Metrics, total int)
	Evaluated(m Metrics, best bool)
	Sampled(step int, text string)
	// Close ends the display; the run is over.
	Close()
}

// Result is what a run reached.
type Result struct {
	State State
	Final Evaluation // of the model as it is at the end
}

// Resume continues from the folder's last checkpoint; it returns the number of
// updates made so far.
func (t *Trainer) Resume() (steps int, err error) {
	path := filepath.Join(t.Dir, LastCheckpoint)
	if _, err := os.Stat(path); err != nil {
		return 0, fmt.Errorf("%s: no %s in it: the run was stopped before its first checkpoint; start it anew", t.Dir, LastCheckpoint)
	}
	t.state, err = LoadCheckpoint(path, t.Model, &t.optimiser)
	return t.state.Step, err
}

// Run trains up to Config.Steps, or until Config.Patience is at its end. When ctx ends it finishes the step, saves, and
// returns ErrInterrupted. At a loss or gradient that isn't finite it stops with
// an error before the update, and what was saved stands.
func (t *Trainer) Run(ctx context.Context) (Result, error) {
	defer t.Report.Close()
	c := t.Config
	graphs, err := t.build()
	if err != nil {
		return Result{}, err
	}
	log, err := openMetrics(filepath.Join(t.Dir, MetricsFile), t.state.Step)
	if err != nil {
		return Result{}, err
	}
	defer log.close()

	var final Evaluation
	for !t.finished() {
		if ctx.Err() != nil {
			if err := t.save(log); err != nil {
				return Result{}, err
			}
			return Result{State: t.state}, ErrInterrupted
		}
		start := time.Now()
		m, tokens, err := t.step(graphs)
		if err != nil {
			return Result{}, err
		}
		took := time.Since(start)
		t.state.Elapsed += took
		m.TokensPerSec = float64(tokens) / took.Seconds()
		if err := log.add(m, t.state.Elapsed); err != nil {
			return Result{}, err
		}
		t.Report.Step(m, c.Steps)

		if t.state.Step == c.Steps || due(t.state.Step, c.EvalInterval) {
			if final, err = t.evaluate(log); err != nil {
				return Result{}, err
			}
		}
		done := t.finished()
		if t.Sample != nil && (done || due(t.state.Step, c.SampleInterval)) {
			if err := t.sample(); err != nil {
				return Result{}, err
			}
		}
		if done || due(t.state.Step, c.CheckpointInterval) {
			if err := t.save(log); err != nil {
				return Result{}, err
			}
		}
	}
	return Result{State: t.state, Final: final}, nil
}

// due says whether something done every interval steps is to be done now.
func due(step, interval int) bool { return interval > 0 && step%interval == 0 }

// finished says whether all updates were made, or the last evaluations brought
// nothing better for long enough.
func (t *Trainer) finished() bool {
	c, s := t.Config, t.state
	tired := c.Patience > 0 && due(s.Step, c.EvalInterval) && s.BestStep > 0 && s.Step-s.BestStep >= c.Patience*c.EvalInterval
	return s.Step >= c.Steps || tired
}

// graph computes the loss of one shape of batch.
type graph struct {
	*model.Graph
	loss *G.Node
}

// build makes the graphs of the objective. One of them runs at a time, so they share
// the memory of the largest one.
func (t *Trainer) build() (graphs []graph, err error) {
	shapes := []Shape{{t.Config.BatchSize, t.Model.Config.Context}}
	if b, ok := t.Objective.(Bucketed); ok {
		shapes = b.Shapes()
	}
	for _, s := range shapes {
		g := graph{Graph: t.Model.NewGraph(s.Batch, s.Context, true)}
		g.loss = t.Objective.Build(g.Graph)
		graphs = append(graphs, g)
	}
	arena := &op.Arena{}
	largestFirst := slices.Clone(graphs)
	slices.SortStableFunc(largestFirst, func(a, b graph) int { return cmp.Compare(len(b.Tokens), len(a.Tokens)) })
	for _, g := range largestFirst {
		g.Share(arena)
		if err := g.Compile(g.loss); err != nil {
			return nil, err
		}
	}
	return graphs, nil
}

// step makes one update; tokens is how many the model read, padding included.
func (t *Trainer) step(graphs []graph) (m Metrics, tokens int, err error) {
	c, number := t.Config, t.state.Step
	t.Model.ZeroGrad()
	var sum float64
	for micro := range c.GradientAccumulationSteps {
		g := graphs[0]
		if b, ok := t.Objective.(Bucketed); ok {
			g = graphs[b.Bucket(number, micro)]
		}
		t.Objective.Fill(g.Graph, number, micro)
		g.SetDropoutSeed(dropoutSeed(c.Seed, number, micro))
		if err := g.Run(); err != nil {
			return m, 0, err
		}
		sum += float64(g.loss.Value().Data().(float32))
		tokens += len(g.Tokens)
	}
	batches := float64(c.GradientAccumulationSteps)
	m = Metrics{
		Step: number + 1, Loss: sum / batches, LearningRate: c.LearningRateAt(number),
		GradNorm: t.Model.GradNorm() / batches,
	}
	if !finite(m.Loss) || !finite(m.GradNorm) {
		return m, tokens, t.diverged(m.Step, fmt.Sprintf("loss %v, gradient norm %v, learning rate %.3g", m.Loss, m.GradNorm, m.LearningRate))
	}
	t.optimiser.Update(t.Model.Parameters, c, m.LearningRate, ClipScale(m.GradNorm, c.GradClip)/batches)
	t.state.Step++
	return m, tokens, nil
}

// dropoutSeed gives each micro-batch masks of its own; the multipliers are odd
// constants that spread small numbers over 64 bits.
func dropoutSeed(seed uint64, step, micro int) uint64 {
	return seed*0x9e3779b97f4a7c15 ^ (uint64(step)<<20+uint64(micro))*0xd1342543de82ef95
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// diverged says at which step and tensor a number stopped being one, what
// usually causes it, and what there is to go back to.
func (t *Trainer) diverged(step int, found string) error {
	where := t.Model.NonFinite()
	if where == "" {
		where = "the loss alone"
	}
	saved := "nothing was saved yet"
	if _, err := os.Stat(filepath.Join(t.Dir, LastCheckpoint)); err == nil {
		saved = "the last checkpoint in " + t.Dir + " stands"
	}
	return fmt.Errorf("step %d: %s; first bad value: %s. Usual causes: learning_rate too high, warmup_steps too few, grad_clip 0, or damaged weights; %s",
		step, found, where, saved)
}

func (t *Trainer) evaluate(log *metricsLog) (Evaluation, error) {
	e, err := t.Validate()
	if err != nil {
		return e, err
	}
	m := Metrics{Step: t.state.Step, ValLoss: e.Loss, Floor: t.Floor, Metric: e.Metric, Score: e.Score}
	if e.Bytes > 0 {
		m.BitsPerByte = e.BitsPerByte()
	}
	if !finite(e.Loss) {
		return e, t.diverged(m.Step, fmt.Sprintf("validation loss %v", e.Loss))
	}
	best := e.betterThan(t.state)
	if best {
		t.state.BestStep, t.state.BestLoss, t.state.BestScore = t.state.Step, e.Loss, e.Score
		if err := SaveCheckpoint(filepath.Join(t.Dir, BestCheckpoint), t.Model, nil, t.state); err != nil {
			return e, err
		}
	}
	t.Report.Evaluated(m, best)
	return e, log.add(m, t.state.Elapsed)
}

func (t *Trainer) sample() error {
	text, err := t.Sample()
	if err != nil {
		return err
	}
	t.Report.Sampled(t.state.Step, text)
	f, err := os.OpenFile(filepath.Join(t.Dir, SamplesFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "--- step %d\n%s\n\n", t.state.Step, text)
	return errors.Join(err, f.Close())
}

func (t *Trainer) save(log *metricsLog) error {
	if err := SaveCheckpoint(filepath.Join(t.Dir, LastCheckpoint), t.Model, &t.optimiser, t.state); err != nil {
		return err
	}
	title := t.LossName
	if title == "" {
		title = "Cross-entropy, nats per token"
	}
	return writeLossCurve(filepath.Join(t.Dir, LossCurveFile), title, log.all)
}
