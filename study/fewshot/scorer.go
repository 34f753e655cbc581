package fewshot

import (
	"context"
	"fmt"
	"slices"

	"tinygpt/model"
	"tinygpt/tokenizer"
)

// Normalisation is how choices of different lengths are made comparable (Brown et al.
// 2020, section 2.4).
type Normalisation string

const (
	// PerToken is the mean log-likelihood of the choice's tokens; in the paper it is that of
	// most tasks.
	PerToken Normalisation = "per-token"
	// Sum is the choice's log-likelihood.
	Sum Normalisation = "sum"
	// Unconditional is log P(choice | prompt) − log P(choice | the words before an answer); in
	// the paper it is that of ARC, OpenBookQA and RACE.
	Unconditional Normalisation = "unconditional"
)

// Normalisations lists all normalisations.
var Normalisations = []Normalisation{PerToken, Sum, Unconditional}

// Scorer lets a model answer.
type Scorer struct {
	Layout        Layout
	Normalisation Normalisation

	tokens  tokenizer.Tokenizer
	decoder *model.Decoder
	context int
}

// parallelTrials is how many trials are answered together. Each has one of the decoder's
// sequences for its shots and parallelChoices for its choices; further choices take turns.
const parallelTrials, parallelChoices = 8, 4

// NewScorer returns a scorer of a model with these weights and tokenizer.
func NewScorer(w *model.Weights, t tokenizer.Tokenizer, l Layout, n Normalisation) *Scorer {
	return &Scorer{l, n, t, w.NewDecoder(parallelTrials * (1 + parallelChoices)), w.Config().Context}
}

// Answer is a model's answer to a trial.
type Answer struct {
	Scores []float64 // of the choices
	Choice int       // the index of the highest score, the first of equal ones
}

// candidate is a choice of a trial to be scored.
type candidate struct {
	trial, choice int
	tokens        []int32   // of query and choice
	scored        int       // how many of them are the choice's
	logProbs      []float32 // of the choice's tokens
}

// Answer answers trials, each with all of the numbers of shots, which ascend: answers[k][i] is
// the answer to trial i with shots[k]. done, unless nil, is called with the number of trials
// that are answered. A prompt that doesn't fit into the context is an error.
func (s *Scorer) Answer(ctx context.Context, trials []Trial, shots []int, done func(trials int)) (answers [][]Answer, err error) {
	answers = make([][]Answer, len(shots))
	for k := range answers {
		answers[k] = make([]Answer, len(trials))
	}
	for from := 0; from < len(trials); from += parallelTrials {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+parallelTrials, len(trials))
		if err := s.answer(trials[from:to], shots, func(k, i int) *Answer { return &answers[k][from+i] }); err != nil {
			return nil, err
		}
		if done != nil {
			done(to)
		}
	}
	return answers, nil
}

// answer answers up to parallelTrials trials; at returns where the answer with shots[k] goes.
func (s *Scorer) answer(trials []Trial, shots []int, at func(k, trial int) *Answer) error {
	read := make([]int, len(trials)) // tokens of each trial's sequence
	given := 0
	for i := range trials {
		s.decoder.Reset(i)
		if end := s.tokens.EndOfText(); end >= 0 {
			if err := s.decoder.Append([]model.Input{{Sequence: i, Tokens: []int32{end}}}); err != nil {
				return err
			}
			read[i] = 1
		}
	}
	for k, n := range shots {
		var inputs []model.Input
		for i, t := range trials {
			var tokens []int32
			for j, e := range t.Shots[given:n] {
				ids, err := s.encode(s.opening(e, given+j), s.Layout.solved(e))
				if err != nil {
					return err
				}
				tokens = append(tokens, ids...)
			}
			if read[i] += len(tokens); read[i] > s.context {
				return s.tooLong(n, read[i])
			}
			if len(tokens) > 0 {
				inputs = append(inputs, model.Input{Sequence: i, Tokens: tokens})
			}
		}
		if len(inputs) > 0 {
			if err := s.decoder.Append(inputs); err != nil {
				return err
			}
		}
		given = n
		if err := s.choose(trials, n, read, func(i int) *Answer { return at(k, i) }); err != nil {
			return err
		}
	}
	return nil
}

