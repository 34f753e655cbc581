package verify

import (
	"encoding/json"

	"tinygpt/align/loss"
)

// rollout is the batch that the policy's cases share. Lists have an element for each token,
// answer by answer, without padding.
type rollout struct {
	lengths []int // of the answers
	steps   int   // T of the padded shape [B, T]
	actions []int // the tokens
	// Logits of the old policy, the reference and the new policy.
	old, ref, new          [][]float64
	oldLog, refLog, newLog []float64 // log-probabilities of the tokens
	values, valuesNew      []float64
	scores                 []float64
	advantages, whitened   []float64
	returns                []float64
	kl, gamma, lambda      float64
	clip, clipValue, weigh float64
}

// pick returns the elements of a padded [B][T] list without the padding.
func pick[T any](lengths []int, padded [][]T) (out []T) {
	for b, n := range lengths {
		out = append(out, padded[b][:n]...)
	}
	return out
}

// pad undoes pick: it returns x [tokens·width] as [B·T·width], with 0 where there is no
// token.
func (r *rollout) pad(x []float64, width int) []float64 {
	out := make([]float64, len(r.lengths)*r.steps*width)
	at := 0
	for b, n := range r.lengths {
		copy(out[b*r.steps*width:], x[at*width:(at+n)*width])
		at += n
	}
	return out
}

// logProbs returns the tokens' log-probabilities from rows of logits.
func (r *rollout) logProbs(rows [][]float64) (out []float64) {
	for i, row := range rows {
		out = append(out, loss.LogSoftmax(row)[r.actions[i]])
	}
	return out
}

// logitsGrad returns the gradient with respect to the logits in rows, one row after another,
// from d, that with respect to the tokens' log-probabilities.
func (r *rollout) logitsGrad(rows [][]float64, d []float64) (out []float64) {
	for i, row := range rows {
		grad := make([]float64, len(row))
		loss.AddLogitsGrad(grad, loss.LogSoftmax(row), r.actions[i], d[i])
		out = append(out, grad...)
	}
	return out
}

// readRollout reads the inputs of the case ppo.
func readRollout(in oracleCase) (*rollout, error) {
	r := &rollout{}
	var actions [][]int
	var logitsOld, logitsRef, logitsNew [][][]float64
	var values, valuesNew [][]float64
	for key, v := range map[string]any{
		"kl_coef": &r.kl, "gamma": &r.gamma, "lam": &r.lambda, "cliprange": &r.clip, "cliprange_value": &r.clipValue, "vf_coef": &r.weigh,
		"lengths": &r.lengths, "actions": &actions, "scores": &r.scores, "logits_old": &logitsOld, "logits_ref": &logitsRef, "logits_new": &logitsNew,
		"values_old": &values, "values_new": &valuesNew,
	} {
		if err := in.read(key, v); err != nil {
			return nil, err
		}
	}
	r.steps = len(actions[0])
	r.actions = pick(r.lengths, actions)
	r.old, r.ref, r.new = pick(r.lengths, logitsOld), pick(r.lengths, logitsRef), pick(r.lengths, logitsNew)
	r.oldLog, r.refLog, r.newLog = r.logProbs(r.old), r.logProbs(r.ref), r.logProbs(r.new)
	r.values, r.valuesNew = pick(r.lengths, values), pick(r.lengths, valuesNew)
	at := 0
	for b, n := range r.lengths {
		kl := make([]float64, n)
		for t := range n {
			kl[t] = loss.K1(r.oldLog[at+t], r.refLog[at+t])
		}
		a, ret := loss.GAE(loss.Rewards(kl, r.kl, r.scores[b]), r.values[at:at+n], r.gamma, r.lambda)
		r.advantages, r.returns = append(r.advantages, a...), append(r.returns, ret...)
		at += n
	}
	r.whitened = loss.Whiten(r.advantages, true, loss.Bessel)
	return r, nil
}

