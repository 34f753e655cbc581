package align

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"tinygpt/data/instruct"
	"tinygpt/model"
)

// Judge says what answers are worth.
type Judge interface {
	// Name says in a word who judges: "reward", "gold", "command".
	Name() string
	// Scores returns the worth of the answer to each instruction.
	Scores(ctx context.Context, list []Instruction, answers []Answer) ([]float64, error)
}

// RewardJudge is a reward model.
type RewardJudge struct {
	Model *model.Model // with a head; see NewScored
	// Reader, unless nil, reads the answers first: of a reward model with surprise.
	Reader *Reader
	// Mean and Deviation of its scores, of other models' answers: a score is given
	// less the one and divided by the other.
	Mean, Deviation float64

	scorer *scorer
}

// Name is "reward".
func (r *RewardJudge) Name() string { return "reward" }

// Scores are those of the answers' last tokens.
func (r *RewardJudge) Scores(ctx context.Context, list []Instruction, answers []Answer) ([]float64, error) {
	if r.scorer == nil {
		r.scorer = newScorer(r.Model, true)
	}
	all := sequences(list, answers)
	if r.Reader != nil {
		if err := r.Reader.Read(ctx, all); err != nil {
			return nil, err
		}
	}
	scores, err := r.scorer.scores(ctx, all)
	for i := range scores {
		scores[i] = (scores[i] - r.Mean) / r.Deviation
	}
	return scores, err
}

// CommandJudge is a program that is started once for each call of Scores: it reads a
// JSON object a line, {"messages": […], "answer": "…"}, and writes one a line for each,
// {"score": 1.5}.
type CommandJudge struct{ Command string }

// Name is "command".
func (c CommandJudge) Name() string { return "command" }

// Scores runs the command in a shell.
func (c CommandJudge) Scores(ctx context.Context, list []Instruction, answers []Answer) ([]float64, error) {
	var in strings.Builder
	lines := json.NewEncoder(&in)
	lines.SetEscapeHTML(false)
	for i := range list {
		if err := lines.Encode(struct {
			Messages []instruct.Message `json:"messages"`
			Answer   string             `json:"answer"`
			Ended    bool               `json:"ended"`
		}{list[i].Messages, answers[i].Text, answers[i].Ended}); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", c.Command)
	cmd.Stdin = strings.NewReader(in.String())
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("reward command %q: %w: %s", c.Command, err, strings.TrimSpace(failed.String()))
	}
	scores, err := parseScores(strings.NewReader(string(out)))
	if err == nil && len(scores) != len(list) {
		err = fmt.Errorf("%d scores for %d answers", len(scores), len(list))
	}
	if err != nil {
		return nil, fmt.Errorf(`reward command %q: %w: expected a line {"score": NUMBER} for each line that it reads`, c.Command, err)
	}
	return scores, nil
}

// parseScores reads a line {"score": NUMBER} for each answer.
func parseScores(r io.Reader) (scores []float64, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var line struct{ Score *float64 }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Score == nil {
			return nil, fmt.Errorf("line %d is %.60q", n, lines.Text())
		}
		scores = append(scores, *line.Score)
	}
	return scores, lines.Err()
}
