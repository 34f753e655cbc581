package align

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"tinygpt/align/loss"
	"tinygpt/model"
)

// RewardMeasures says how good a reward model is.
type RewardMeasures struct {
	// Accuracy is the share of validation pairs whose better answer has the higher
	// score, Pairs the number of pairs.
	Accuracy float64 `json:"accuracy"`
	Pairs    int     `json:"pairs"`
	// LengthOnly and WordsOnly are the accuracies of two baselines: of preferring the longer
	// answer (or the shorter, if that is more often right in training), and of a linear model
	// over the answer's tokens.
	LengthOnly float64 `json:"length_only"`
	WordsOnly  float64 `json:"words_only"`
	// Calibration is the expected calibration error: the mean distance between the probability
	// that the model gives to its preference and the share of pairs where it is right, over
	// ten bins with the same number of pairs.
	Calibration float64 `json:"calibration_error"`
	// LengthCorrelation is the correlation of score and number of tokens among the answers to
	// one prompt, averaged over prompts.
	LengthCorrelation float64 `json:"length_correlation"`
	// Deviation is the standard deviation of the validation answers' scores around the mean of
	// their prompt: differences between prompts were never compared.
	Deviation float64 `json:"deviation"`
	// Demonstrations is the mean score of demonstrations before the bias made it 0.
	Demonstrations float64 `json:"demonstrations"`
	// Others has measures of the built-in world: the accuracy for labelers that were held out
	// and for the order of the gold score, and the highest accuracy that the labelers' noise
	// allows.
	Others map[string]float64 `json:"others,omitempty"`
}

// accuracy has the measures of a scorer on ranked answers.
type accuracy struct {
	loss, accuracy, calibration, correlation, deviation float64
}

// scoresOf returns the scores of all answers, group by group.
func scoresOf(ctx context.Context, s *scorer, groups []Group) (scores [][]float64, err error) {
	var all []Sequence
	for _, g := range groups {
		all = append(all, g.Sequences...)
	}
	flat, err := s.scores(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		scores = append(scores, flat[:len(g.Sequences)])
		flat = flat[len(g.Sequences):]
	}
	return scores, nil
}

// accuracyOf measures a scorer on groups. It also returns the scores, group by group.
func accuracyOf(ctx context.Context, s *scorer, groups []Group) (a accuracy, scores [][]float64, err error) {
	if scores, err = scoresOf(ctx, s, groups); err != nil {
		return a, nil, err
	}
	var margins []float64
	varied, answers := 0.0, 0.0
	for i, g := range groups {
		l, d := loss.Pairs(scores[i], g.Pairs, 1, nil)
		a.loss += l / float64(len(groups))
		margins = append(margins, d...)
		n := float64(len(scores[i]))
		answers += n
		a.deviation += n * variance(scores[i])
		var sizes []float64
		for _, q := range g.Sequences {
			sizes = append(sizes, float64(q.Answer()))
		}
		if variance(sizes) > 0 {
			a.correlation += correlation(scores[i], sizes)
			varied++
		}
	}
	a.accuracy, a.calibration = right(margins), calibration(margins)
	a.correlation /= max(varied, 1)
	a.deviation = math.Sqrt(a.deviation / max(answers, 1))
	return a, scores, nil
}

// right returns the share of margins above 0.
func right(margins []float64) float64 {
	n := 0
	for _, d := range margins {
		if d > 0 {
			n++
		}
	}
	return float64(n) / float64(max(len(margins), 1))
}

// calibration compares σ(|margin|), the probability that the model gives to the answer
// it prefers, with how often that one is the better.
func calibration(margins []float64) (e float64) {
	sorted := slices.Clone(margins)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	const bins = 10
	n := len(sorted)
	for b := range bins {
		part := sorted[b*n/bins : (b+1)*n/bins]
		expected := 0.0
		for _, d := range part {
			expected += loss.Sigmoid(math.Abs(d))
		}
		e += math.Abs(expected-right(part)*float64(len(part))) / float64(max(n, 1))
	}
	return e
}

