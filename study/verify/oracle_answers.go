package verify

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"tinygpt/align/loss"
	"tinygpt/model/op"
)

// reward checks the loss of a reward model over prompts with K ranked answers each.
func (o *oracle) reward(c oracleCase) error {
	in, out, err := c.open()
	if err != nil {
		return err
	}
	var ranks [][]int
	var scores [][]float64
	if err := in.read("ranks", &ranks); err != nil {
		return err
	}
	if err := in.read("scores", &scores); err != nil {
		return err
	}
	weight := 1 / float64(len(scores))
	total, right, sum := 0.0, 0, 0.0
	var each, grads, margins []float64
	for i, s := range scores {
		grad := make([]float64, len(s))
		l, d := loss.Pairs(s, loss.RankPairs(ranks[i]), weight, grad)
		total += l
		each, grads, margins = append(each, l/weight), append(grads, grad...), append(margins, d...)
	}
	for _, d := range margins {
		sum += d
		if d > 0 {
			right++
		}
	}
	n := float64(len(margins))
	return o.sameAll(out, map[string][]float64{"loss": {total}, "loss_of_prompt": each, "accuracy": {float64(right) / n}, "margin": {sum / n}, "grad": grads})
}

// rewardExtreme checks the loss at differences whose exponential overflows.
func (o *oracle) rewardExtreme(c oracleCase) error {
	differences, err := c.flat("difference")
	if err != nil {
		return err
	}
	var got []float64
	for _, d := range differences {
		got = append(got, -loss.LogSigmoid(d))
	}
	return o.same(c, "loss", oracleBound, got...)
}

// dpo checks the loss of pairs without a reward model, in all its kinds.
func (o *oracle) dpo(c oracleCase) error {
	in, out, err := c.open()
	if err != nil {
		return err
	}
	var beta float64
	if err := in.read("beta", &beta); err != nil {
		return err
	}
	var inputs [4][]float64
	for i, key := range []string{"policy_chosen", "policy_rejected", "ref_chosen", "ref_rejected"} {
		if inputs[i], err = in.flat(key); err != nil {
			return err
		}
	}
	n := len(inputs[0])
	mean := func(p loss.Preference) (l float64, grad []float64) {
		for i := range n {
			delta := (inputs[0][i] - inputs[2][i]) - (inputs[1][i] - inputs[3][i])
			x, g := p.Pair(delta)
			l += x / float64(n)
			grad = append(grad, g/float64(n))
		}
		return l, grad
	}
	var chosen, rejected, minus []float64
	margin, right := 0.0, 0.0
	for i := range n {
		a, b := beta*(inputs[0][i]-inputs[2][i]), beta*(inputs[1][i]-inputs[3][i])
		chosen, rejected = append(chosen, a), append(rejected, b)
		margin += (a - b) / float64(n)
		if a > b {
			right += 1 / float64(n)
		}
	}
	l, grad := mean(loss.Preference{Kind: loss.DPO, Beta: beta})
	for _, g := range grad {
		minus = append(minus, -g)
	}
	ipo, _ := mean(loss.Preference{Kind: loss.IPO, Beta: beta})
	hinge, _ := mean(loss.Preference{Kind: loss.Hinge, Beta: beta})
	smooth, _ := mean(loss.Preference{Kind: loss.DPO, Beta: beta, Smoothing: 0.1})
	atReference, _ := loss.Preference{Kind: loss.DPO, Beta: beta}.Pair(0)
	return o.sameAll(out, map[string][]float64{
		"loss": {l}, "rewards/chosen": chosen, "rewards/rejected": rejected, "rewards/margins": {margin}, "rewards/accuracies": {right},
		"grad_chosen": grad, "grad_rejected": minus, "loss_ipo_sum": {ipo}, "loss_hinge": {hinge}, "loss_label_smoothing_0.1": {smooth}, "loss_at_reference": {atReference},
	})
}

// grpo checks the advantages of the answers within a group.
func (o *oracle) grpo(c oracleCase) error {
	in, out, err := c.open()
	if err != nil {
		return err
	}
	var rewards [][]float64
	if err := in.read("rewards", &rewards); err != nil {
		return err
	}
	var centred, scaled, left []float64
	even := 0.0
	for _, group := range rewards {
		a, _ := loss.GroupAdvantages(group, false)
		b, spread := loss.GroupAdvantages(group, true)
		centred, scaled, left = append(centred, a...), append(scaled, b...), append(left, loss.LeaveOneOut(group)...)
		if !spread {
			even += 1 / float64(len(rewards))
		}
	}
	return o.sameAll(out, map[string][]float64{"centred": centred, "scaled_by_group": scaled, "leave_one_out": left, "frac_reward_zero_std": {even}})
}

