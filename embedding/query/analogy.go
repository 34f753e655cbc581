package query

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tinygpt/internal/suggest"
)

// Method is how the answer to "a is to b as c is to ?" is found (Levy and Goldberg 2014,
// Linguistic Regularities in Sparse and Explicit Word Representations, sections 3 and
// 6). The words of the question are never the answer.
type Method string

// The methods, for unit vectors.
const (
	// Add is 3CosAdd: the largest cosine with b − a + c (Mikolov et al. 2013).
	Add Method = "3cosadd"
	// Mul is 3CosMul: the largest cos'(x, b)·cos'(x, c)/(cos'(x, a) + ε), where
	// cos' = (cos + 1)/2 and ε = 0.001.
	Mul Method = "3cosmul"
	// Direction is PairDirection: the largest cosine of x − c with b − a.
	Direction Method = "direction"
)

// Methods lists all methods.
var Methods = []Method{Add, Mul, Direction}

// epsilon of 3CosMul keeps the quotient finite.
const epsilon = 0.001

// ParseMethod returns the method of that name, in any case. An unknown name is an error.
func ParseMethod(name string) (Method, error) {
	if m := Method(strings.ToLower(name)); slices.Contains(Methods, m) {
		return m, nil
	}
	return "", fmt.Errorf("no method %q: %s", name, suggest.Expected(Method(name), Methods...))
}

// terms is what a question's score needs besides the cosines of a word with a, b and c.
type terms struct {
	sum       float32 // 1/|b − a + c|, for Add
	offset    float32 // c·(b − a), for Direction
	direction float64 // 1/|b − a|, for Direction
}

// termsOf computes the terms from the cosines of the question's words with each other.
func termsOf(ab, ac, bc float64) terms {
	inverse := func(square float64) float64 {
		if square < 1e-12 {
			return 0
		}
		return 1 / math.Sqrt(square)
	}
	return terms{
		sum:       float32(inverse(3 - 2*ab - 2*ac + 2*bc)),
		offset:    float32(bc - ac),
		direction: inverse(2 - 2*ab),
	}
}

// score returns how well a word answers a question, where a, b and c are its cosines with the
// question's words.
func (m Method) score(a, b, c float32, t terms) float32 {
	switch m {
	case Add:
		return (b - a + c) * t.sum
	case Mul:
		return (b + 1) / 2 * (c + 1) / 2 / ((a+1)/2 + epsilon)
	default:
		square := float64(2 - 2*c) // |x − c|²
		if square < 1e-6 {
			return -1 // c itself, or its copy
		}
		return float32(float64(b-a-t.offset) * t.direction / math.Sqrt(square))
	}
}

// Analogy answers "a is to b as c is to ?" with the n best words. A word without a vector is
// an error.
func (s *Space) Analogy(m Method, a, b, c string, n int) ([]Answer, error) {
	var rows [3]int
	targets := make([]float32, 0, 3*s.Dim)
	for i, w := range []string{a, b, c} {
		row, err := s.Find(w)
		if err != nil {
			return nil, err
		}
		rows[i] = row
		targets = append(targets, s.Unit(row)...)
	}
	products := s.products(targets)
	v := len(s.Words)
	pa, pb, pc := products[:v], products[v:2*v], products[2*v:]
	t := termsOf(s.cosine(rows[0], rows[1]), s.cosine(rows[0], rows[2]), s.cosine(rows[1], rows[2]))
	for i := range pa {
		pa[i] = m.score(pa[i], pb[i], pc[i], t)
	}
	return s.best(pa, n, rows[:]...), nil
}