// ppo checks one update from given roll-outs.
func (o *oracle) ppo(c oracleCase) error {
	in, out, err := c.open()
	if err != nil {
		return err
	}
	r, err := readRollout(in)
	if err != nil {
		return err
	}
	n := len(r.actions)
	k1, k3, full, ratio := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	var rewards []float64
	entropy, sumKL := 0.0, 0.0
	for i := range n {
		k1[i], k3[i] = loss.K1(r.oldLog[i], r.refLog[i]), loss.K3(r.oldLog[i], r.refLog[i])
		full[i] = loss.KL(loss.LogSoftmax(r.old[i]), loss.LogSoftmax(r.ref[i]))
		entropy += loss.Entropy(loss.LogSoftmax(r.new[i])) / float64(n)
		sumKL += k1[i]
		ratio[i] = 1
	}
	at := 0
	for b, n := range r.lengths {
		rewards = append(rewards, loss.Rewards(k1[at:at+n], r.kl, r.scores[b])...)
		at += n
	}
	grad, valueGrad := make([]float64, n), make([]float64, n)
	policy, stats := loss.Policy(r.newLog, r.oldLog, r.whitened, r.clip, n, grad)
	value, clipped := loss.Value(r.valuesNew, r.values, r.returns, r.clipValue, 1, n, nil)
	loss.Value(r.valuesNew, r.values, r.returns, r.clipValue, r.weigh, n, valueGrad)
	ratios := make([]float64, len(r.lengths)*r.steps)
	for i := range ratios {
		ratios[i] = 1 // e^0 where there is no token
	}
	at = 0
	for b, n := range r.lengths {
		for t := range n {
			_, s := loss.Policy(r.newLog[at+t:at+t+1], r.oldLog[at+t:at+t+1], []float64{0}, r.clip, 1, nil)
			ratios[b*r.steps+t] = s.Ratio
		}
		at += n
	}
	for _, q := range []struct {
		key string
		got []float64
	}{
		{"logprobs_old", r.pad(r.oldLog, 1)}, {"logprobs_ref", r.pad(r.refLog, 1)},
		{"kl_k1", r.pad(k1, 1)}, {"kl_k3", r.pad(k3, 1)}, {"kl_full", r.pad(full, 1)},
		{"objective/kl", []float64{sumKL / float64(len(r.lengths))}},
		{"rewards", r.pad(rewards, 1)}, {"advantages", r.pad(r.advantages, 1)}, {"returns", r.pad(r.returns, 1)},
		{"advantages_whitened", r.pad(r.whitened, 1)},
		{"advantages_whitened_population_variance", r.pad(loss.Whiten(r.advantages, true, loss.Population), 1)},
		{"rewards_whitened_no_shift", r.pad(loss.Whiten(rewards, false, loss.Bessel), 1)},
		{"ratio", ratios}, {"loss/policy", []float64{policy}}, {"loss/value", []float64{value}}, {"loss/total", []float64{policy + r.weigh*value}},
		{"policy/clipfrac", []float64{float64(stats.Clipped) / float64(n)}}, {"val/clipfrac", []float64{float64(clipped) / float64(n)}},
		{"policy/approxkl", []float64{stats.ApproxKL / float64(n)}}, {"policy/entropy", []float64{entropy}},
		{"grad_logits_new", r.pad(r.logitsGrad(r.new, grad), len(r.new[0]))}, {"grad_values_new", r.pad(valueGrad, 1)},
	} {
		if err := o.same(out, q.key, oracleBound, q.got...); err != nil {
			return err
		}
	}
	got, logitsGrad, err := r.float32(r.new, func(logProbs, grad []float64) float64 {
		l, _ := loss.Policy(logProbs, r.oldLog, r.whitened, r.clip, n, grad)
		return l
	})
	if err != nil {
		return err
	}
	if err := o.same(out, "loss/policy", oracleBound32, got); err != nil {
		return err
	}
	return o.same(out, "grad_logits_new", oracleBound32, r.pad(logitsGrad, len(r.new[0]))...)
}

// firstRollout returns the inputs of the file's case ppo.
func (o *oracle) firstRollout() (*rollout, error) {
	var c oracleCase
	if err := json.Unmarshal(o.first, &c.fields); err != nil {
		return nil, err
	}
	in, err := c.part("in")
	if err != nil {
		return nil, err
	}
	return readRollout(in)
}

// ppoFirstPass checks the update right after the roll-out, where every ratio is 1.
func (o *oracle) ppoFirstPass(c oracleCase) error {
	r, err := o.firstRollout()
	if err != nil {
		return err
	}
	n := len(r.actions)
	grad := make([]float64, n)
	l, _ := loss.Policy(r.oldLog, r.oldLog, r.whitened, r.clip, n, grad)
	if err := o.same(c, "grad_logits", oracleBound, r.pad(r.logitsGrad(r.old, grad), len(r.old[0]))...); err != nil {
		return err
	}
	want, err := c.flat("loss/policy")
	if err != nil {
		return err
	}
	o.compare(c.name+" loss/policy", []float64{l}, want, "absolute 1e-12", absolute(1e-12)) // minus the mean of whitened advantages: 0
	return nil
}

// klLoss checks KL as a term of the loss.
func (o *oracle) klLoss(c oracleCase) error {
	r, err := o.firstRollout()
	if err != nil {
		return err
	}
	var logits [][][]float64
	var ref [][]float64
	if err := c.read("logits", &logits); err != nil {
		return err
	}
	if err := c.read("logprobs_ref", &ref); err != nil {
		return err
	}
	rows, refLog := pick(r.lengths, logits), pick(r.lengths, ref)
	n := len(rows)
	grad := make([]float64, n)
	l := loss.K3Loss(r.logProbs(rows), refLog, n, grad)
	if err := o.same(c, "loss", oracleBound, l); err != nil {
		return err
	}
	if err := o.same(c, "grad_logits", oracleBound, r.pad(r.logitsGrad(rows, grad), len(rows[0]))...); err != nil {
		return err
	}
	got, logitsGrad, err := r.float32(rows, func(logProbs, grad []float64) float64 { return loss.K3Loss(logProbs, refLog, n, grad) })
	if err != nil {
		return err
	}
	if err := o.same(c, "loss", oracleBound32, got); err != nil {
		return err
	}
	return o.same(c, "grad_logits", oracleBound32, r.pad(logitsGrad, len(rows[0]))...)
}
