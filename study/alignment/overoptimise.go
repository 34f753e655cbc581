package alignment

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"tinygpt/align"
	"tinygpt/configs"
	"tinygpt/data/instruct"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
	"tinygpt/run"
)

// Overoptimisation is the experiment of Gao, Schulman and Hilton 2022: reward models (proxies)
// are trained on growing amounts of data, answers are optimised for their rewards by best of n
// and by PPO without a price of KL, and gold says how good the answers really are.
type Overoptimisation struct {
	// Reward is the run of a reward model, on whose comparisons the proxies are trained. The
	// policy is the model that wrote the answers.
	Reward string
	// Prompts has for each proxy the number of prompts whose comparisons it is trained on.
	Prompts []int
	// BestOf is how many answers are drawn to each of Held held-out prompts.
	BestOf, Held int
	// Updates is the number of PPO's updates; 0: only best of n.
	Updates int
	Seeds   int
}

// Point is a place on a curve of optimisation.
type Point struct {
	Prompts  int     `json:"prompts"` // that the proxy was trained on
	Seed     uint64  `json:"seed"`
	Method   string  `json:"method"` // best-of-n or ppo
	Step     int     `json:"step"`   // n, or the number of updates
	KL       float64 `json:"kl"`     // nats an answer
	Proxy    float64 `json:"proxy"`
	Gold     float64 `json:"gold"`
	Tokens   float64 `json:"tokens"`
	Accuracy float64 `json:"accuracy"` // of the proxy, on validation pairs
}

// The methods.
const (
	methodBestOf = "best-of-n"
	methodPPO    = "ppo"
)

// pointsFile has the points of the proxies that are done.
const pointsFile = "points.jsonl"

// experimentFile has the settings that all points have in common.
const experimentFile = "overoptimise.yaml"