// sft checks the loss on answers alone, in float64 and as training computes it.
func (o *oracle) sft(c oracleCase) error {
	in, out, err := c.open()
	if err != nil {
		return err
	}
	var ids [][]int
	var prompts, lengths []int
	var logits [][][]float64
	for key, v := range map[string]any{"ids": &ids, "prompt_lengths": &prompts, "lengths": &lengths, "logits": &logits} {
		if err := in.read(key, v); err != nil {
			return err
		}
	}
	var rows [][]float64
	var targets []int32
	tokens := 0
	for b := range ids {
		for t, row := range logits[b] {
			target := int32(op.Ignore)
			if next := t + 1; next >= prompts[b] && next < lengths[b] {
				target = int32(ids[b][next])
				tokens++
			}
			rows, targets = append(rows, row), append(targets, target)
		}
	}
	var logProbs []float64
	for i, target := range targets {
		if target != op.Ignore {
			logProbs = append(logProbs, loss.LogSoftmax(rows[i])[target])
		}
	}
	d := make([]float64, tokens)
	l := loss.NLL(logProbs, tokens, d)
	var grad []float64
	at := 0
	for i, row := range rows {
		g := make([]float64, len(row))
		if targets[i] != op.Ignore {
			loss.AddLogitsGrad(g, loss.LogSoftmax(row), int(targets[i]), d[at])
			at++
		}
		grad = append(grad, g...)
	}
	for key, got := range map[string][]float64{"loss": {l}, "tokens": {float64(tokens)}, "grad_logits": grad} {
		if err := o.same(out, key, oracleBound, got...); err != nil {
			return err
		}
	}
	got, grad32, err := lossOfLogits(rows, targets, func(all, grad []float64) float64 {
		kept, d := make([]float64, 0, tokens), make([]float64, tokens)
		for i, target := range targets {
			if target != op.Ignore {
				kept = append(kept, all[i])
			}
		}
		l, at := loss.NLL(kept, tokens, d), 0
		for i, target := range targets {
			if target != op.Ignore {
				grad[i] = d[at]
				at++
			}
		}
		return l
	})
	if err != nil {
		return err
	}
	if err := o.same(out, "loss", oracleBound32, got); err != nil {
		return err
	}
	return o.same(out, "grad_logits", oracleBound32, grad32...)
}

// choice returns the probabilities of a reference policy over a few choices, the reward of
// each choice, and the expected values.
func (c oracleCase) choice() (ref, reward []float64, out oracleCase, err error) {
	in, out, err := c.open()
	if err == nil {
		ref, err = in.flat("ref")
	}
	if err == nil {
		reward, err = in.flat("reward")
	}
	return ref, reward, out, err
}

// each calls run for the objects of a case whose keys are numbers, in the numbers' order.
func (c oracleCase) each(run func(number float64, part oracleCase) error) error {
	var numbers []float64
	keys := map[float64]string{}
	for key := range c.fields {
		x, err := strconv.ParseFloat(key, 64)
		if err != nil {
			return fmt.Errorf("key %q: expected a number", key)
		}
		numbers, keys[x] = append(numbers, x), key
	}
	slices.Sort(numbers)
	for _, x := range numbers {
		part, err := c.part(keys[x])
		if err != nil {
			return err
		}
		part.name += " " + keys[x]
		if err := run(x, part); err != nil {
			return err
		}
	}
	return nil
}

// optimum checks the best policy for each price of KL.
func (o *oracle) optimum(c oracleCase) error {
	ref, reward, out, err := c.choice()
	if err != nil {
		return err
	}
	return out.each(func(beta float64, part oracleCase) error {
		policy, objective := loss.Optimum(ref, reward, beta)
		kl, mean := divergence(policy, ref, reward)
		return o.sameAll(part, map[string][]float64{"policy": policy, "kl": {kl}, "reward": {mean}, "objective": {objective}})
	})
}

// bestOf checks KL and reward of the best of n draws.
func (o *oracle) bestOf(c oracleCase) error {
	ref, reward, out, err := c.choice()
	if err != nil {
		return err
	}
	return out.each(func(n float64, part oracleCase) error {
		kl, mean := divergence(loss.BestOf(int(n), ref, reward), ref, reward)
		return o.sameAll(part, map[string][]float64{"kl": {kl}, "kl_continuous": {loss.BestOfKL(int(n))}, "reward": {mean}})
	})
}

// divergence returns KL(policy‖ref) in nats and the policy's mean reward.
func divergence(policy, ref, reward []float64) (kl, mean float64) {
	for i, p := range policy {
		mean += p * reward[i]
	}
	return loss.KL(logs(policy), logs(ref)), mean
}

// logs returns the logarithms of probabilities, of which 0 counts as 1e-300.
func logs(p []float64) (out []float64) {
	for _, x := range p {
		out = append(out, math.Log(max(x, 1e-300)))
	}
	return out
}
