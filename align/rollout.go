package align

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"tinygpt/align/loss"
	"tinygpt/model/safetensors"
)

// rollout has the answers that a policy has given before an update, and what was computed from
// them. Its memory has the same size for every update, so that a checkpoint can hold it. The
// floats are [episodes, context]: numbers of the answer's tokens, from its first one on.
type rollout struct {
	context             int
	tokens              []int32   // [episodes, context]
	sizes               []int32   // [episodes, 2]: tokens of the prompt, and of prompt and answer
	old, reference      []float64 // log-probabilities under the policy and its reference
	advantages, returns []float64
	values              []float64 // that the value model or head predicted
}

func newRollout(episodes, context int) rollout {
	numbers := func() []float64 { return make([]float64, episodes*context) }
	return rollout{
		context: context, tokens: make([]int32, episodes*context), sizes: make([]int32, 2*episodes),
		old: numbers(), reference: numbers(), advantages: numbers(), returns: numbers(), values: numbers(),
	}
}

// state returns the tensors of a checkpoint.
func (r *rollout) state() []safetensors.Tensor {
	shape := []int{len(r.sizes) / 2, r.context}
	list := []safetensors.Tensor{
		{Name: "rollout.tokens", Shape: shape, Data: r.tokens},
		{Name: "rollout.sizes", Shape: []int{len(r.sizes) / 2, 2}, Data: r.sizes},
	}
	for _, n := range []struct {
		name string
		data []float64
	}{{"old", r.old}, {"reference", r.reference}, {"advantages", r.advantages}, {"returns", r.returns}, {"values", r.values}} {
		list = append(list, safetensors.Tensor{Name: "rollout." + n.name, Shape: shape, Data: n.data})
	}
	return list
}

// sequence returns episode i.
func (r *rollout) sequence(i int) Sequence {
	prompt, whole := int(r.sizes[2*i]), int(r.sizes[2*i+1])
	return Sequence{Tokens: r.tokens[i*r.context : i*r.context+whole], Prompt: prompt}
}

// set copies the numbers of an answer's tokens to episode i of into.
func (r *rollout) set(into []float64, i int, numbers []float64) {
	copy(into[i*r.context:(i+1)*r.context], numbers)
}

// get returns the numbers in from of the answers' tokens of some episodes, one after another.
func (r *rollout) get(from []float64, episodes []int) (out []float64) {
	for _, i := range episodes {
		out = append(out, from[i*r.context:i*r.context+r.sequence(i).Answer()]...)
	}
	return out
}

// KLError says that a policy's mean divergence from its reference, KL nats an answer, is larger
// than Max. Beta is the price of KL.
type KLError struct{ KL, Max, Beta float64 }

// Error says what happened and what to change.
func (e *KLError) Error() string {
	return fmt.Sprintf("the policy is %.1f nats an answer away from its reference, more than max_kl %g: its answers are no longer like those that the reward model was trained on. Usual remedies: a larger kl (now %g), a smaller learning_rate, or fewer updates", e.KL, e.Max, e.Beta)
}

// samplerTolerance is how much the log-probability of a token may differ between sampler and
// trainer. Both compute the same in float32, in another order.
const samplerTolerance = 1e-3

