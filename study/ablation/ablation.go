// Package ablation measures what pre-training contributes (Radford et al. 2018, table 5): it
// fine-tunes with parts left out, on few and on many labelled examples, and compares with
// models that don't know the order of words.
package ablation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tinygpt/configs"
	"tinygpt/finetune"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/interrupt"
	"tinygpt/internal/userfile"
	"tinygpt/run"
	"tinygpt/study/baseline"
)

// Arm is one of the models that are compared.
type Arm struct {
	Name string
	Key  string // its name in Study.Only
	// Mixed is the model of the arm before it, mixed with n-grams; Scratch starts from random
	// weights; NoAuxiliary leaves L1 out; Baseline is the linear model over n-grams; Averaged is
	// fastText's classifier.
	Mixed, Scratch, NoAuxiliary, Baseline, Averaged bool
}

// Keys are the names of the arms in Study.Only.
var Keys = []string{full, withoutAuxiliary, scratch, ngrams}

const (
	full             = "full"
	withoutAuxiliary = "lambda-0"
	scratch          = "scratch"
	ngrams           = "ngrams"
)

// Arms returns all arms but that of averaged vectors. lambda is λ of L2 + λ·L1.
func Arms(lambda float64) []Arm {
	name := fmt.Sprintf("pre-trained, λ = %g", lambda)
	return []Arm{
		{Name: name, Key: full},
		{Name: name + ", with n-grams", Key: full, Mixed: true},
		{Name: "pre-trained, λ = 0", Key: withoutAuxiliary, NoAuxiliary: true},
		{Name: "no pre-training", Key: scratch, Scratch: true},
		{Name: "n-grams", Key: ngrams, Baseline: true},
	}
}

// averaged is one more arm: fastText's classifier.
var averaged = Arm{Name: "averaged vectors", Averaged: true}

// Point is one model's result.
type Point struct {
	Arm      string  `json:"arm"`
	Examples int     `json:"examples"`
	Seed     uint64  `json:"seed"`
	Metric   string  `json:"metric"`
	Score    float64 `json:"score"` // on the test set
	Dev      float64 `json:"dev"`   // on the development set
	Seconds  float64 `json:"seconds"`
	// SHA256 is the checksum of the examples that it was trained and measured on, StartSHA256
	// that of the weights that pre-trained models start from.
	SHA256      string `json:"sha256,omitempty"`
	StartSHA256 string `json:"start_sha256,omitempty"`
}

// Files of an ablation's folder.
const (
	pointsFile = "points.jsonl"
	// sessionFolder has the fine-tuning that is in progress.
	sessionFolder = "session"
	configFile    = "ablation.yaml"
	tableFile     = "table.md"
	pictureFile   = "ablation.svg"
	pngFile       = "ablation.png"
)

// Study is an ablation.
type Study struct {
	Config   configs.Config
	Examples *finetune.Examples
	Setup    *finetune.Setup // what finetune.Load found in Examples
	Sizes    []int           // numbers of training examples, ascending
	Seeds    int
	// Only has the Keys of the arms that are fitted, empty for all. The table shows what the
	// folder has of the others, too.
	Only []string
	// Averaged adds an arm for fastText's classifier.
	Averaged bool
	Dir      string
	// Done is called after each result, with the number of results so far and in all.
	Done func(p Point, done, all int)

	arms   []Arm
	start  string // the checksum of the pre-trained weights
	points []Point
	log    *atomicfile.Lines
}

// Sizes returns the wanted sizes below all, ascending, and all as the last.
func Sizes(wanted []int, all int) (sizes []int) {
	for _, n := range wanted {
		if n > 0 && n < all {
			sizes = append(sizes, n)
		}
	}
	slices.Sort(sizes)
	return append(slices.Compact(sizes), all)
}

