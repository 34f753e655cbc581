package run

import (
	"slices"

	"tinygpt/finetune"
	"tinygpt/train"
)

// smoothing is the time constant, in steps, of the exponential means that are drawn.
const smoothing = 20

// Smooth returns at most n steps of a run's metrics, evenly chosen, and the last one, and
// every evaluation. Loss and gradient norm become exponential means over about 20 steps,
// because those of single batches jump. Evaluations are kept as they are; times are left
// out.
func Smooth(all []train.Metrics, n int) []train.Metrics {
	s := smoother{most: n}
	for _, m := range all {
		s.add(m)
	}
	return s.points()
}

// smoother is Smooth of lines that come one after the other. It holds no more than it
// returns, however long the run is.
type smoother struct {
	most       int
	loss, norm mean
	steps      int             // added
	every      int             // each of these many steps is kept: a power of two
	kept       []train.Metrics // with all evaluations
	keptSteps  int             // of them
	last       train.Metrics   // the last step
	after      int             // how many of kept came before it
}

func (s *smoother) add(m train.Metrics) {
	m.Elapsed, m.TokensPerSec = 0, 0
	if m.ValLoss != 0 {
		s.kept = append(s.kept, m)
		return
	}
	if labels, ok := m.Values[finetune.LabelLoss]; ok {
		m.Loss = labels // what evaluations measure
	}
	m.Loss, m.GradNorm = s.loss.add(m.Loss), s.norm.add(m.GradNorm)
	s.every = max(s.every, 1)
	s.last, s.after = m, len(s.kept)
	if s.steps%s.every == 0 {
		s.kept, s.keptSteps = append(s.kept, m), s.keptSteps+1
		s.after++
	}
	s.steps++
	for s.keptSteps > max(s.most-s.extra(), 1) {
		s.thin()
	}
}

// extra is 1 if the last step isn't one of those that are kept.
func (s *smoother) extra() int { return min((s.steps-1)%s.every, 1) }

// thin drops every second step.
func (s *smoother) thin() {
	s.every *= 2
	n, before, kept := 0, s.after, s.kept[:0]
	for i, m := range s.kept {
		if m.ValLoss == 0 {
			if n++; n%2 == 0 {
				s.keptSteps--
				if i < before {
					s.after--
				}
				continue
			}
		}
		kept = append(kept, m)
	}
	s.kept = kept
}

// points are the steps and evaluations that are left.
func (s *smoother) points() []train.Metrics {
	if s.steps == 0 || s.extra() == 0 {
		return slices.Clone(s.kept)
	}
	return slices.Insert(slices.Clone(s.kept), s.after, s.last)
}

// mean is an exponential mean, corrected for its start at 0 (Kingma and Ba 2015,
// section 3).
type mean struct{ sum, weight float64 }

func (m *mean) add(x float64) float64 {
	m.sum += (x - m.sum) / smoothing
	m.weight += (1 - m.weight) / smoothing
	return m.sum / m.weight
}