// draw makes the roll-out of an update: answers, scores, divergences and advantages. It also
// adapts the price of KL.
func (p *policy) draw(ctx context.Context, update int) error {
	list := p.prompted(update)
	answers, err := p.Generator.Answers(ctx, p.Model, list, Seeds(p.Seed, fmt.Sprint("rollout ", update), len(list)))
	if err != nil {
		return err
	}
	all := sequences(list, answers)
	c, err := p.scorer.compare(ctx, p.referenceScorer, all)
	if err != nil {
		return err
	}
	if err := p.checkSampler(answers, c.logProbs); err != nil {
		return err
	}
	scores, err := p.Reward.Scores(ctx, list, answers)
	if err != nil {
		return err
	}
	clear(p.roll.tokens)
	p.seen = map[string]float64{"lr": p.learningRate(update), "episode": float64((update + 1) * p.config.Episodes), "objective/kl_coef": p.beta[0]}
	for i, s := range all {
		copy(p.roll.tokens[i*p.roll.context:], s.Tokens)
		p.roll.sizes[2*i], p.roll.sizes[2*i+1] = int32(s.Prompt), int32(len(s.Tokens))
		p.roll.set(p.roll.old, i, c.logProbs[i])
		p.roll.set(p.roll.reference, i, c.reference[i])
	}
	p.describe(answers, scores, c)
	if p.Gold != nil {
		gold, err := p.Gold.Scores(ctx, list, answers)
		if err != nil {
			return err
		}
		p.measures()["objective/"+p.Gold.Name()] = mean(gold)
	}
	for i, a := range answers {
		if !a.Ended {
			scores[i] -= p.config.MissingEnd
		}
	}
	if kl := p.measures()["objective/kl_full"]; p.config.MaxKL > 0 && kl > p.config.MaxKL {
		return &KLError{kl, p.config.MaxKL, p.beta[0]}
	}
	if err := p.judgeTokens(ctx, all, scores, c); err != nil {
		return err
	}
	if p.config.KLTarget > 0 {
		p.beta[0] = loss.AdaptiveKL(p.beta[0], p.measures()["objective/kl"], p.config.KLTarget, p.config.Episodes, max(p.config.KLHorizon, 1))
	}
	return nil
}

// prompted returns the prompts of an update, each repeated for the answers of its group. Updates
// go through all prompts in a random order, then in another one.
func (p *policy) prompted(update int) (list []Instruction) {
	groups := p.config.Episodes / p.config.Group
	for i := range groups {
		n := update*groups + i
		round := n / len(p.Prompts)
		if p.shuffled == nil || p.round != round {
			p.round, p.shuffled = round, rand.New(rand.NewPCG(p.Seed, uint64(round))).Perm(len(p.Prompts))
		}
		in := p.Prompts[p.shuffled[n%len(p.Prompts)]]
		list = append(list, slices.Repeat([]Instruction{in}, p.config.Group)...)
	}
	return list
}

// checkSampler compares the sampler's log-probabilities of the drawn tokens with the trainer's.
// A difference of more than samplerTolerance is an error.
func (p *policy) checkSampler(answers []Answer, trainers [][]float64) error {
	worst := 0.0
	for i, a := range answers {
		for t, l := range a.LogProbs {
			worst = max(worst, math.Abs(float64(l)-trainers[i][t]))
		}
	}
	if !(worst <= samplerTolerance) {
		return fmt.Errorf("a token's log-probability differs by %.2g between sampling and training, more than %g: the answers aren't drawn from the policy that is trained", worst, samplerTolerance)
	}
	p.sampler = worst
	return nil
}

// describe sets the measures of a roll-out.
func (p *policy) describe(answers []Answer, scores []float64, c comparison) {
	n := float64(len(answers))
	v := p.measures()
	v["sampler/max_logprob_difference"], v["val/num_eos_tokens"] = p.sampler, 0
	v["objective/scores"] = mean(scores)
	var sizes []float64
	distinct, words, all := map[string]bool{}, map[int32]bool{}, 0
	repeated, runs := 0, 0
	for i, a := range answers {
		for t, l := range c.logProbs[i] {
			k1 := loss.K1(l, c.reference[i][t])
			v["objective/kl"] += k1 / n
			v["objective/non_score_reward"] -= p.beta[0] * k1 / n
			v["objective/entropy"] -= l / n
		}
		v["objective/kl_full"] += sum(c.kl[i]) / n
		sizes = append(sizes, float64(len(a.Text)))
		distinct[a.Text] = true
		for _, t := range a.Tokens {
			words[t] = true
		}
		all += len(a.Tokens)
		again, of := repetitions(a.Tokens)
		repeated, runs = repeated+again, runs+of
		if a.Ended {
			v["val/num_eos_tokens"]++
		}
	}
	v["objective/rlhf_reward"] = v["objective/scores"] + v["objective/non_score_reward"]
	v["completions/mean_length"] = float64(all) / n
	v["completions/clipped_ratio"] = 1 - v["val/num_eos_tokens"]/n
	v["completions/distinct"] = float64(len(distinct)) / n
	v["completions/distinct_1"] = float64(len(words)) / float64(max(all, 1))
	v["completions/repeated_4"] = float64(repeated) / float64(max(runs, 1))
	v["score/length_correlation"] = correlation(scores, sizes)
}

