package explain

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"tinygpt/embedding/corpus"
	"tinygpt/embedding/spec"
	"tinygpt/model/kernel"
)

// Lesson is one skip-gram example with its noise words, on small vectors for the words of a
// sentence. It computes with the kernels that training uses.
type Lesson struct {
	words    []string     // the vocabulary
	table    kernel.Table // [2V, D]: input vectors, then output vectors
	examples kernel.Examples
	sums     kernel.Sums
	rate     float32
}

// NewLesson draws vectors of dim numbers from −1 to 1 for the words of a sentence. Its example
// is the longest word as input and the word after it (after the last: before it) as output;
// negative noise words are drawn by f^¾ of the sentence. Fewer than three different words are
// an error.
func NewLesson(sentence []string, dim, negative int, rate float64, seed uint64) (*Lesson, error) {
	words := unique(sentence)
	if len(words) < 3 {
		return nil, errors.New("the sentence has fewer than three different words: there is nothing to contrast")
	}
	index, counts := map[string]int{}, make([]int64, len(words))
	for i, w := range words {
		index[w] = i
	}
	for _, w := range sentence {
		counts[index[w]]++
	}
	l := &Lesson{words: words, table: kernel.NewTable(2*len(words), dim), rate: float32(rate)}
	r := corpus.NewRandom(seed)
	for i := range 2 * len(words) {
		for j := range l.table.Row(i) {
			l.table.Row(i)[j] = 2*r.Float() - 1
		}
	}
	at := 0
	for i, w := range sentence {
		if len(w) > len(sentence[at]) {
			at = i
		}
	}
	next := at + 1
	if next == len(sentence) {
		next = at - 1
	}
	input, target := index[sentence[at]], index[sentence[next]]
	v := int32(len(words))
	l.examples = kernel.Examples{Inputs: []int32{int32(input), int32(target)}, First: 1, Targets: []int32{v + int32(target)}, From: []int32{0}, To: []int32{2}}
	noise := corpus.NewNoise(counts, 0.75)
	for len(l.examples.Noise) < negative {
		if w := noise.Draw(r.Next()); int(w) != target { // as word2vec.c does
			l.examples.Noise = append(l.examples.Noise, v+w)
		}
	}
	l.sums = l.stepsByRow()
	return l, nil
}

// stepsByRow lists for each row of the table the steps that move it: noise words may repeat.
func (l *Lesson) stepsByRow() (s kernel.Sums) {
	rows := append(append(append([]int32(nil), l.examples.Inputs...), l.examples.Targets...), l.examples.Noise...)
	s.First = []int32{0}
	for i, row := range rows {
		if slices.Contains(rows[:i], row) {
			continue
		}
		s.Rows = append(s.Rows, row)
		for j, r := range rows {
			if r == row {
				s.Steps = append(s.Steps, int32(j))
			}
		}
		s.First = append(s.First, int32(len(s.Steps)))
	}
	return s
}

func (l *Lesson) input() int { return int(l.examples.Inputs[0]) }

// outputs returns the rows of the target and the noise words.
func (l *Lesson) outputs() (list []int) {
	for _, row := range append(append([]int32(nil), l.examples.Targets...), l.examples.Noise...) {
		list = append(list, int(row))
	}
	return list
}

// Lookup returns a table which shows that the one-hot vector of the input word times the
// matrix of input vectors is a row of the matrix. A Gorgonia graph computes the product.
func (l *Lesson) Lookup() (Table, error) {
	v, d := len(l.words), l.table.D
	w := make([]float64, 0, v*d)
	for i := range v {
		for _, x := range l.table.Row(i) {
			w = append(w, float64(x))
		}
	}
	product, err := spec.Lookup([]int{l.input()}, v, d, w)
	if err != nil {
		return Table{}, err
	}
	t := Table{
		Title: fmt.Sprintf("One-hot · W: the vector of %q", l.words[l.input()]), Header: []string{"row of W", "one-hot", "vector"},
		Note: "The product picks the row of W at the place of the 1, so a program reads that row and multiplies nothing.",
	}
	for i, word := range l.words {
		t.add(word, int(spec.OneHot([]int{l.input()}, v)[i]), vector(l.table.Row(i)))
	}
	t.Rows = append(t.Rows, []string{"one-hot · W", "", vector(product)})
	return t, nil
}

func vector[T float32 | float64](x []T) string {
	parts := make([]string, len(x))
	for i, v := range x {
		parts[i] = fmt.Sprintf("%6s", decimal(float64(v)))
	}
	return strings.Join(parts, " ")
}

// Scores returns a table with a row for the target and each noise word: the product of its
// output vector with the input vector, σ of the product, and the error, label − σ.
func (l *Lesson) Scores(title string) Table {
	t := Table{Title: title, Header: []string{"input", "output", "label", "input · output", "σ", "error = label − σ"}}
	loss, _ := kernel.SamplingLoss(l.table, []kernel.Examples{l.examples}, l.sampling())
	for i, row := range l.outputs() {
		label := 0
		if i == 0 {
			label = 1
		}
		x := dot(l.table.Row(l.input()), l.table.Row(row))
		s := 1 / (1 + math.Exp(-x))
		t.add(l.words[l.input()], l.words[row-len(l.words)], label, x, s, float64(label)-s)
	}
	t.Note = fmt.Sprintf("The loss, −log σ of the first minus log(1 − σ) of the others, is %.4f.", loss)
	return t
}

func (l *Lesson) sampling() kernel.Sampling {
	return kernel.Sampling{Negatives: len(l.examples.Noise)}
}

// Step makes a step of gradient descent and returns a table of what it did: each output vector
// moves by rate · error · input, the input vector by rate · Σ error · output.
func (l *Lesson) Step() Table {
	t := Table{
		Title: "The step", Header: []string{"vector", "before", fmt.Sprintf("update (rate %.2g)", l.rate), "after"},
		Note: "An output vector moves by rate · error · input, the input vector by rate · Σ error · output.",
	}
	before := append([]float32(nil), l.table.Data...)
	l.step()
	seen := map[int]bool{}
	for i, row := range append([]int{l.input()}, l.outputs()...) {
		if seen[row] {
			continue
		}
		seen[row] = true
		name := "input of " + l.words[row%len(l.words)]
		if i > 0 {
			name = "output of " + l.words[row%len(l.words)]
		}
		was, is := before[row*l.table.Stride:][:l.table.D], l.table.Row(row)
		update := make([]float32, len(is))
		for j := range update {
			update[j] = is[j] - was[j]
		}
		t.add(name, vector(was), vector(update), vector(is))
	}
	return t
}

// Steps makes n more steps.
func (l *Lesson) Steps(n int) {
	for range n {
		l.step()
	}
}

func (l *Lesson) step() {
	rows := len(l.examples.Inputs) + len(l.examples.Targets) + len(l.examples.Noise)
	steps := make([]float32, rows*l.table.Stride)
	kernel.NegativeSampling(steps, l.table, []kernel.Examples{l.examples}, l.sampling(), l.rate)
	kernel.AddRows(l.table, steps, l.sums, math.MaxFloat32)
}

func dot(x, y []float32) (sum float64) {
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum
}
