package perf

import (
	"context"
	"os"
	"runtime"
	"time"

	G "gorgonia.org/gorgonia"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/train"
)

// Steps is a number of training steps, measured.
type Steps struct {
	Count int
	Took  time.Duration
	// Spent is where Took went, of Stepper.Account's steps: operations of the graph by name
	// and pass ("Linear forward"), and what else a step consists of.
	Spent map[string]time.Duration
	// Loss of the last step, in nats per token.
	Loss float64
	// Allocations and AllocatedBytes are those of a step on the heap, by all that
	// runs.
	Allocations, AllocatedBytes float64
}

// What a step spends beside the graph's operations.
const (
	SpentZeroGrad  = "zero gradients"
	SpentBatch     = "batch"
	SpentGraph     = "graph"     // running Gorgonia's graph, without the operations
	SpentOptimiser = "optimiser" // gradient norm, clipping, AdamW, one line of metrics
)

// Stepper makes training steps by train.Trainer, as many at a time as wanted, on
// random tokens.
type Stepper struct {
	more   chan wanted
	slices chan Steps
	ended  chan error
	watch  *watch
}

// wanted is a slice of steps: of at least that time, with an account of it or not.
type wanted struct {
	least   time.Duration
	account bool
}

// NewStepper starts the training of a new model and makes the first step, which
// allocates everything.
func NewStepper(w Workload) (*Stepper, error) {
	m, err := model.New(w.Model, 1)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "perf")
	if err != nil {
		return nil, err
	}
	c := configs.Default().Train
	c.Steps, c.BatchSize = 1<<40, w.Batch
	c.EvalInterval, c.SampleInterval, c.CheckpointInterval = 0, 0, 0
	s := &Stepper{more: make(chan wanted), slices: make(chan Steps), ended: make(chan error, 1)}
	s.watch = &watch{stepper: s, names: map[pass]string{}, language: train.LanguageModel{
		Batches: data.NewSampler(randomTokens(w), data.Random, 1, w.Batch, 1, w.Model.Context)}}
	t := &train.Trainer{Config: c, Model: m, Objective: s.watch, Dir: dir, Report: s.watch}
	go func() {
		var err error
		defer func() {
			os.RemoveAll(dir)
			s.ended <- err
		}()
		_, err = t.Run(context.Background())
	}()
	return s, s.first()
}

// first waits for the first step.
func (s *Stepper) first() error {
	select {
	case <-s.slices:
		return nil
	case err := <-s.ended:
		return err
	}
}

// Run makes steps until least has passed.
func (s *Stepper) Run(least time.Duration) (Steps, error) { return s.slice(wanted{least, false}) }

// Account is Run with an account of where the time went. It looks at the clock around each
// pass of an operation, which takes up to half a per cent of a short step.
func (s *Stepper) Account(least time.Duration) (Steps, error) { return s.slice(wanted{least, true}) }

func (s *Stepper) slice(w wanted) (Steps, error) {
	s.more <- w
	select {
	case steps := <-s.slices:
		return steps, nil
	case err := <-s.ended:
		return Steps{}, err
	}
}

// Close ends the training and removes what it wrote.
func (s *Stepper) Close() {
	close(s.more)
	<-s.ended
}

// randomTokens is a stream long enough that steps don't repeat.
func randomTokens(w Workload) *data.Stream {
	s := &data.Stream{Tokens: make([]int32, 1<<20+w.Model.Context), Starts: []int{0}}
	state := uint32(1)
	for i := range s.Tokens {
		state = state*1664525 + 1013904223
		s.Tokens[i] = int32(uint64(state) * uint64(w.Model.VocabSize) >> 32)
	}
	s.Bytes = len(s.Tokens)
	return s
}

// watch is the trainer's objective and report: it holds the trainer between slices, and
// for an account looks at the clock at every place where the trainer passes by.
type watch struct {
	stepper  *Stepper
	language train.LanguageModel
	graph    *model.Graph

	wanted
	slice   Steps
	started time.Time
	last    time.Time // up to here the time is accounted for
	before  runtime.MemStats
	names   map[pass]string // made once, so that measuring allocates nothing
}

type pass struct {
	operation string
	backward  bool
}

// lap accounts for the time since the last lap.
func (w *watch) lap(as string) {
	if !w.account {
		return
	}
	now := time.Now()
	w.slice.Spent[as] += now.Sub(w.last)
	w.last = now
}

func (w *watch) Build(g *model.Graph) *G.Node {
	w.graph = g
	w.begin(wanted{})
	return w.language.Build(g)
}

// observe accounts for a pass of an operation that has just ended.
func (w *watch) observe(operation string, backward bool, took time.Duration) {
	w.lap(SpentGraph)
	w.slice.Spent[SpentGraph] -= took
	p := pass{operation, backward}
	if w.names[p] == "" {
		w.names[p] = operation + map[bool]string{false: " forward", true: " backward"}[backward]
	}
	w.slice.Spent[w.names[p]] += took
}

func (w *watch) Fill(g *model.Graph, step, micro int) {
	w.lap(SpentZeroGrad)
	w.language.Fill(g, step, micro)
	w.lap(SpentBatch)
}

func (w *watch) Step(m train.Metrics, _ int) {
	w.lap(SpentOptimiser)
	w.slice.Count++
	w.slice.Took = time.Since(w.started)
	if w.slice.Took < w.least {
		return
	}
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	w.slice.Loss = m.Loss
	w.slice.Allocations = float64(after.Mallocs-w.before.Mallocs) / float64(w.slice.Count)
	w.slice.AllocatedBytes = float64(after.TotalAlloc-w.before.TotalAlloc) / float64(w.slice.Count)
	w.stepper.slices <- w.slice
	next, more := <-w.stepper.more
	if !more {
		runtime.Goexit() // through Trainer.Run's deferred calls; nothing is saved
	}
	w.begin(next)
}

// begin starts a slice.
func (w *watch) begin(next wanted) {
	w.wanted, w.slice, w.graph.Observe = next, Steps{}, nil
	if w.account {
		w.slice.Spent, w.graph.Observe = map[string]time.Duration{}, w.observe
	}
	runtime.ReadMemStats(&w.before)
	w.started = time.Now()
	w.last = w.started
}

func (w *watch) Evaluated(train.Metrics, bool) {}
func (w *watch) Sampled(int, string)           {}
func (w *watch) Close()                        {}
