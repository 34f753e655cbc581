package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// reference computes loss and descent direction of negative sampling by its definition,
// pair by pair, in float64.
type reference struct {
	loss     float64
	examples int
	steps    []float64 // [rows, D]
}

func sigmoid64(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func referenceOf(t Table, pieces []Examples, s Sampling, rate float64) (r reference) {
	D := t.D
	row := func(i int32) []float64 { return widen(t.Row(int(i))) }
	dot := func(x, y []float64) (sum float64) {
		for i := range x {
			sum += x[i] * y[i]
		}
		return sum
	}
	for _, e := range pieces {
		first := len(r.steps)
		r.steps = append(r.steps, make([]float64, e.rows()*D)...)
		step := func(i int) []float64 { return r.steps[first+i*D:][:D] }
		add := func(to []float64, g float64, x []float64) {
			for i := range to {
				to[i] += g * x[i]
			}
		}
		L, P, K := len(e.Inputs), len(e.Targets), len(e.Noise)
		share := float64(s.Negatives) / float64(K)
		// example has a hidden vector x, and passes what it gets on to spread.
		example := func(c int, x []float64, spread func(g float64, y []float64)) {
			r.examples++
			o := row(e.Targets[c])
			score := dot(x, o)
			r.loss -= math.Log(sigmoid64(score))
			g := rate * (1 - sigmoid64(score))
			spread(g, o)
			add(step(L+c), g, x)
			for k, id := range e.Noise {
				n := row(id)
				score := dot(x, n)
				r.loss -= share * math.Log(sigmoid64(-score))
				g := -rate * share * sigmoid64(score)
				spread(g, n)
				add(step(L+P+k), g, x)
			}
		}
		for c := range P {
			var window []int
			for i := int(e.From[c]); i < int(e.To[c]); i++ {
				if i != e.First+c {
					window = append(window, i)
				}
			}
			if !s.CBOW {
				for _, i := range window {
					example(c, row(e.Inputs[i]), func(g float64, y []float64) { add(step(i), g, y) })
				}
				continue
			}
			if len(window) == 0 {
				continue
			}
			mean := make([]float64, D)
			for _, i := range window {
				add(mean, 1/float64(len(window)), row(e.Inputs[i]))
			}
			example(c, mean, func(g float64, y []float64) {
				for _, i := range window {
					if s.Classic {
						add(step(i), g, y)
					} else {
						add(step(i), g/float64(len(window)), y)
					}
				}
			})
		}
	}
	return r
}

// drawExamples makes pieces of a text of random words; words, targets and noise repeat.
func drawExamples(r *rand.Rand, words, pieces, targets, window, noise int) (list []Examples) {
	for range pieces {
		n := 1 + r.IntN(targets)
		before, after := r.IntN(window+1), r.IntN(window+1)
		e := Examples{First: before}
		for range before + n + after {
			e.Inputs = append(e.Inputs, int32(r.IntN(words)))
		}
		for c := range n {
			at := before + c
			e.Targets = append(e.Targets, int32(words)+e.Inputs[at])
			b := r.IntN(window + 1) // 0: a line of one word
			e.From = append(e.From, int32(max(at-b, 0)))
			e.To = append(e.To, int32(min(at+b+1, len(e.Inputs))))
		}
		for range noise {
			e.Noise = append(e.Noise, int32(words+r.IntN(words)))
		}
		list = append(list, e)
	}
	return list
}

func randomTable(r *rand.Rand, rows, d int) Table {
	t := NewTable(rows, d)
	for i := range rows {
		for j := range t.Row(i) {
			t.Row(i)[j] = float32(r.NormFloat64())
		}
	}
	return t
}

func samplingObjectives() map[string]Sampling {
	return map[string]Sampling{
		"skip-gram":     {Negatives: 5},
		"CBOW":          {Negatives: 5, CBOW: true},
		"CBOW, classic": {Negatives: 5, CBOW: true, Classic: true},
	}
}

func TestNegativeSampling(t *testing.T) {
	for name, s := range samplingObjectives() {
		t.Run(name, func(t *testing.T) {
			eachInstructionSet(t, func(t *testing.T) {
				for _, d := range []int{1, 3, 8, 16, 17, 50, 100} {
					for _, noise := range []int{1, 5, 8, 24, 30} {
						r := newRand(uint64(d*100 + noise))
						table := randomTable(r, 2*20, d)
						pieces := drawExamples(r, 20, 4, 40, 7, noise)
						want := referenceOf(table, pieces, s, 0.5)
						rows := len(want.steps) / d
						steps := random(r, rows*table.Stride, 0)
						NegativeSampling(steps, table, pieces, s, 0.5)
						unharmed(t, steps)
						for i := range rows {
							near(t, fmt.Sprintf("d=%d noise=%d row %d", d, noise, i), steps[i*table.Stride:][:d], want.steps[i*d:(i+1)*d], 1e-5)
							for _, x := range steps[i*table.Stride+d : (i+1)*table.Stride] {
								if x != 0 {
									t.Fatalf("d=%d: the padding of row %d is %v, expected 0", d, i, x)
								}
							}
						}
						loss, examples := SamplingLoss(table, pieces, s)
						if math.Abs(loss-want.loss) > 1e-5*want.loss || examples != want.examples {
							t.Errorf("d=%d noise=%d: loss %v of %d examples, want %v of %d", d, noise, loss, examples, want.loss, want.examples)
						}
					}
				}
			})
		})
	}
}

// The directions are the gradient of the loss: float64 central differences of the loss
// along a random direction agree.
func TestNegativeSamplingIsGradient(t *testing.T) {
	for name, s := range samplingObjectives() {
		if s.Classic {
			continue // by its nature no gradient
		}
		t.Run(name, func(t *testing.T) {
			r := newRand(7)
			const words, d = 6, 5
			table := randomTable(r, 2*words, d)
			pieces := drawExamples(r, words, 2, 9, 4, 8)
			g := referenceOf(table, pieces, s, 1)
			gradient := make([]float64, len(table.Data))
			at := 0
			for _, e := range pieces {
				for _, list := range [][]int32{e.Inputs, e.Targets, e.Noise} {
					for _, row := range list {
						for j := range d {
							gradient[int(row)*table.Stride+j] -= g.steps[at*d+j]
						}
						at++
					}
				}
			}
			const h = 1.0 / 1024 // so that float32 tables hold x ± h about exactly
			for i := range 2 * words {
				for j := range d {
					x := &table.Row(i)[j]
					was := *x
					*x = was + h
					up, right := referenceOf(table, pieces, s, 1).loss, float64(*x)
					*x = was - h
					down, left := referenceOf(table, pieces, s, 1).loss, float64(*x)
					*x = was
					got, want := (up-down)/(right-left), gradient[i*table.Stride+j]
					if math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
						t.Errorf("row %d, number %d: differences give %v, the gradient %v", i, j, got, want)
					}
				}
			}
		})
	}
}