// repetitions returns how many runs of four tokens an answer has, and how many of them occur
// earlier in it: a policy that has found a rewarded phrase repeats it.
func repetitions(tokens []int32) (again, of int) {
	const n = 4
	seen := map[[n]int32]bool{}
	for ; of+n <= len(tokens); of++ {
		run := [n]int32(tokens[of : of+n])
		if seen[run] {
			again++
		}
		seen[run] = true
	}
	return again, of
}

// judgeTokens computes the advantages of the answers' tokens from their scores, and for PPO
// values and returns.
func (p *policy) judgeTokens(ctx context.Context, all []Sequence, scores []float64, c comparison) error {
	price := p.beta[0]
	if p.config.KLIn == KLLoss {
		price = 0
	}
	kl := make([][]float64, len(all))
	for i := range all {
		for t, l := range c.logProbs[i] {
			kl[i] = append(kl[i], loss.K1(l, c.reference[i][t]))
		}
	}
	if p.config.Group > 1 {
		for i := range scores { // a whole answer has one reward
			scores[i] -= price * sum(kl[i])
		}
		p.groupAdvantages(all, scores)
		return nil
	}
	values, err := p.predict(ctx, all)
	if err != nil {
		return err
	}
	var advantages, returns, flat []float64
	for i := range all {
		a, r := loss.GAE(loss.Rewards(kl[i], price, scores[i]), values[i], p.config.Gamma, p.config.Lambda)
		advantages, returns, flat = append(advantages, a...), append(returns, r...), append(flat, values[i]...)
	}
	p.measures()["val/var_explained"] = explained(flat, returns)
	if p.config.Whiten {
		advantages = loss.Whiten(advantages, true, loss.Bessel)
	}
	a, r := split(advantages, all), split(returns, all)
	for i := range all {
		p.roll.set(p.roll.advantages, i, a[i])
		p.roll.set(p.roll.returns, i, r[i])
		p.roll.set(p.roll.values, i, values[i])
	}
	return nil
}

// groupAdvantages gives all tokens of an answer the answer's advantage within its group.
func (p *policy) groupAdvantages(all []Sequence, scores []float64) {
	even, deviation := 0.0, 0.0
	groups := float64(len(scores) / p.config.Group)
	for at := 0; at < len(scores); at += p.config.Group {
		group := scores[at : at+p.config.Group]
		advantages, spread := loss.GroupAdvantages(group, p.config.Whiten)
		if !spread {
			even++
		}
		deviation += math.Sqrt(variance(group)*float64(len(group))/float64(len(group)-1)) / groups
		for i, a := range advantages {
			numbers := make([]float64, all[at+i].Answer())
			fill(numbers, a)
			p.roll.set(p.roll.advantages, at+i, numbers)
		}
	}
	p.measures()["reward"], p.measures()["reward_std"], p.measures()["frac_reward_zero_std"] = mean(scores), deviation, even/groups
}

// explained returns 1 − Var(returns − values)/Var(returns).
func explained(values, returns []float64) float64 {
	left := make([]float64, len(values))
	for i := range left {
		left[i] = returns[i] - values[i]
	}
	return 1 - variance(left)/max(variance(returns), 1e-12)
}
