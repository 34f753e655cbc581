package loss

import "math"

// K1 returns the estimate log p − log q of KL(p‖q) from one token drawn from p (Schulman,
// Approximating KL divergence, 2020). It is unbiased and may be negative.
func K1(logP, logQ float64) float64 { return logP - logQ }

// K3 returns the estimate r − 1 − log r with r = q/p. It is unbiased and never negative.
func K3(logP, logQ float64) float64 {
	r := logQ - logP
	return math.Expm1(r) - r
}

// KL returns KL(p‖q) in nats of two distributions given by their logarithms.
func KL(logP, logQ []float64) (kl float64) {
	for i, p := range logP {
		kl += math.Exp(p) * (p - logQ[i])
	}
	return kl
}

// K3Loss returns Σ K3(logP, logQ)/tokens, a term of a loss (Shao et al. 2024, DeepSeekMath,
// equation 4), and writes its gradient with respect to logP to grad, which may be nil. This
// gradient differs from that of the KL as a penalty in the reward.
func K3Loss(logP, logQ []float64, tokens int, grad []float64) (loss float64) {
	n := float64(tokens)
	for i := range logP {
		loss += K3(logP[i], logQ[i]) / n
		if grad != nil {
			grad[i] = -math.Expm1(logQ[i]-logP[i]) / n
		}
	}
	return loss
}

// AdaptiveKL returns the KL coefficient after an update whose KL was kl (Ziegler et al.
// 2019, section 2.2): it grows while kl is above the target and shrinks while it is below.
// The relative error kl/target − 1 is clipped to ±0.2, and counts in the proportion of the
// update's episodes to the horizon.
func AdaptiveKL(coefficient, kl, target float64, episodes, horizon int) float64 {
	excess := min(max(kl/target-1, -0.2), 0.2)
	return coefficient * (1 + excess*float64(episodes)/float64(horizon))
}
