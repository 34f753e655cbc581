package align

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"
	"time"

	"tinygpt/data/instruct"
	"tinygpt/model"
)

// Judge says how good answers are.
type Judge interface {
	// Name is one word for who judges: "reward", "gold", "command".
	Name() string
	// Scores returns the score of the answer to each instruction; larger is better.
	Scores(ctx context.Context, list []Instruction, answers []Answer) ([]float64, error)
}

// RewardJudge judges with a reward model.
type RewardJudge struct {
	Model *model.Model // with a head; see NewScored
	// Reader, unless nil, sets the types of the answers' tokens first, for a reward model that
	// was trained with surprise.
	Reader *Reader
	// Mean and Deviation standardise the scores: what Scores returns is
	// (score − Mean)/Deviation.
	Mean, Deviation float64

	scorer *scorer
}

// Name returns "reward".
func (r *RewardJudge) Name() string { return "reward" }

// Scores returns the standardised scores, which the model's head computes at the last token of
// each answer. The end of ctx is an error.
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
	for i, x := range scores {
		if scores[i] = (x - r.Mean) / r.Deviation; math.IsNaN(scores[i]) || math.IsInf(scores[i], 0) {
			return nil, fmt.Errorf("the reward model's score of an answer is %v: its weights are damaged, or its training diverged", scores[i])
		}
	}
	return scores, err
}

// CommandJudge judges with a program, which is started once for each call of Scores. It reads
// lines of JSON, {"messages": […], "answer": "…", "ended": true} for each answer, where ended
// says that the model ended the answer itself, and writes a line {"score": 1.5} for each.
type CommandJudge struct{ Command string }

// Name returns "command".
func (c CommandJudge) Name() string { return "command" }

// Scores runs the command with sh -c. The error of a command that fails ends with what the
// command wrote to stderr; a line that isn't a score names the line.
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
	cmd.WaitDelay = leftBehind
	out, failed := output{most: 1<<20 + len(list)<<10}, output{most: 1 << 20}
	cmd.Stdout, cmd.Stderr = &out, &failed
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case out.full || failed.full:
		return nil, fmt.Errorf("reward command %q: it writes more than %d bytes for %d answers", c.Command, out.most, len(list))
	case errors.Is(err, exec.ErrWaitDelay):
		return nil, fmt.Errorf("reward command %q: it has ended, but left a program behind that holds its output open", c.Command)
	case err != nil:
		return nil, fmt.Errorf("reward command %q: %w: %s", c.Command, err, bytes.TrimSpace(failed.text))
	}
	scores, err := parseScores(bytes.NewReader(out.text))
	if err == nil && len(scores) != len(list) {
		err = fmt.Errorf("it wrote %d scores for %d answers", len(scores), len(list))
	}
	if err != nil {
		return nil, fmt.Errorf(`reward command %q: %w: expected a line {"score": NUMBER} for each line that it reads`, c.Command, err)
	}
	return scores, nil
}

// leftBehind is how long a reward command's own programs may write after it has ended, or after
// it is stopped.
var leftBehind = 5 * time.Second

// output takes what a program writes, up to most bytes: then the program's pipe breaks.
type output struct {
	text []byte
	most int
	full bool
}

// Write keeps p, or fails once there is more than most.
func (o *output) Write(p []byte) (int, error) {
	if o.full = o.full || len(o.text)+len(p) > o.most; o.full {
		return 0, errors.New("too much output")
	}
	o.text = append(o.text, p...)
	return len(p), nil
}

// parseScores reads lines {"score": NUMBER}. It skips blank lines.
func parseScores(r io.Reader) (scores []float64, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var line struct{ Score *float64 }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Score == nil {
			return nil, fmt.Errorf("line %d of its output is %.60q", n, lines.Text())
		}
		scores = append(scores, *line.Score)
	}
	return scores, lines.Err()
}
