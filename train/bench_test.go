package train_test

import (
	"testing"
	"time"

	"tinygpt/configs"
	"tinygpt/model/modeltest"
	"tinygpt/train"
)

// BenchmarkStep makes whole training steps of the model of small.yaml, with each optimiser.
// It reports tokens per second, and the share of the time, in per cent, of each operation, of
// the optimiser with clipping, and of the overhead: the graph and the bookkeeping around the
// kernels.
func BenchmarkStep(b *testing.B) {
	for _, name := range []string{train.AdamWName, train.MuonName} {
		b.Run(name, func(b *testing.B) { benchmarkStep(b, name) })
	}
}

func benchmarkStep(b *testing.B, name string) {
	c, _, err := configs.Load("small.yaml")
	if err != nil {
		b.Fatal(err)
	}
	c.Model.VocabSize = c.Tokenizer.VocabSize
	m := modeltest.New(b, c.Model, 1)
	graph := m.NewGraph(c.Train.BatchSize, c.Model.Context, true)
	targets, ids := graph.Indices("targets", c.Train.BatchSize*c.Model.Context)
	loss := graph.CrossEntropy(graph.Logits(), targets)
	if err := graph.Compile(loss); err != nil {
		b.Fatal(err)
	}
	for i := range ids {
		graph.Tokens[i], ids[i] = int32(i*7919%c.Model.VocabSize), int32((i+1)*7919%c.Model.VocabSize)
	}
	spent := map[string]time.Duration{}
	graph.Observe = func(operation string, _ bool, took time.Duration) { spent[operation] += took }
	c.Train.Optimiser = name
	optimiser, groups := train.NewOptimiser(c.Train), c.Train.Groups(m.Parameters, nil)
	step := func() {
		start := time.Now()
		m.ZeroGrad()
		spent["zero"] += time.Since(start)
		if err := graph.Run(); err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		optimiser.Update(groups, train.Update{LearningRate: 1e-4, GradScale: train.ClipScale(m.GradNorm(), 1)})
		spent["optimiser"] += time.Since(start)
	}
	step()
	clear(spent)
	b.ResetTimer()
	start := time.Now()
	for b.Loop() {
		step()
	}
	total := time.Since(start)
	kernels := time.Duration(0)
	for _, d := range spent {
		kernels += d
	}
	for name, d := range spent {
		b.ReportMetric(100*d.Seconds()/total.Seconds(), "%"+name)
	}
	b.ReportMetric(float64(len(ids)*b.N)/total.Seconds(), "tokens/s")
	b.ReportMetric(100*(total-kernels).Seconds()/total.Seconds(), "%overhead")
}
