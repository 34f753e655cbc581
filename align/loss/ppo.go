package loss

import "math"

// Rewards returns the rewards of an answer's tokens: −β·kl at each, plus the score at the last,
// which is the end of text if the answer has one (Ouyang et al. 2022, equation 2).
func Rewards(kl []float64, beta, score float64) []float64 {
	r := make([]float64, len(kl))
	for i, k := range kl {
		r[i] = -beta * k
	}
	r[len(r)-1] += score
	return r
}

// GAE returns the advantages of an answer's tokens, Σ (γλ)^k δ_{t+k} with
// δ_t = r_t + γ·V_{t+1} − V_t and V = 0 after the last token (Schulman et al. 2016, equation
// 16), and the returns, advantage + value, which the value model is fitted to.
func GAE(rewards, values []float64, gamma, lambda float64) (advantages, returns []float64) {
	advantages, returns = make([]float64, len(rewards)), make([]float64, len(rewards))
	next, sum := 0.0, 0.0
	for t := len(rewards) - 1; t >= 0; t-- {
		sum = rewards[t] + gamma*next - values[t] + gamma*lambda*sum
		advantages[t], returns[t] = sum, sum+values[t]
		next = values[t]
	}
	return advantages, returns
}

// Whitening says by which standard deviation Whiten divides.
type Whitening bool

const (
	// Bessel is the deviation with Bessel's correction, as in torch and trl.
	Bessel Whitening = false
	// Population is that of the population, as in OpenAI's code for Ziegler et al.
	Population Whitening = true
)

// Whiten returns x, the numbers of the tokens of a whole batch, scaled to variance 1, and to
// mean 0 if shift is set; otherwise they keep their mean.
func Whiten(x []float64, shift bool, w Whitening) []float64 {
	n := float64(len(x))
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / n
	}
	if w == Bessel && n > 1 {
		variance *= n / (n - 1)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v - mean) / math.Sqrt(variance+1e-8)
		if !shift {
			out[i] += mean
		}
	}
	return out
}

// PolicyStats are sums over the tokens of a call of Policy.
type PolicyStats struct {
	Clipped  int     // tokens whose ratio was clipped
	ApproxKL float64 // Σ ½(log π − log π_old)²
	Ratio    float64 // Σ π/π_old
}

// Policy returns the clipped objective of PPO as a loss (Schulman et al. 2017, equation 7):
// Σ max(−A·r, −A·clip(r, 1−ε, 1+ε))/tokens, where r = π/π_old, clip is ε, and tokens is the
// number of tokens of the whole batch. grad, which may be nil and must be 0 at first, gets the
// gradient with respect to log π, which is 0 where the clipped side is the larger one.
func Policy(logProbs, old, advantages []float64, clip float64, tokens int, grad []float64) (loss float64, s PolicyStats) {
	n := float64(tokens)
	for i, l := range logProbs {
		d := l - old[i]
		r, a := math.Exp(d), advantages[i]
		free, bound := -a*r, -a*min(max(r, 1-clip), 1+clip)
		s.ApproxKL += d * d / 2
		s.Ratio += r
		if bound > free {
			s.Clipped++
			loss += bound / n
			continue
		}
		loss += free / n
		if grad != nil {
			grad[i] = free / n
		}
	}
	return loss, s
}

// Value returns weight times the loss of the value function,
// Σ ½·max((v − R)², (v_clip − R)²)/tokens, where v_clip is v kept within clip of old, its value
// at the roll-out (the code of Schulman et al. 2017; lm-human-preferences). clipped counts the
// tokens where v_clip's side is the larger one. grad, which may be nil and must be 0 at first,
// gets the gradient with respect to the values.
func Value(values, old, returns []float64, clip, weight float64, tokens int, grad []float64) (loss float64, clipped int) {
	n := float64(tokens)
	for i, v := range values {
		kept := min(max(v, old[i]-clip), old[i]+clip)
		free, bound := v-returns[i], kept-returns[i]
		if bound*bound > free*free {
			clipped++
			loss += bound * bound / 2 / n
			continue
		}
		loss += free * free / 2 / n
		if grad != nil {
			grad[i] = weight * free / n
		}
	}
	return weight * loss, clipped
}

// GroupAdvantages returns GRPO's advantages of the answers to one prompt (Shao et al. 2024,
// section 4.1.1): their rewards minus the mean and, with scale, divided by their standard
// deviation (Bessel's) + 1e-4. spread reports whether the rewards differ. If they differ by
// rounding errors alone, see floor, the advantages are 0.
func GroupAdvantages(rewards []float64, scale bool) (advantages []float64, spread bool) {
	n := float64(len(rewards))
	mean, variance := 0.0, 0.0
	for _, r := range rewards {
		mean += r / n
	}
	for _, r := range rewards {
		variance += (r - mean) * (r - mean) / max(n-1, 1)
	}
	deviation := math.Sqrt(variance)
	spread = deviation > floor*max(1, math.Abs(mean))
	advantages = make([]float64, len(rewards))
	for i, r := range rewards {
		switch {
		case !spread:
		case scale:
			advantages[i] = (r - mean) / (deviation + 1e-4)
		default:
			advantages[i] = r - mean
		}
	}
	return advantages, spread
}

// floor is the deviation of a group's rewards, relative to their size, up to which it is taken
// for rounding errors.
const floor = 1e-6

// LeaveOneOut returns the rewards of the answers to one prompt, each minus the mean of the
// others (RLOO, Ahmadian et al. 2024). There must be two or more.
func LeaveOneOut(rewards []float64) []float64 {
	sum, out := 0.0, make([]float64, len(rewards))
	for _, r := range rewards {
		sum += r
	}
	for i, r := range rewards {
		out[i] = r - (sum-r)/float64(len(rewards)-1)
	}
	return out
}
