package fewshot

import (
	"context"
	"fmt"
	"io"
)

// Show writes the first trial of each task, with each number of shots, as the model reads it,
// and the score of each choice; > marks the model's answer.
func (m Measurement) Show(ctx context.Context, w io.Writer, s *Scorer) error {
	if err := m.Check(); err != nil {
		return err
	}
	for _, t := range m.Tasks {
		trial := t.Trial(m.Seed, 0, m.Shots[len(m.Shots)-1])
		answers, err := s.Answer(ctx, []Trial{trial}, m.Shots, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name(), err)
		}
		for k, shots := range m.Shots {
			shown := Trial{Shots: trial.Shots[:shots], Query: trial.Query}
			fmt.Fprintf(w, "== %s (%s), %s\n%s\n", t.Name(), t.About(), shotsName(shots), s.Layout.Prompt(shown))
			for i, choice := range trial.Query.Choices {
				mark, right := " ", ""
				if i == answers[k][0].Choice {
					mark = ">"
				}
				if i == trial.Query.Answer {
					right = "  (right)"
				}
				fmt.Fprintf(w, "   %s %8.3f  %s%s\n", mark, answers[k][0].Scores[i], choice, right)
			}
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
	}
	return nil
}
