package loss

import "math"

// Rewards are those of an answer's tokens: −β·kl at each, and the score at the last,
// which is the end of text if the answer has one (Ouyang et al. 2022, equation 2).
func Rewards(kl []float64, beta, score float64) []float64 {
	r := make([]float64, len(kl))
	for i, k := range kl {
		r[i] = -beta * k
	}
	r[len(r)-1] += score
	return r
}

// GAE are the advantages of an answer's tokens, Σ (γλ)^k δ_{t+k} with
// δ_t = r_t + γ·V_{t+1} − V_t and nothing after the last token (Schulman et al. 2016,
// equation 16), and the returns, advantage + value, that values are fitted to.
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

// Whitening says how Whiten divides: by the deviation with Bessel's correction, as
// torch and trl, or by that of the population, as OpenAI's code for Ziegler et al.
type Whitening bool

// The ways of Whitening.
const (
	Bessel     Whitening = false
	Population Whitening = true
)

// Whiten returns x with mean 0 (or with shift false its own) and variance 1. It is over
// the tokens of the whole batch.
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

// Policy is the clipped objective of PPO as a loss (Schulman et al. 2017, equation 7):
// Σ max(−A·r, −A·clip(r, 1−ε, 1+ε))/tokens, r = π/π_old, with its gradient by log π,
// which is 0 where the clipped side is the larger one. grad may be nil.
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

// Value is the loss of the value function: Σ ½·max((v − R)², (v_clip − R)²)/tokens, where
// v_clip is v kept within clip of what it was at the roll-out (Schulman et al. 2017's
// code; lm-human-preferences); clipped counts the tokens where that side was taken. Times
// weight, its gradient is written to grad, which may be nil.
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

// GroupAdvantages are those of GRPO (Shao et al. 2024, section 4.1.1): the rewards of the
// answers to one prompt less their mean and, with scale, divided by their standard
// deviation (Bessel's) + 1e-4. The floor keeps a deviation of rounding errors from
// making advantages of thousands: one below floor counts as none. spread says that the
// rewards differ.
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

// floor is the least deviation of a group's rewards, relative to their size, that isn't
// taken for rounding.
const floor = 1e-6

// LeaveOneOut are the rewards of the answers to one prompt, each less the mean of the
// others (RLOO, Ahmadian et al. 2024).
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