// Run computes the results that the folder doesn't have yet, and writes the table and the
// picture. When ctx ends it returns train.ErrInterrupted; results so far stay, and the next Run
// goes on from there. A folder with other settings or other examples is an error.
func (s *Study) Run(ctx context.Context) error {
	if s.Config.Finetune.Adapt > 0 {
		return errors.New("finetune.adapt: an ablation doesn't adapt weights: leave --adapt out, or start from an adapted run with --from")
	}
	s.arms = Arms(s.Config.Finetune.Lambda)
	if s.Averaged {
		s.arms = append(s.arms, averaged)
	}
	if err := run.MakeStudyFolder(s.Dir); err != nil {
		return err
	}
	unlock, err := run.Lock(s.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.open(); err != nil {
		return err
	}
	defer s.log.Close()
	all := len(s.points)
	for _, size := range s.Sizes {
		for i, arm := range s.arms {
			for _, seed := range s.seeds(arm, size) {
				// An earlier program measured no mixture with what it trained.
				if !s.has(arm.Name, size, seed) && !(arm.Mixed && s.has(s.arms[i-1].Name, size, seed)) {
					all++
				}
			}
		}
	}
	// Small sizes come first, since they are quick.
	for _, size := range s.Sizes {
		for i := range s.Seeds {
			for which, arm := range s.arms {
				seed := s.Config.Train.Seed + uint64(i)
				if arm.Mixed || !slices.Contains(s.seeds(arm, size), seed) || s.has(arm.Name, size, seed) {
					continue
				}
				if err := s.fit(ctx, which, size, seed, all); err != nil {
					return err
				}
			}
		}
	}
	return s.write()
}

// wants says whether an arm is fitted.
func (s *Study) wants(a Arm) bool {
	return a.Averaged || len(s.Only) == 0 || slices.Contains(s.Only, a.Key)
}

// seeds returns the seeds that an arm is fitted with, none for one that isn't wanted. A seed
// draws a part of the examples and the weights to start from, so n-grams on all examples need
// one seed only.
func (s *Study) seeds(arm Arm, size int) (list []uint64) {
	if !s.wants(arm) {
		return nil
	}
	for i := range s.Seeds {
		list = append(list, s.Config.Train.Seed+uint64(i))
	}
	if arm.Baseline && size == len(s.Examples.Train) {
		return list[:1]
	}
	return list
}

// fit measures an arm, together with the mixture if one follows it, and adds the results. all
// is the number of results in all.
func (s *Study) fit(ctx context.Context, which, size int, seed uint64, all int) error {
	arm, mixed := s.arms[which], Arm{}
	if which+1 < len(s.arms) && s.arms[which+1].Mixed {
		mixed = s.arms[which+1]
	}
	points, err := s.measure(ctx, arm, mixed, size, seed)
	if err != nil {
		return err
	}
	for _, p := range points {
		if s.has(p.Arm, size, seed) { // the program ended before the next one
			continue
		}
		if err := s.add(p); err != nil {
			return err
		}
		s.Done(p, len(s.points), all)
	}
	return nil
}

// Table returns the results as a table in Markdown.
func (s *Study) Table() string {
	shown := slices.DeleteFunc(slices.Clone(s.arms), func(a Arm) bool {
		return !s.wants(a) && !slices.ContainsFunc(s.points, func(p Point) bool { return p.Arm == a.Name })
	})
	return table(shown, s.Sizes, s.points)
}

// Points returns the results so far.
func (s *Study) Points() []Point { return s.points }

// Picture returns the path of the picture.
func (s *Study) Picture() string { return filepath.Join(s.Dir, pictureFile) }

// measure fits one model and returns its result. If mixed is an arm, its result comes first: a
// study that was interrupted looks for the other one to know what is missing.
func (s *Study) measure(ctx context.Context, arm, mixed Arm, size int, seed uint64) (points []Point, err error) {
	start, weights := interrupt.Now(), s.start
	if arm.Scratch || arm.Baseline || arm.Averaged {
		weights = "" // it has none of them
	}
	c := s.Config
	c.Train.Seed, c.Finetune.Examples = seed, size
	add := func(name string, a finetune.Alone) {
		_, test := finetune.Result{Dev: a.Dev, Test: a.Test}.Final()
		points = append(points, Point{name, size, seed, test.Metric, test.Score(), a.Dev.Score(), interrupt.Now().Sub(start).Seconds(), s.Setup.SHA256, weights})
	}
	if arm.Baseline || arm.Averaged {
		alone, err := s.words(ctx, c, arm, seed)
		add(arm.Name, alone)
		return points, err
	}
	c.Finetune.Scratch, c.Finetune.NGrams = arm.Scratch, mixed.Mixed
	if arm.NoAuxiliary {
		c.Finetune.Lambda = 0
	}
	result, err := s.finetune(ctx, c)
	network := finetune.Alone{Dev: result.Dev, Test: result.Test}
	if mixed.Mixed {
		add(mixed.Name, network)
		network = result.Network
	}
	add(arm.Name, network)
	return points, err
}

// words fits and measures a model that doesn't know the order of words.
func (s *Study) words(ctx context.Context, c configs.Config, arm Arm, seed uint64) (a finetune.Alone, err error) {
	setup := &finetune.Setup{Config: c.Finetune, Found: s.Setup.Found}
	drawn, err := setup.Subset(s.Examples.Train, seed)
	if err != nil {
		return a, err
	}
	var m finetune.Scorer
	if arm.Averaged {
		m, err = baseline.TrainFastText(setup, drawn, s.Examples.Dev, seed)
	} else {
		m, err = setup.FitNGrams(ctx, drawn, s.Examples.Dev, nil)
	}
	if err != nil {
		return a, err
	}
	if a.Dev, err = setup.Measure(s.Examples.Dev, m); err != nil || s.Examples.Test == nil {
		return a, err
	}
	test, err := setup.Measure(s.Examples.Test, m)
	a.Test = &test
	return a, err
}

// finetune runs a fine-tuning in a temporary folder.
func (s *Study) finetune(ctx context.Context, c configs.Config) (r finetune.Result, err error) {
	from, err := run.OpenStartingPoint(c, s.Examples)
	if err != nil {
		return r, err
	}
	session, err := from.Session(c, s.Examples, s.Setup)
	if err != nil {
		return r, err
	}
	session.Dir = filepath.Join(s.Dir, sessionFolder)
	if err := errors.Join(os.RemoveAll(session.Dir), os.Mkdir(session.Dir, 0o755)); err != nil {
		return r, err
	}
	defer os.RemoveAll(session.Dir)
	return session.Run(ctx)
}

// open writes the settings into the folder, or reads the results of an earlier Run with the same
// settings.
func (s *Study) open() error {
	c := s.Config
	c.Finetune.NGrams = false // the arms decide
	text, err := run.SettleExamples(c).Marshal()
	if err != nil {
		return err
	}
	path := filepath.Join(s.Dir, configFile)
	before, err := userfile.ReadRegular(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := atomicfile.WriteFile(path, text); err != nil {
			return err
		}
	case err != nil:
		return err
	case !sameSettings(before, text):
		return fmt.Errorf("%s holds an ablation with other settings (see %s in it): name another folder with --to", s.Dir, configFile)
	}
	from, err := run.OpenStartingPoint(s.Config, s.Examples)
	if err != nil {
		return err
	}
	s.start = from.SHA256()
	if s.points, s.log, err = atomicfile.Reopen[Point](filepath.Join(s.Dir, pointsFile), nil); err != nil {
		return err
	}
	for _, p := range s.points {
		if p.SHA256 != "" && p.SHA256 != s.Setup.SHA256 {
			s.log.Close()
			return fmt.Errorf("%s holds results on other examples: restore the files, or name another folder with --to", s.Dir)
		}
		if p.StartSHA256 != "" && p.StartSHA256 != s.start {
			s.log.Close()
			return fmt.Errorf("%s holds results of other weights than %s has by now: restore that run, or name another folder with --to", s.Dir, from.Dir)
		}
	}
	return nil
}

// sameSettings reports whether two configurations are the same, also if an earlier version of
// the program wrote one of them differently.
func sameSettings(before, now []byte) bool {
	c, err := configs.Parse(before, configFile)
	if err != nil {
		return false
	}
	again, err := c.Marshal()
	return err == nil && string(again) == string(now)
}

func (s *Study) has(arm string, size int, seed uint64) bool {
	return slices.ContainsFunc(s.points, func(p Point) bool { return p.Arm == arm && p.Examples == size && p.Seed == seed })
}

func (s *Study) add(p Point) error {
	s.points = append(s.points, p)
	return errors.Join(s.log.Add(p), s.log.Sync())
}

// write writes the table and the pictures.
func (s *Study) write() error {
	if err := atomicfile.WriteFile(filepath.Join(s.Dir, tableFile), []byte(s.Table())); err != nil {
		return err
	}
	return errors.Join(
		picture(filepath.Join(s.Dir, pictureFile), s.arms, s.Sizes, s.points),
		picture(filepath.Join(s.Dir, pngFile), s.arms, s.Sizes, s.points))
}
