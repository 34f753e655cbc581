package perf

import (
	"context"
	"runtime"
	"time"

	G "gorgonia.org/gorgonia"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/train"
)

// Steps is a number of training steps that were measured together.
type Steps struct {
	Count int
	Took  time.Duration
	// Spent says where Took went, if Stepper.Account measured it: operations of the graph
	// by name and pass ("Linear forward"), and the other parts of a step.
	Spent map[string]time.Duration
	// Loss of the last step, in nats per token.
	Loss float64
	// Allocations and AllocatedBytes are the heap allocations per step, by every
	// goroutine of the process.
	Allocations, AllocatedBytes float64
}

// Parts of a step besides the graph's operations.
const (
	SpentZeroGrad  = "zero gradients"
	SpentBatch     = "batch"
	SpentGraph     = "graph"     // running Gorgonia's graph, without the operations
	SpentOptimiser = "optimiser" // gradient norm, clipping, AdamW
)

// Stepper makes training steps by train.Trainer on random tokens and measures them.
type Stepper struct {
	trainer *train.Trainer
	account *account
}

// NewStepper makes a new model and its first training step, which allocates everything.
func NewStepper(w Workload) (*Stepper, error) {
	m, err := model.New(w.Model, 1)
	if err != nil {
		return nil, err
	}
	c := configs.Default().Train
	c.Steps, c.BatchSize = 1<<40, w.Batch
	a := &account{names: map[pass]string{}}
	a.language = train.LanguageModel{Text: randomTokens(w), Order: data.Random, Seed: 1, Accumulation: 1}
	s := &Stepper{&train.Trainer{Config: c, Model: m, Objective: a}, a}
	_, err = s.Run(0)
	return s, err
}

// Run makes steps until at least the given time has passed, and at least one.
func (s *Stepper) Run(least time.Duration) (Steps, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	steps, start := Steps{}, time.Now()
	s.account.last = start
	for steps.Count == 0 || steps.Took < least {
		m, err := s.trainer.Step(context.Background())
		if err != nil {
			return steps, err
		}
		s.account.lap(SpentOptimiser)
		steps.Loss, steps.Took = m.Loss, time.Since(start)
		steps.Count++
	}
	runtime.ReadMemStats(&after)
	steps.Allocations = float64(after.Mallocs-before.Mallocs) / float64(steps.Count)
	steps.AllocatedBytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(steps.Count)
	return steps, nil
}

// Account does what Run does and also fills Steps.Spent. It reads the clock around each
// pass of an operation, which takes up to half a per cent of a short step.
func (s *Stepper) Account(least time.Duration) (Steps, error) {
	s.account.open()
	defer s.account.close()
	steps, err := s.Run(least)
	steps.Spent = s.account.spent
	return steps, err
}

// randomTokens returns a stream that is long enough for steps not to repeat.
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

// account is an objective, next-token prediction, that accounts for a step's time. While
// it is open it reads the clock wherever the trainer calls it or the graph reports a pass.
type account struct {
	language train.LanguageModel
	graph    *model.Graph

	spent map[string]time.Duration // nil while it is closed
	last  time.Time                // until here the time is accounted for
	names map[pass]string          // kept, so that measuring allocates nothing
}

// pass is the forward or backward pass of an operation.
type pass struct {
	operation string
	backward  bool
}

func (a *account) open() {
	a.spent, a.graph.Observe = map[string]time.Duration{}, a.observe
}

func (a *account) close() { a.spent, a.graph.Observe = nil, nil }

// lap accounts for the time since the last lap.
func (a *account) lap(as string) {
	if a.spent == nil {
		return
	}
	now := time.Now()
	a.spent[as] += now.Sub(a.last)
	a.last = now
}

// observe accounts for a pass of an operation that has just ended.
func (a *account) observe(operation string, backward bool, took time.Duration) {
	a.lap(SpentGraph)
	a.spent[SpentGraph] -= took
	p := pass{operation, backward}
	if a.names[p] == "" {
		a.names[p] = operation + map[bool]string{false: " forward", true: " backward"}[backward]
	}
	a.spent[a.names[p]] += took
}

// Build adds the loss to the graph.
func (a *account) Build(g *model.Graph) *G.Node {
	a.graph = g
	return a.language.Build(g)
}

// Fill fills the graph with random tokens.
func (a *account) Fill(g *model.Graph, step, micro int) error {
	a.lap(SpentZeroGrad)
	defer a.lap(SpentBatch)
	return a.language.Fill(g, step, micro)
}
