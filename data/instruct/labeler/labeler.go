// Package labeler simulates the people who compare answers (Ouyang et al. 2022,
// section 3.4 and appendix B): each weighs what is good about an answer in a way of
// their own, likes length more or less, and isn't sure of anything. The noise is set
// so that two of them agree as often as the paper's did.
//
// Their liking for length is planted: what they prefer isn't quite what is good, so a
// policy that is optimised against them can be seen to go astray.
package labeler

import (
	"fmt"
	"math"
	"math/rand/v2"

	"tinygpt/data/instruct"
	"tinygpt/data/instruct/gold"
)

// Agreement is how often two of the paper's labelers preferred the same answer.
const Agreement = 0.726

// Numbers of labelers: those who compare for training, and those held out.
const (
	Count   = 40
	HeldOut = 10
)

// Labeler is one of them.
type Labeler struct {
	coherence, hero, mood, topic float64 // weights of what a story is judged by
	other                        float64 // weight of the reward of other answers
	length                       float64 // worth of 100 characters
}

// longest is the number of characters beyond which more of them are liked no better.
const longest = 800

// New returns count labelers. Those held out dislike length as much as the others
// like it.
func New(seed uint64, count int, heldOut bool) []Labeler {
	var list []Labeler
	r := rand.New(rand.NewPCG(seed, uint64(count)<<1))
	for range count {
		u := func() float64 { return 0.5 + r.Float64() }
		l := Labeler{coherence: 2 * u(), hero: u(), mood: u(), topic: u(), other: 1.5 * u(), length: 0.3 + 0.1*r.NormFloat64()}
		if heldOut {
			l.length = -l.length
		}
		list = append(list, l)
	}
	return list
}

// Utility is what an answer is worth to the labeler, without noise.
func (l *Labeler) Utility(p *instruct.Prompt, answer string) float64 {
	return l.utility(p, gold.Judge(p, answer), len(answer))
}

func (l *Labeler) utility(p *instruct.Prompt, s gold.Score, length int) float64 {
	u := l.length * float64(min(length, longest)) / 100
	if p.Truth.Hero != "" {
		return u + l.coherence*s.Coherence + l.hero*s.Hero + l.mood*s.Mood + l.topic*s.Topic
	}
	return u + l.other*s.Reward
}

// Panel is a group of labelers with the same noise.
type Panel struct {
	Labelers []Labeler
	// Noise is the scale of the Gumbel noise on a utility: the probability that answer
	// x is preferred to y is σ((u(x) − u(y))/Noise), Bradley and Terry's model.
	Noise float64
}

// Rank returns the ranks that labeler number who gives the answers: the smaller rank is
// better, equal answers are a tie. The noise follows from the seed.
func (p *Panel) Rank(who int, prompt *instruct.Prompt, answers []string, seed uint64) []int {
	r := rand.New(rand.NewPCG(seed, uint64(who)))
	felt := make([]float64, len(answers))
	for i, a := range answers {
		felt[i] = p.Labelers[who].Utility(prompt, a) + p.Noise*-math.Log(-math.Log(r.Float64()))
		for j := range i {
			if answers[j] == a {
				felt[i] = felt[j]
			}
		}
	}
	ranks := make([]int, len(answers))
	for i := range felt {
		for j := range felt {
			if felt[j] > felt[i] {
				ranks[i]++
			}
		}
	}
	return ranks
}

// Question is a pair of different answers to a prompt, which a panel compares.
type Question struct{ differences []float64 } // of the answers' utilities, one for each labeler

// Ask prepares the pair of answers as a question to the panel's labelers.
func (p *Panel) Ask(prompt *instruct.Prompt, a, b string) Question {
	return p.Questions(prompt, []string{b, a})[0]
}

// Questions are all pairs of different answers to a prompt: of each the later one first.
func (p *Panel) Questions(prompt *instruct.Prompt, answers []string) (list []Question) {
	utilities := make([][]float64, len(answers))
	for i, a := range answers {
		score := gold.Judge(prompt, a)
		for l := range p.Labelers {
			utilities[i] = append(utilities[i], p.Labelers[l].utility(prompt, score, len(a)))
		}
		for j := range i {
			if answers[j] == a {
				continue
			}
			q := Question{make([]float64, len(p.Labelers))}
			for l := range q.differences {
				q.differences[l] = utilities[i][l] - utilities[j][l]
			}
			list = append(list, q)
		}
	}
	return list
}

// Prefers is the probability that a labeler drawn from the panel prefers the first
// answer.
func (p *Panel) Prefers(q Question) float64 {
	sum := 0.0
	for _, d := range q.differences {
		sum += sigmoid(d / p.Noise)
	}
	return sum / float64(len(q.differences))
}

// Agreement is the probability that two different labelers prefer the same answer.
func (p *Panel) Agreement(questions []Question) float64 {
	total := 0.0
	for _, q := range questions {
		sum, squares, n := 0.0, 0.0, float64(len(q.differences))
		for _, d := range q.differences {
			x := 2*sigmoid(d/p.Noise) - 1
			sum += x
			squares += x * x
		}
		// (1 + the mean of x·y over all pairs of labelers)/2
		total += (1 + (sum*sum-squares)/(n*(n-1))) / 2
	}
	return total / float64(len(questions))
}

// Ceiling is the accuracy of the best possible guess at what a labeler of the panel
// will prefer, if one doesn't know who it is.
func (p *Panel) Ceiling(questions []Question) float64 {
	sum := 0.0
	for _, q := range questions {
		x := p.Prefers(q)
		sum += max(x, 1-x)
	}
	return sum / float64(len(questions))
}

// Calibrate sets the noise, by bisection, so that two labelers agree on the questions
// as often as the paper's did. It is an error if they disagree more than that without
// any noise.
func (p *Panel) Calibrate(questions []Question) error {
	if len(questions) == 0 {
		return fmt.Errorf("no two different answers to compare: the model answers each prompt in one way")
	}
	low, high := 1e-6, 1e3
	p.Noise = low
	if a := p.Agreement(questions); a < Agreement {
		return fmt.Errorf("labelers without noise agree on %.1f %% of pairs only, less than %.1f %%: the model's answers are all equally good or bad to them; train the model on demonstrations first", 100*a, 100*Agreement)
	}
	for range 100 {
		p.Noise = math.Sqrt(low * high)
		if p.Agreement(questions) > Agreement {
			low = p.Noise
		} else {
			high = p.Noise
		}
	}
	return nil
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
