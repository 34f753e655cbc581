package linear

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/capacity"
	"tinygpt/internal/fixture"
)

// The gradient of each kind of problem is what finite differences say.
func TestGradient(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var rows []Row
	for range 6 {
		rows = append(rows, Row{{0, random.Float64()}, {1 + random.IntN(3), random.Float64()}})
	}
	for name, p := range map[string]*Problem{
		"classes": {Rows: rows, Outputs: 3, Targets: []Target{{Class: 0}, {Class: 2}, {Class: 1}, {Class: 1}, {Class: 0}, {Class: 2}}},
		"grades":  {Rows: rows, Outputs: 1, Grades: true, Targets: []Target{{Grade: 1}, {Grade: -2}, {Grade: 0.5}, {}, {Grade: 1}, {Grade: 3}}},
		"choices": {Rows: rows, Outputs: 1, Targets: []Target{{Class: 2, Group: 4}, {}, {}, {}, {Class: 0, Group: 2}, {}}},
	} {
		weights := make([]float64, 5*p.Outputs)
		for i := range weights {
			weights[i] = random.NormFloat64()
		}
		gradient, other := make([]float64, len(weights)), make([]float64, len(weights))
		l := p.newLoss(4)
		l.at(weights, gradient, 0.7)
		for i := range weights {
			want := fixture.Slope(&weights[i], 1e-6, func() float64 { return l.at(weights, other, 0.7) })
			if math.Abs(gradient[i]-want) > 1e-7 {
				t.Errorf("%s: gradient %d is %v, by differences %v", name, i, gradient[i], want)
			}
		}
	}
}

// The number of threads changes no bit.
func TestThreads(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	p := &Problem{Outputs: 2}
	for range 3000 {
		p.Rows = append(p.Rows, Row{{random.IntN(300), random.Float64()}, {300 + random.IntN(400), random.Float64()}})
		p.Targets = append(p.Targets, Target{Class: random.IntN(2)})
	}
	weights := make([]float64, 701*2)
	for i := range weights {
		weights[i] = random.NormFloat64()
	}
	var losses [2]float64
	var gradients [2][]float64
	for i, threads := range []int{1, 5} {
		before := runtime.GOMAXPROCS(threads)
		gradients[i] = make([]float64, len(weights))
		losses[i] = p.newLoss(700).at(weights, gradients[i], 1)
		runtime.GOMAXPROCS(before)
	}
	if losses[0] != losses[1] || !slices.Equal(gradients[0], gradients[1]) {
		t.Errorf("losses %v", losses)
	}
}

// Of equal scores the strongest regularisation is kept, and the bias isn't regularised.
func TestFit(t *testing.T) {
	p := &Problem{Rows: []Row{{}, {}, {}, {{0, 1}}}, Outputs: 2, Targets: []Target{{Class: 1}, {Class: 1}, {Class: 0}, {Class: 1}}}
	m, err := p.Fit(t.Context(), noFeatures{}, func(*Model) (float64, error) { return 1, nil })
	if err != nil || m.C != strengths[0] {
		t.Fatalf("%v, %v", m, err)
	}
	if share := m.Weights[3] - m.Weights[2]; math.Abs(float64(share)-math.Log(3)) > 0.1 {
		t.Errorf("the bias of a class three times as frequent is larger by %v, expected about %v", share, math.Log(3))
	}
}

// More features than there is memory for are refused beforehand.
func TestMemory(t *testing.T) {
	defer capacity.Pretend(1 << 10)()
	_, err := (&Problem{Outputs: 3}).Fit(t.Context(), noFeatures{}, nil)
	if err == nil || !strings.Contains(err.Error(), "fitting a linear model of 1 features with 3 scores needs about ") {
		t.Error(err)
	}
}

type noFeatures struct{ Features }

func (noFeatures) Size() int { return 1 }
