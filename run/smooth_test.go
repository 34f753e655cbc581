package run

import (
	"testing"

	"tinygpt/train"
)

// Of a long run no more is held than is returned: at most n steps, evenly spaced, the first
// and the last one among them, and evaluations where they were.
func TestSmoothLong(t *testing.T) {
	s := smoother{most: 100}
	for step := 1; step <= 20_000; step++ {
		s.add(train.Metrics{Step: step, Loss: 2})
		if step%2500 == 0 {
			s.add(train.Metrics{Step: step, ValLoss: 1})
		}
		if step%97 != 0 && step > 300 {
			continue
		}
		if n := cap(s.kept); n > 400 {
			t.Fatalf("after %d steps there is room for %d lines", step, n)
		}
		points := s.points()
		before, steps := 0, 0
		for i, p := range points {
			if p.Step < before {
				t.Fatalf("after %d steps: step %d comes after step %d", step, p.Step, before)
			}
			if p.ValLoss == 0 {
				steps++
				if i > 0 && p.Step != step && (p.Step-1)%s.every != 0 {
					t.Fatalf("after %d steps, each %d: step %d", step, s.every, p.Step)
				}
			}
			before = p.Step
		}
		if steps > 100 || steps < min(step, 50) || points[0].Step != 1 || points[len(points)-1].Step != step {
			t.Fatalf("after %d steps: %d steps, from %d to %d", step, steps, points[0].Step, points[len(points)-1].Step)
		}
	}
}
