package align

import "math"

// measureNames are all measures that an update may have.
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

// notMeasured is what a checkpoint has for measures that there aren't.
func notMeasured(names []string) []float64 {
	values := make([]float64, len(names))
	fill(values, math.NaN())
	return values
}

// measures are those of the present update: those of its roll-out, and means over its steps
// that grow with each. A run that goes on within an update begins with what its checkpoint
// has kept.
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

// keepMeasures writes the measures to where a checkpoint takes them from.
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

// Values are the measures of an update, after its last step.
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
