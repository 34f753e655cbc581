package word2vec

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
)

// options are small.
func options() Options {
	return Options{Dim: 20, Window: 5, Negatives: 5, NoisePower: 0.75, Sample: 1e-2, Epochs: 2, LearningRate: 0.05, MinLearningRate: 1e-4, Seed: 1}
}

// zipfText draws lines of words whose frequencies fall as 1/rank; each word is followed by
// a word near it more often than chance.
func zipfText(t *testing.T, words, tokens int) *corpus.Text {
	t.Helper()
	v := &corpus.Vocabulary{}
	sum, weights := 0.0, make([]float64, words)
	for i := range weights {
		weights[i] = 1 / float64(i+1)
		sum += weights[i]
	}
	r := corpus.NewRandom(42)
	draw := func() int32 {
		x := float64(r.Float()) * sum
		for i, w := range weights {
			if x -= w; x < 0 {
				return int32(i)
			}
		}
		return int32(words - 1)
	}
	text := &corpus.Text{Vocabulary: v}
	v.Counts = make([]int64, words)
	last := draw()
	var list []int32
	for n := range tokens {
		id := draw()
		if r.Below(2) == 0 {
			id = (last/5*5 + int32(r.Below(5))) % int32(words) // of the same group of five
		}
		last = id
		v.Counts[id]++
		v.Total++
		list = append(list, id)
		if n%20 == 19 {
			list = append(list, corpus.LineEnd)
		}
	}
	text.Tokens = corpus.Pack(list)
	for i := range words {
		v.Words = append(v.Words, fmt.Sprint("w", i))
	}
	return text
}

func models() map[string]Options {
	all := map[string]Options{}
	for name, change := range map[string]func(*Options){
		"skip-gram":     func(*Options) {},
		"CBOW":          func(o *Options) { o.CBOW = true },
		"softmax":       func(o *Options) { o.Softmax, o.LearningRate = true, 0.05 },
		"CBOW, softmax": func(o *Options) { o.CBOW, o.Softmax, o.LearningRate = true, true, 0.1 },
		"classic CBOW":  func(o *Options) { o.CBOW, o.Classic = true, true },
	} {
		o := options()
		change(&o)
		all[name] = o
	}
	return all
}

// The same bits on any number of threads.
func TestThreads(t *testing.T) {
	defer kernel.SetThreads(0)
	text := zipfText(t, 300, 15_000)
	for name, o := range models() {
		var want []float32
		for _, threads := range []int{1, 2, 3, 7} {
			kernel.SetThreads(threads)
			tr := NewTrainer(text.Vocabulary, text.Tokens, corpus.Sequence{}, o)
			for i := range tr.Steps() {
				tr.Train(i)
			}
			if want == nil {
				want = tr.Model.Table.Data
			} else if !slices.Equal(want, tr.Model.Table.Data) {
				t.Errorf("%s: %d threads and one make different vectors", name, threads)
			}
		}
	}
}

// Training lowers the objective on text that wasn't trained on, and starts where a model
// that knows nothing is.
func TestLearns(t *testing.T) {
	text := zipfText(t, 300, 60_000)
	training, heldOut := text.Split(0.1)
	for name, o := range models() {
		tr := NewTrainer(text.Vocabulary, training, heldOut, o)
		_, before := tr.Evaluate()
		want := 6 * math.Ln2
		if o.Softmax {
			want = math.Log(300)
		}
		if math.Abs(before-want) > 0.01 {
			t.Errorf("%s: the objective begins with %.3f, want %.3f", name, before, want)
		}
		for i := range tr.Steps() {
			tr.Train(i)
		}
		if _, after := tr.Evaluate(); after > before-0.5 {
			t.Errorf("%s: the objective fell from %.3f to %.3f only", name, before, after)
		}
		if word, what := tr.FirstBad(); word >= 0 {
			t.Errorf("%s: the %s of word %d isn't finite", name, what, word)
		}
	}
}

// No window crosses the end of a line, none holds its own target, and every target is
// planned once.
func TestPlan(t *testing.T) {
	text := zipfText(t, 50, 5_000)
	o := options()
	o.Sample = 0
	tr := NewTrainer(text.Vocabulary, text.Tokens, corpus.Sequence{}, o)
	at := 0
	tr.read(text.Tokens.All(), 1, 0, func(b *block) error {
		for _, p := range b.pieces {
			for c, target := range p.Targets {
				if got := p.Inputs[p.First+c]; got+50 != target || target-50 != tr.chunk.ids[at] {
					t.Fatalf("target %d: row %d, its place holds %d", at, target, got)
				}
				first := at - c - p.First // of Inputs, in the chunk
				for i := int(p.From[c]); i < int(p.To[c]); i++ {
					if tr.chunk.lines[first+i] != tr.chunk.lines[at] {
						t.Fatalf("the window of target %d reaches another line", at)
					}
				}
				if n := p.To[c] - p.From[c]; n < 1 || int(n) > 2*o.Window+1 {
					t.Fatalf("the window of target %d has %d places", at, n)
				}
				at++
			}
		}
		seen := make([]bool, b.steps)
		for i, row := range b.sums.Rows {
			for _, s := range b.sums.Steps[b.sums.First[i]:b.sums.First[i+1]] {
				if seen[s] || rowOf(b, int(s)) != row {
					t.Fatalf("step %d is added to row %d", s, row)
				}
				seen[s] = true
			}
		}
		if slices.Contains(seen, false) {
			t.Fatal("a step is added to no row")
		}
		return nil
	})
	if at != len(tr.chunk.ids) {
		t.Errorf("%d of %d targets are planned", at, len(tr.chunk.ids))
	}
}

// rowOf is the row of a step by the order that kernel.NegativeSampling names.
func rowOf(b *block, step int) int32 {
	for _, p := range b.pieces {
		for _, list := range [][]int32{p.Inputs, p.Targets, p.Noise} {
			if step < len(list) {
				return list[step]
			}
			step -= len(list)
		}
	}
	return -1
}
