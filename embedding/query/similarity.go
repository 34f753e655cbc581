package query

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"tinygpt/finetune/metric"
)

// Pair is two words and how similar people find them.
type Pair struct {
	A, B  string
	Grade float64
}

// ParsePairs reads a similarity set in the format of WordSim-353 and SimLex-999: in each line
// two words and a grade, separated by tabs, commas, semicolons or blanks. The first line may
// name the columns; columns after the third and lines that begin with # are ignored. Errors
// begin with name and the line.
func ParsePairs(r io.Reader, name string) ([]Pair, error) {
	return parseLines(r, name, "pairs of words", func(pairs []Pair, n int, line string) ([]Pair, error) {
		if line[0] == '#' {
			return pairs, nil
		}
		var fields []string
		switch {
		case strings.Contains(line, "\t"):
			fields = strings.Split(line, "\t")
		case strings.Contains(line, ","):
			fields = strings.Split(line, ",")
		case strings.Contains(line, ";"):
			fields = strings.Split(line, ";")
		default:
			fields = strings.Fields(line)
		}
		var grade float64
		var err error
		if len(fields) >= 3 {
			grade, err = strconv.ParseFloat(strings.TrimSpace(fields[2]), 64)
		}
		if len(fields) < 3 || err != nil || math.IsNaN(grade) || math.IsInf(grade, 0) {
			if n == 1 {
				return pairs, nil // names of the columns
			}
			return nil, fmt.Errorf("%s, line %d: found %q: expected two words and a grade, separated by tabs, commas, semicolons or blanks", name, n, line)
		}
		return append(pairs, Pair{strings.TrimSpace(fields[0]), strings.TrimSpace(fields[1]), grade}), nil
	})
}

// PairScore is how well cosines agree with people's grades.
type PairScore struct {
	// Pairs is the number of those whose words are both in the vocabulary, Unknown that of the
	// others.
	Pairs   int `json:"pairs"`
	Unknown int `json:"unknown"`
	// Spearman is the rank correlation of cosines and grades, 0 for fewer than two pairs. Low
	// to High is its 95 % confidence interval: −1 to 1 for fewer than four pairs, or if the
	// correlation is ±1.
	Spearman float64 `json:"spearman"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// Correlate compares the cosines of the pairs with their grades.
func (s *Space) Correlate(pairs []Pair, fold Fold) PairScore {
	find := s.rows(fold)
	var cosines, grades []float64
	for _, p := range pairs {
		i, ok := find(p.A)
		j, also := find(p.B)
		if ok && also {
			cosines, grades = append(cosines, s.cosine(i, j)), append(grades, p.Grade)
		}
	}
	score := PairScore{Pairs: len(grades), Unknown: len(pairs) - len(grades), Low: -1, High: 1}
	if score.Pairs < 2 {
		return score
	}
	score.Spearman = metric.Spearman(cosines, grades)
	if n := float64(score.Pairs); n > 3 && math.Abs(score.Spearman) < 1 {
		// Fisher's transformation with the variance of Bonett and Wright 2000, Sample
		// Size Requirements for Estimating Pearson, Kendall and Spearman Correlations.
		z, half := math.Atanh(score.Spearman), 1.96*math.Sqrt((1+score.Spearman*score.Spearman/2)/(n-3))
		score.Low, score.High = math.Tanh(z-half), math.Tanh(z+half)
	}
	return score
}
