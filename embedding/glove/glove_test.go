package glove

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tinygpt/embedding/corpus"
	"tinygpt/internal/expect"
	"tinygpt/model/kernel"
)

// randomText draws lines of words, rare ones too.
func randomText(words, tokens int) (*corpus.Vocabulary, []int32) {
	r := corpus.NewRandom(5)
	v := &corpus.Vocabulary{Counts: make([]int64, words)}
	var list []int32
	for n := range tokens {
		id := int32(r.Below(1 + r.Below(words)))
		v.Counts[id]++
		v.Total++
		list = append(list, id)
		if n%17 == 16 {
			list = append(list, corpus.LineEnd)
		}
	}
	for i := range words {
		v.Words = append(v.Words, fmt.Sprint(i))
	}
	return v, list
}

// Counts are those of GloVe's definition (section 3 of the paper and its program): for each
// word and each of the up to window words before it in its line, 1/distance, for both
// orders.
func TestCount(t *testing.T) {
	defer kernel.SetThreads(0)
	const words, window = 40, 5
	_, tokens := randomText(words, 3000)
	want := make([]float64, words*words)
	line := 0
	for at, x := range tokens {
		if x == corpus.LineEnd {
			line = at + 1
			continue
		}
		for left := at - 1; left >= max(line, at-window); left-- {
			y := tokens[left]
			want[x*words+y] += 1 / float64(at-left)
			want[y*words+x] += 1 / float64(at-left)
		}
	}
	for _, threads := range []int{1, 3} {
		kernel.SetThreads(threads)
		got := make([]float64, words*words)
		next := 0
		Count(tokens, words, window, func(word int, columns []int32, counts []float64) {
			if word != next || !slices.IsSorted(columns) {
				t.Fatalf("row %d with columns %v, want row %d", word, columns, next)
			}
			next++
			for i, c := range columns {
				got[word*words+int(c)] = counts[i]
			}
		})
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12*want[i] {
				t.Fatalf("words %d and %d: %v, want %v", i/words, i%words, got[i], want[i])
			}
		}
	}
}

// The authors' program counts the same in the same text: see testdata/README.md.
func TestCountReference(t *testing.T) {
	read := func(name string) string {
		text := expect.File(t, "testdata", name)
		return string(text)
	}
	split, _ := corpus.NewSplitter("spaces")
	b := corpus.NewBuilder(split)
	if err := b.AddText(read("text.txt")); err != nil {
		t.Fatal(err)
	}
	text, err := b.Text(2, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for line := range strings.Lines(read("cooccurrences.tsv")) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if want[cells[0]+" "+cells[1]], err = strconv.ParseFloat(cells[2], 64); err != nil {
			t.Fatal(err)
		}
	}
	words := text.Vocabulary.Words
	Count(text.Tokens.All(), len(words), 4, func(word int, columns []int32, counts []float64) {
		for i, c := range columns {
			pair := words[word] + " " + words[c]
			if x, ok := want[pair]; !ok || math.Abs(counts[i]-x) > 1e-6*x {
				t.Errorf("%s: %v, want %v", pair, counts[i], x)
			}
			delete(want, pair)
		}
	})
	if len(want) > 0 {
		t.Errorf("not counted: %v", want)
	}
}

func options() Options {
	return Options{Dim: 20, Window: 8, XMax: 10, Alpha: 0.75, Epochs: 10, LearningRate: 0.05, HeldOut: 0.05, Memory: 1 << 30, Seed: 1}
}

// train returns the trainer after all steps.
func train(t *testing.T, o Options) *Trainer {
	t.Helper()
	v, tokens := randomText(200, 30_000)
	tr, err := NewTrainer(v, tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	for i := range tr.Steps() {
		if err := tr.Train(i); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// The same bits on any number of threads, and with co-occurrences in memory or in a file.
func TestSameBits(t *testing.T) {
	defer kernel.SetThreads(0)
	want := train(t, options()).Table.Data
	for _, threads := range []int{1, 2, 3, 7} {
		for _, memory := range []int{1 << 30, 20_000} {
			kernel.SetThreads(threads)
			o := options()
			o.Memory = memory
			tr := train(t, o)
			if tr.InMemory() != (memory == 1<<30) {
				t.Errorf("with %d bytes, in memory: %v", memory, tr.InMemory())
			}
			if !slices.Equal(tr.Table.Data, want) {
				t.Errorf("%d threads, %d bytes of memory: other vectors", threads, memory)
			}
		}
	}
}

// Training lowers the objective on cells that it hasn't seen, and touches every cell once
// an epoch.
func TestLearns(t *testing.T) {
	o := options()
	o.Epochs = 0
	_, before := train(t, o).Evaluate()
	o.Epochs = 10
	tr := train(t, o)
	if _, after := tr.Evaluate(); after > 0.5*before {
		t.Errorf("the objective fell from %.4f to %.4f only", before, after)
	}
	trained, heldOut := tr.Cells()
	if tr.Done(tr.Steps()) != 10*trained || heldOut < trained/40 || heldOut > trained/10 {
		t.Errorf("%d cells in 10 epochs of %d; %d are held out", tr.Done(tr.Steps()), trained, heldOut)
	}
	if word, what := tr.FirstBad(); word >= 0 {
		t.Errorf("the %s of word %d isn't finite", what, word)
	}
	tr.Table.Row(203)[1] = float32(math.NaN())
	if word, what := tr.FirstBad(); word != 3 || what != "context vector" {
		t.Errorf("the first bad vector is the %s of word %d", what, word)
	}
}

// The products with biases tend to log X: that is what the objective asks for.
func TestProductsAreLogs(t *testing.T) {
	v, tokens := randomText(30, 60_000)
	o := options()
	o.Dim, o.Epochs, o.HeldOut = 30, 2000, 0
	tr, err := NewTrainer(v, tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tr.Steps() {
		tr.Train(i)
	}
	worst := 0.0
	Count(tokens, 30, o.Window, func(word int, columns []int32, counts []float64) {
		for i, c := range columns {
			sum := 0.0
			w, x := tr.Table.Row(word), tr.Table.Row(30+int(c))
			for j := range w {
				sum += float64(w[j]) * float64(x[j])
			}
			worst = max(worst, math.Abs(sum-math.Log(counts[i])))
		}
	})
	if worst > 0.1 {
		t.Errorf("a product differs from log X by %.3f", worst)
	}
}