func TestAddRows(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		r := newRand(3)
		for _, d := range []int{1, 16, 33} {
			table := randomTable(r, 40, d)
			var s Sums
			s.First = []int32{0}
			n := int32(0)
			for _, row := range r.Perm(40)[:35] {
				s.Rows = append(s.Rows, int32(row))
				for range 1 + r.IntN(6) {
					s.Steps = append(s.Steps, n)
					n++
				}
				s.First = append(s.First, int32(len(s.Steps)))
			}
			steps := make([]float32, int(n)*table.Stride)
			for i := range steps {
				if i%table.Stride < d {
					steps[i] = float32(r.NormFloat64())
				}
			}
			const most = 2
			want, cut := widen(table.Data), 0
			for i, row := range s.Rows {
				list := s.Steps[s.First[i]:s.First[i+1]]
				sum, squares := make([]float64, d), 0.0
				for _, e := range list {
					for j := range sum {
						sum[j] += float64(steps[int(e)*table.Stride+j])
					}
				}
				for _, x := range sum {
					squares += x * x
				}
				scale := 1.0
				if length := math.Sqrt(squares); len(list) >= fewSteps && length > most {
					scale = most / length
					cut++
				}
				for j, x := range sum {
					want[int(row)*table.Stride+j] += scale * x
				}
			}
			sameBits(t, func() []float32 {
				copied := table
				copied.Data = clone(table.Data)
				if got := AddRows(copied, steps, s, most); got != cut {
					t.Errorf("d=%d: %d sums were cut, want %d", d, got, cut)
				}
				near(t, fmt.Sprintf("d=%d", d), copied.Data, want, 1e-5)
				unharmed(t, copied.Data)
				return copied.Data
			})
		}
	})
}

