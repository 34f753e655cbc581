package align

import "math"

// measureNames returns the names of all measures that an update may have: trl's where it has
// the measure.
func (p *policy) measureNames() []string {
	names := []string{
		"lr", "episode", "objective/kl_coef", "objective/scores", "objective/kl", "objective/non_score_reward", "objective/entropy",
		"objective/kl_full", "objective/rlhf_reward", "sampler/max_logprob_difference", "val/num_eos_tokens", "val/var_explained",
		"completions/mean_length", "completions/clipped_ratio", "completions/distinct", "completions/distinct_1", "completions/repeated_4",
		"score/length_correlation", "reward", "reward_std", "frac_reward_zero_std",
		"loss/policy_avg", "policy/clipfrac_avg", "policy/approxkl_avg", "policy/entropy_avg", "val/ratio", "val/ratio_var", "kl", "ptx/loss",
		"loss/value_avg", "val/clipfrac_avg",
	}
	if p.Gold != nil {
		names = append(names, "objective/"+p.Gold.Name())
	}
	return names
}

// notMeasured returns what a checkpoint has for measures that weren't taken: NaN for each.
func notMeasured(names []string) []float64 {
	values := make([]float64, len(names))
	fill(values, math.NaN())
	return values
}

// measures returns the measures of the current update: those of its roll-out, and sums to which
// each step adds its share of a mean. A run that goes on within an update starts from those of
// its checkpoint.
func (p *policy) measures() map[string]float64 {
	if p.seen == nil {
		p.seen = map[string]float64{}
		for i, name := range p.measureNames() {
			if x := p.kept[i]; !math.IsNaN(x) {
				p.seen[name] = x
			}
		}
	}
	return p.seen
}

// keepMeasures writes the measures to p.kept, from which a checkpoint takes them.
func (p *policy) keepMeasures() {
	if p.seen == nil {
		return
	}
	for i, name := range p.measureNames() {
		p.kept[i] = math.NaN()
		if x, ok := p.seen[name]; ok {
			p.kept[i] = x
		}
	}
}

// Values returns the measures of an update after its last step, and nil after the others.
func (p *policy) Values(step int) map[string]float64 {
	if step%p.steps != p.steps-1 {
		return nil
	}
	for name, x := range p.measures() {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			delete(p.seen, name)
		}
	}
	return p.seen
}