// Run does the experiment in the folder dir, but not again for proxies whose points are there
// already. It returns all points. say gets a line about each proxy.
func (o Overoptimisation) Run(ctx context.Context, dir string, p Progress, say func(string)) ([]Point, error) {
	if err := run.MakeStudyFolder(dir); err != nil {
		return nil, err
	}
	unlock, err := run.Lock(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	points, err := readPoints(filepath.Join(dir, pointsFile))
	if err != nil {
		return nil, err
	}
	r, err := run.Open(o.Reward)
	if err != nil {
		return nil, err
	}
	var s Settings
	if err := r.Section(SectionKey, &s); err != nil {
		return nil, err
	}
	if !r.Kind.Is(run.Reward) || len(s.Data) > 0 {
		return nil, fmt.Errorf("%s: expected a reward model's run with comparisons of the built-in world", o.Reward)
	}
	x := &overoptimiser{Overoptimisation: o, settings: s, dir: dir, progress: p, say: say}
	if err := x.open(ctx); err != nil {
		return nil, err
	}
	for seed := range uint64(o.Seeds) {
		for _, n := range o.Prompts {
			if done(points, n, seed) {
				continue
			}
			more, err := x.proxy(ctx, n, seed)
			if err != nil {
				return points, err
			}
			points = append(points, more...)
			// The file has all points of a proxy or none.
			var lines bytes.Buffer
			if err := atomicfile.WriteLines(&lines, points); err != nil {
				return points, err
			}
			if err := atomicfile.WriteFile(filepath.Join(dir, pointsFile), lines.Bytes()); err != nil {
				return points, err
			}
		}
	}
	return points, nil
}

// readPoints reads the points of an experiment that was stopped; none if there is no file.
func readPoints(path string) ([]Point, error) {
	f, err := userfile.OpenRegular(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parsePoints(f, path)
}

// parsePoints reads lines of points; name is for errors.
func parsePoints(r io.Reader, name string) ([]Point, error) {
	points, err := atomicfile.ParseLines[Point](r, name)
	for i, p := range points {
		small := p.KL >= 0
		for _, x := range []float64{p.KL, p.Proxy, p.Gold, p.Tokens, p.Accuracy} {
			small = small && math.Abs(x) <= maxOfPoint
		}
		if !small || p.Step < 0 || p.Method != methodBestOf && p.Method != methodPPO {
			return nil, fmt.Errorf("%s:%d: not a point that this program wrote: %+v", name, i+1, p)
		}
	}
	return points, err
}

// maxOfPoint is far above any number of a point.
const maxOfPoint = 1e9

// done reports whether the points of a proxy are there.
func done(points []Point, prompts int, seed uint64) bool {
	return slices.ContainsFunc(points, func(p Point) bool { return p.Prompts == prompts && p.Seed == seed })
}

// overoptimiser is an experiment in progress.
type overoptimiser struct {
	Overoptimisation
	settings      Settings
	dir           string
	progress      Progress
	say           func(string)
	source        *source
	groups, valid []align.Group
	drawn         *Drawn
}

// open reads the comparisons and draws the answers for best of n.
func (x *overoptimiser) open(ctx context.Context) (err error) {
	r, m, format, err := openAligned(x.settings.answerer())
	if err != nil {
		return err
	}
	x.source = &source{settings: &x.settings, format: format, context: r.Config.Model.Context}
	for _, file := range []struct {
		name string
		into *[]align.Group
	}{{comparisonsFile, &x.groups}, {validFile, &x.valid}} {
		examples, err := instruct.Read(filepath.Join(x.Reward, file.name))
		if err == nil {
			err = x.source.inputs.addExamples(examples)
		}
		if err != nil {
			return err
		}
		if *file.into, err = x.source.groups(examples); err != nil {
			return err
		}
	}
	x.source.inputs.addWeights(m)
	if err := x.compareSettings(); err != nil {
		return err
	}
	x.drawn, err = Draw(ctx, x.settings.answerer(), x.settings, x.Held, x.BestOf, x.progress)
	return err
}

// compareSettings returns an error if the points that are in the folder are of an experiment
// with other settings, comparisons or weights: they don't belong on the same curves. More sizes
// and seeds may be added later.
func (x *overoptimiser) compareSettings() error {
	now, err := configs.Encode(struct {
		BestOf      int    `yaml:"n"`
		Held        int    `yaml:"held_out"`
		Updates     int    `yaml:"updates"`
		Comparisons string `yaml:"comparisons_sha256"`
		Weights     string `yaml:"weights_sha256"`
	}{x.BestOf, x.Held, x.Updates, hex.EncodeToString(x.source.inputs.examples.Sum(nil)), hex.EncodeToString(x.source.inputs.weights.Sum(nil))})
	if err != nil {
		return err
	}
	_, err = run.KeepSettings(x.dir, experimentFile, "an experiment with other settings, comparisons or weights", now)
	return err
}

// proxy trains a reward model on n prompts and returns the points of optimising for it.
func (x *overoptimiser) proxy(ctx context.Context, n int, seed uint64) ([]Point, error) {
	_, m, _, err := openAligned(x.settings.From)
	if err != nil {
		return nil, err
	}
	scored, err := align.NewScored(m, x.settings.World.Seed+seed)
	if err != nil {
		return nil, err
	}
	groups := make([]align.Group, 0, n)
	for _, i := range rand.New(rand.NewPCG(seed, 77)).Perm(len(x.groups))[:min(n, len(x.groups))] {
		groups = append(groups, x.groups[i])
	}
	c := x.settings.Config
	c.World.Seed += seed
	c.Reward.Epochs = max(1, min(4, 800/n)) // more for few prompts, but not so many that they are memorised
	session, err := align.NewReward(scored, groups, x.valid, c)
	if err != nil {
		return nil, err
	}
	steps := session.Trainer.Config.Steps
	for i := range steps {
		x.progress(fmt.Sprintf("reward model of %d prompts", n), i, steps)
		if _, err := session.Trainer.Step(ctx); err != nil {
			return nil, err
		}
	}
	x.progress(fmt.Sprintf("reward model of %d prompts", n), steps, steps)
	measures, _, err := align.MeasureReward(scored, groups, x.valid, nil)
	if err != nil {
		return nil, err
	}
	judge := &align.RewardJudge{Model: scored, Deviation: max(measures.Deviation, 1e-6)}
	x.say(fmt.Sprintf("reward model of %d prompts, seed %d: right about %.1f %% of the validation pairs (length only %.1f %%)", n, seed, 100*measures.Accuracy, 100*measures.LengthOnly))
	chosen, err := x.drawn.BestOf(ctx, judge)
	if err != nil {
		return nil, err
	}
	var points []Point
	for _, b := range chosen {
		points = append(points, Point{n, seed, methodBestOf, b.N, b.KL, b.Proxy, b.Gold, b.Tokens, measures.Accuracy})
	}
	if x.Updates == 0 {
		return points, nil
	}
	more, err := x.optimise(ctx, judge, n, seed, measures.Accuracy)
	return append(points, more...), err
}

// optimise trains a policy by PPO without a price of KL and returns a point for each update.
func (x *overoptimiser) optimise(ctx context.Context, judge *align.RewardJudge, n int, seed uint64, accuracy float64) (points []Point, err error) {
	_, m, _, err := openAligned(x.settings.answerer())
	if err != nil {
		return nil, err
	}
	c := x.settings.PPO
	c.KL, c.KLTarget, c.MaxKL, c.Updates = 0, 0, 0, x.Updates
	in := align.PolicyInputs{Model: m, Value: judge.Model, Generator: x.source.generator(), Reward: judge, Gold: Gold{}, Seed: x.settings.World.Seed + seed}
	if in.Prompts, err = x.source.instructions(x.source.prompts(instruct.PPO, false)); err != nil {
		return nil, err
	}
	session, err := align.NewPolicy(in, c, nil)
	if err != nil {
		return nil, err
	}
	for i := range session.Trainer.Config.Steps {
		metrics, err := session.Trainer.Step(ctx)
		if err != nil {
			return nil, err
		}
		if v := metrics.Values; v != nil {
			update := (i + 1) / session.StepsOfUpdate()
			x.progress(fmt.Sprintf("PPO on the reward model of %d prompts", n), update, x.Updates)
			points = append(points, Point{n, seed, methodPPO, update, math.Max(0, v["objective/kl_full"]), v["objective/scores"], v["objective/gold"], v["completions/mean_length"], accuracy})
		}
	}
	return points, nil
}
