package alignment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tinygpt/configs"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/internal/userfile"
	"tinygpt/run"
	"tinygpt/train"
)

// Course does all steps of InstructGPT, and DPO for comparison, in one folder: it has a run for
// each step, the comparison of the resulting models, and pictures.
type Course struct {
	Dir string
	// Settings are those of all steps. In a folder that an earlier Run has begun they must be
	// those of its first step, apart from Force. Kept takes these instead.
	Settings Settings
	Kept     bool
	Out      io.Writer
	// Report returns a report for a step's training.
	Report   func() train.Report
	Progress Progress
	// Summary is set by Run.
	Summary Summary
}

// courseSteps are the steps in order.
var courseSteps = []struct {
	kind run.Kind
	what string
}{
	{run.SFT, "1. supervised fine-tuning on demonstrations"},
	{run.Reward, "2. a reward model from comparisons"},
	{run.PPO, "3. reinforcement learning for the reward (PPO)"},
	{run.DPO, "for comparison: the same comparisons without a reward model (DPO)"},
}

// summaryFile is the file with the Summary.
const summaryFile = "summary.json"

// Summary has how long each step that is done took, and the results of the models' answers.
type Summary struct {
	Seconds map[string]float64 `json:"seconds"`
	Results []*Result          `json:"results,omitempty"`
}

// parse reads a summary.json.
func (s *Summary) parse(text []byte) error {
	if err := json.Unmarshal(text, s); err != nil {
		return err
	}
	for step, seconds := range s.Seconds {
		if !(seconds >= 0 && seconds <= maxSeconds) {
			return fmt.Errorf("seconds of %s are %g: expected 0 or more", step, seconds)
		}
	}
	if s.Seconds == nil {
		return errors.New("it has no seconds of steps: remove it, then the same command goes on with the runs that are there")
	}
	return nil
}

// maxSeconds is a hundred years.
const maxSeconds = 100 * 365 * 24 * 3600

// Run does the steps that aren't done yet, of which one that was interrupted goes on from its
// checkpoint, then compares the models. When ctx ends it returns train.ErrInterrupted.
func (c *Course) Run(ctx context.Context) error {
	if err := run.MakeStudyFolder(c.Dir); err != nil {
		return err
	}
	if err := c.settle(); err != nil {
		return err
	}
	c.Summary = Summary{Seconds: map[string]float64{}}
	s := &c.Summary
	path := filepath.Join(c.Dir, summaryFile)
	if text, err := userfile.ReadRegular(path); err == nil {
		if err := s.parse(text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	save := func() error {
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return err
		}
		return atomicfile.WriteFile(path, append(text, '\n'))
	}
	for _, step := range courseSteps {
		if _, done := s.Seconds[string(step.kind)]; done {
			fmt.Fprintf(c.Out, "%s: done\n", step.what)
			continue
		}
		fmt.Fprintf(c.Out, "\n%s\n", step.what)
		start := time.Now()
		if err := c.step(ctx, step.kind); err != nil {
			return err
		}
		s.Seconds[string(step.kind)] = time.Since(start).Seconds()
		if err := save(); err != nil {
			return err
		}
	}
	start := time.Now()
	comparison, err := c.compare(ctx)
	if err != nil {
		return err
	}
	s.Seconds["comparison"], s.Results = time.Since(start).Seconds(), comparison.Results
	if err := errors.Join(save(), c.write(comparison)); err != nil {
		return err
	}
	fmt.Fprintln(c.Out)
	comparison.Show(c.Out)
	total := 0.0
	for _, seconds := range s.Seconds {
		total += seconds
	}
	fmt.Fprintf(c.Out, "\ntogether %s; answers: %s, pictures: %s\n", number.Short(time.Duration(total*float64(time.Second))), filepath.Join(c.Dir, answersFile), filepath.Join(c.Dir, "*.svg"))
	return nil
}

// settle compares the settings with those of the first step, if there is one, and takes them
// from there: steps with different settings or bases can't be compared.
func (c *Course) settle() error {
	first := c.dir(run.SFT)
	if run.IsRun(first) != nil {
		return nil
	}
	r, err := run.Open(first)
	if err != nil {
		return err
	}
	asked, began := c.Settings, Settings{}
	if err := r.Section(SectionKey, &began); err != nil {
		return err
	}
	began.Force = began.Force || asked.Force // what a step before may have missed
	c.Settings = began
	if c.Kept {
		return nil
	}
	asked.Force = began.Force
	if asked.From == "" {
		asked.From = began.From
	} else if asked.From, err = filepath.Abs(run.Named(asked.From)); err != nil {
		return err
	}
	before, err := configs.Encode(began)
	if err != nil {
		return err
	}
	now, err := configs.Encode(asked)
	if err != nil {
		return err
	}
	if !bytes.Equal(before, now) {
		return fmt.Errorf("%s was begun with other settings (see %s in it), and what is done with them can't be compared with the rest: leave out --config, --set and --from to go on with them, or name another folder", c.Dir, filepath.Join(string(run.SFT), "config.yaml"))
	}
	return nil
}

// dir returns the folder of a step's run.
func (c *Course) dir(kind run.Kind) string { return filepath.Join(c.Dir, string(kind)) }

// step does one step, or the rest of it.
func (c *Course) step(ctx context.Context, kind run.Kind) error {
	var t *Training
	var err error
	if _, missing := os.Stat(filepath.Join(c.dir(kind), "config.yaml")); missing == nil {
		t, _, err = Resume(ctx, c.dir(kind), "", c.Progress)
	} else {
		s := c.Settings
		if kind != run.SFT {
			s.From = c.dir(run.SFT)
		}
		if kind == run.PPO || kind == run.DPO {
			s.RewardFrom = c.dir(run.Reward)
		}
		t, err = Start(ctx, kind, s, c.dir(kind), c.Progress)
	}
	if err != nil {
		return err
	}
	for _, note := range t.Session.Notes {
		fmt.Fprintln(c.Out, note)
	}
	trainer := t.Session.Trainer
	trainer.Report = c.Report()
	_, stopped, err := t.Train(ctx)
	if err != nil {
		return err
	}
	if stopped != nil {
		fmt.Fprintf(c.Out, "stopped early: %s\n", stopped)
	}
	if kind == run.Reward {
		return t.Show(c.Out)
	}
	return nil
}

// compare compares all models, and the language model from which the first step started.
func (c *Course) compare(ctx context.Context) (*Comparison, error) {
	sft, err := run.Open(c.dir(run.SFT))
	if err != nil {
		return nil, err
	}
	var s Settings
	if err := sft.Section(SectionKey, &s); err != nil {
		return nil, err
	}
	var list []*Contestant
	for _, dir := range []string{c.dir(run.SFT), s.From, c.dir(run.PPO), c.dir(run.DPO)} {
		x, err := OpenContestant(dir, 0)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return Compare(ctx, list, s, s.Evaluation.Prompts, c.Progress)
}

// answersFile has all models' answers to the same prompts.
const answersFile = "answers.txt"

// write writes the answers and the pictures.
func (c *Course) write(x *Comparison) error {
	if err := atomicfile.Write(filepath.Join(c.Dir, answersFile), func(w *os.File) error {
		x.Show(w)
		x.ShowAnswers(w, len(x.Prompts))
		return nil
	}); err != nil {
		return err
	}
	return errors.Join(c.drawSteps(), x.draw(filepath.Join(c.Dir, "preferred.svg")))
}