// opening returns an example up to its answer, with the gap before it if there are examples
// before it.
func (s *Scorer) opening(e Example, after int) string {
	if after == 0 {
		return s.Layout.query(e)
	}
	return s.Layout.gap() + s.Layout.query(e)
}

// encode returns the tokens of pieces of a text, each encoded by itself.
func (s *Scorer) encode(pieces ...string) (tokens []int32, err error) {
	for _, piece := range pieces {
		ids, err := s.tokens.Encode(piece)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, ids...)
	}
	return tokens, nil
}

// tooLong returns the error of a prompt that doesn't fit into the context.
func (s *Scorer) tooLong(shots, tokens int) error {
	return fmt.Errorf("%d shots make a prompt of %d tokens or more, the model's context is %d: give fewer with --shots", shots, tokens, s.context)
}

// choose scores the choices of trials, whose shots the decoder has read, and chooses the best.
func (s *Scorer) choose(trials []Trial, shots int, read []int, at func(trial int) *Answer) error {
	var all []candidate
	for i, t := range trials {
		query, err := s.encode(s.opening(t.Query, shots))
		if err != nil {
			return err
		}
		for c := range t.Query.Choices {
			choice, err := s.tokens.Encode(s.Layout.choice(t.Query, c))
			if err != nil {
				return err
			}
			if len(choice) == 0 {
				return fmt.Errorf("the choice %q has no tokens", t.Query.Choices[c])
			}
			all = append(all, candidate{i, c, slices.Concat(query, choice), len(choice), make([]float32, len(choice))})
			if n := read[i] + len(query) + len(choice); n > s.context {
				return s.tooLong(shots, n)
			}
		}
	}
	if err := s.score(all, true); err != nil {
		return err
	}
	for i, t := range trials {
		a := at(i)
		a.Scores = make([]float64, len(t.Query.Choices))
		for _, c := range all {
			if c.trial == i {
				a.Scores[c.choice] = s.normalised(c)
			}
		}
	}
	if s.Normalisation == Unconditional {
		if err := s.unconditional(all, at); err != nil {
			return err
		}
	}
	for i := range trials {
		a := at(i)
		for c, x := range a.Scores {
			if x > a.Scores[a.Choice] {
				a.Choice = c
			}
		}
	}
	return nil
}

// score computes each candidate's log-probability. With following, it continues what
// its trial has read; otherwise it starts from an empty sequence.
func (s *Scorer) score(all []candidate, following bool) error {
	for from := 0; from < len(all); from += parallelTrials * parallelChoices {
		var inputs []model.Input
		for j, c := range all[from:min(from+parallelTrials*parallelChoices, len(all))] {
			q := parallelTrials + j
			if following {
				s.decoder.Copy(q, c.trial)
			} else {
				s.decoder.Reset(q)
			}
			inputs = append(inputs, model.Input{Sequence: q, Tokens: c.tokens, LogProbs: c.logProbs})
		}
		if err := s.decoder.Append(inputs); err != nil {
			return err
		}
	}
	return nil
}

// unconditional subtracts from the scores the log-probabilities of the choices without their
// questions.
func (s *Scorer) unconditional(all []candidate, at func(trial int) *Answer) error {
	mark, err := s.tokens.Encode(s.Layout.query(Example{}))
	if err != nil {
		return err
	}
	if end := s.tokens.EndOfText(); end >= 0 {
		mark = append([]int32{end}, mark...)
	}
	alone := make([]candidate, len(all))
	for i, c := range all {
		alone[i] = c
		alone[i].tokens = slices.Concat(mark, c.tokens[len(c.tokens)-c.scored:])
		alone[i].logProbs = make([]float32, c.scored)
	}
	if err := s.score(alone, false); err != nil {
		return err
	}
	for _, c := range alone {
		at(c.trial).Scores[c.choice] -= s.normalised(c)
	}
	return nil
}

// normalised returns a candidate's score.
func (s *Scorer) normalised(c candidate) float64 {
	sum := 0.0
	for _, p := range c.logProbs {
		sum += float64(p)
	}
	if s.Normalisation == PerToken {
		return sum / float64(c.scored)
	}
	return sum
}