// MeasureReward measures a reward model on the comparisons valid, with baselines that learn
// from the training comparisons groups. Then it sets the bias of the model's head so that the
// mean score of the demonstrations is 0 (Ouyang et al. 2022, section 3.5). scores has the
// validation answers' scores before that, group by group.
func MeasureReward(m *model.Model, groups, valid []Group, demonstrations []Sequence) (r RewardMeasures, scores [][]float64, err error) {
	// Training determines only differences of scores. With the bias reset, a measurement that
	// was interrupted can be repeated.
	m.Parameter(model.ScoreHead + ".bias").Value.Float32s()[0] = 0
	s := newScorer(m, true)
	a, scores, err := accuracyOf(context.Background(), s, valid)
	if err != nil {
		return r, nil, err
	}
	r = RewardMeasures{
		Accuracy: a.accuracy, Pairs: pairsIn(valid), Calibration: a.calibration, LengthCorrelation: a.correlation, Deviation: a.deviation,
		LengthOnly: lengthOnly(groups, valid), WordsOnly: wordsOnly(groups, valid, m.Config.VocabSize),
	}
	if len(demonstrations) > 0 {
		zero, err := s.scores(context.Background(), demonstrations)
		if err != nil {
			return r, nil, err
		}
		r.Demonstrations = mean(zero)
		m.Parameter(model.ScoreHead + ".bias").Value.Float32s()[0] -= float32(r.Demonstrations)
	}
	return r, scores, nil
}

// Accuracy returns the share of the groups' pairs whose better answer has the higher score.
func Accuracy(groups []Group, scores [][]float64) float64 {
	var margins []float64
	for i, g := range groups {
		for _, p := range g.Pairs {
			margins = append(margins, scores[i][p[0]]-scores[i][p[1]])
		}
	}
	return right(margins)
}

// marginsBy returns for each pair number(better) − number(worse).
func marginsBy(groups []Group, number func(Sequence) float64) (margins []float64) {
	for _, g := range groups {
		for _, p := range g.Pairs {
			margins = append(margins, number(g.Sequences[p[0]])-number(g.Sequences[p[1]]))
		}
	}
	return margins
}

// lengthOnly returns the accuracy of preferring longer answers, or shorter ones if that is
// right more often in the training groups. A pair of equal lengths counts as half right.
func lengthOnly(groups, valid []Group) float64 {
	size := func(s Sequence) float64 { return float64(s.Answer()) }
	share := func(margins []float64) float64 {
		n := 0.0
		for _, d := range margins {
			switch {
			case d > 0:
				n++
			case d == 0:
				n += 0.5
			}
		}
		return n / float64(max(len(margins), 1))
	}
	if a := share(marginsBy(valid, size)); share(marginsBy(groups, size)) >= 0.5 {
		return a
	} else {
		return 1 - a
	}
}

// wordsOnly returns the accuracy of a linear reward model over the counts of the answer's
// tokens, trained on groups with the same loss.
func wordsOnly(groups, valid []Group, vocabulary int) float64 {
	weights := make([]float64, vocabulary)
	score := func(s Sequence) (x float64) {
		for _, t := range s.Tokens[s.Prompt:] {
			x += weights[t]
		}
		return x
	}
	random := rand.New(rand.NewPCG(1, 1))
	const epochs, rate = 5, 0.02
	for epoch := range epochs {
		for _, i := range random.Perm(len(groups)) {
			g := groups[i]
			scores := make([]float64, len(g.Sequences))
			for j, s := range g.Sequences {
				scores[j] = score(s)
			}
			grad := make([]float64, len(scores))
			loss.Pairs(scores, g.Pairs, rate*(1-float64(epoch)/epochs), grad)
			for j, s := range g.Sequences {
				for _, t := range s.Tokens[s.Prompt:] {
					weights[t] -= grad[j]
				}
			}
		}
	}
	return right(marginsBy(valid, score))
}