func TestSigmoidRows(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for rows := range 4 {
			for _, n := range lengths()[:40] {
				r := newRand(uint64(n))
				x, weights := random(r, rows*n, n%3), random(r, rows, 0)
				for i := range x {
					x[i] *= 40
				}
				want := make([]float64, len(x))
				for i, v := range x {
					want[i] = float64(weights[i/n]) * sigmoid64(float64(v))
				}
				active.sigmoidRows(x, weights, n)
				near(t, fmt.Sprintf("%d rows of %d", rows, n), x, want, 1e-6)
				unharmed(t, x, weights)
			}
		}
	})
}

// The loops over windows and pairs do what the portable ones do, whatever the number of
// columns.
func TestWindows(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, stride := range []int{16, 32, 48, 64, 80, 96, 112, 128, 144, 256, 304} {
			r := newRand(uint64(stride))
			e := drawExamples(r, 20, 1, 40, 7, 1)[0]
			P, L := len(e.Targets), len(e.Inputs)
			rows, x, y := random(r, L*stride, 0), random(r, P*stride, 0), random(r, P*stride, 0)
			shares, g := random(r, P, 0), random(r, P, 0)
			check := func(name string, got, want []float32) {
				t.Helper()
				unharmed(t, got)
				near(t, fmt.Sprintf("%s, stride %d", name, stride), got, widen(want), 1e-5)
			}

			got, want := random(r, P*stride, 0), make([]float32, P*stride)
			active.sumWindows(got, rows, e.From, e.To, e.First, shares, stride)
			sumWindowsGo(want, rows, e.From, e.To, e.First, shares, stride)
			check("sumWindows", got, want)

			got = random(r, L*stride, 0)
			want = clone(got)
			active.addWindows(x, got, e.From, e.To, e.First, shares, stride)
			addWindowsGo(x, want, e.From, e.To, e.First, shares, stride)
			check("addWindows", got, want)

			numbers := random(r, e.pairs(), 0)
			got = clone(numbers)
			want = clone(numbers)
			active.dotWindows(x, rows, e.From, e.To, e.First, got, stride)
			dotWindowsGo(x, rows, e.From, e.To, e.First, want, stride)
			near(t, fmt.Sprintf("dotWindows, stride %d", stride), got, widen(want), 1e-5)

			got, want = random(r, P*stride, 0), make([]float32, P*stride)
			active.mixWindows(got, rows, e.From, e.To, e.First, numbers, stride)
			mixWindowsGo(want, rows, e.From, e.To, e.First, numbers, stride)
			check("mixWindows", got, want)

			got = random(r, L*stride, 0)
			want = clone(got)
			active.stepWindows(x, got, e.From, e.To, e.First, numbers, stride)
			stepWindowsGo(x, want, e.From, e.To, e.First, numbers, stride)
			check("stepWindows", got, want)

			got, want = random(r, P, 0), make([]float32, P)
			active.dotPairs(got, x, y, stride)
			dotPairsGo(want, x, y, stride)
			check("dotPairs", got, want)

			dx, dy := random(r, P*stride, 0), random(r, P*stride, 0)
			wantX, wantY := clone(dx), make([]float32, P*stride)
			active.stepPairs(dx, dy, x, y, g, stride)
			stepPairsGo(wantX, wantY, x, y, g, stride)
			check("stepPairs dx", dx, wantX)
			check("stepPairs dy", dy, wantY)
		}
	})
}
