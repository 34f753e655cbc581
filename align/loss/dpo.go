package loss

// Kind is a loss of preferences without a reward model.
type Kind string

// The kinds.
const (
	DPO   Kind = "dpo"   // −log σ(β·Δ) (Rafailov et al. 2023, equation 7)
	IPO   Kind = "ipo"   // (Δ − 1/(2β))² (Azar et al. 2023, equation 17)
	Hinge Kind = "hinge" // max(0, 1 − β·Δ) (Zhao et al. 2023, SLiC)
)

// Kinds lists all kinds.
var Kinds = []Kind{DPO, IPO, Hinge}

// Preference is a loss of pairs of answers, with its settings.
type Preference struct {
	Kind Kind
	Beta float64 // β
	// Smoothing is the assumed share of pairs that are labelled the wrong way round
	// (conservative DPO). Only DPO uses it.
	Smoothing float64
}

// Pair returns the loss of a pair of answers with
//
//	Δ = (log π(chosen) − log π_ref(chosen)) − (log π(rejected) − log π_ref(rejected)),
//
// and its derivative with respect to log π(chosen). That with respect to log π(rejected) is
// its negative.
func (p Preference) Pair(delta float64) (loss, gradChosen float64) {
	switch x := p.Beta * delta; p.Kind {
	case IPO:
		d := delta - 1/(2*p.Beta)
		return d * d, 2 * d
	case Hinge:
		if x >= 1 {
			return 0, 0
		}
		return 1 - x, -p.Beta
	default:
		return -(1-p.Smoothing)*LogSigmoid(x) - p.Smoothing*LogSigmoid(-x),
			-p.Beta * ((1-p.Smoothing)*Sigmoid(-x) - p.Smoothing*Sigmoid(x))
	}
}
