package alignment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"tinygpt/align"
	"tinygpt/data/instruct"
	"tinygpt/data/instruct/labeler"
	"tinygpt/internal/atomicfile"
	"tinygpt/model"
)

// Files of a reward model's run with the comparisons that it was made from.
const (
	comparisonsFile = "comparisons.jsonl"       // to train on
	validFile       = "comparisons-valid.jsonl" // by the same labelers
	heldOutFile     = "comparisons-other.jsonl" // by other labelers, of the validation prompts
)

// comparisons are ranked answers to prompts of the world.
type comparisons struct {
	training, valid, other []instruct.Example
	prompts                []align.Instruction // of training, one for each example
	validPrompts           []align.Instruction // of valid and of other
	panel, heldOut         labeler.Panel
}

// labelerSeed is the difference between the seed of labelers and that of the world.
const labelerSeed = 0x1abe1

// collect returns the comparisons of the reward model: the answerer answers the world's prompts,
// and labelers rank the answers. It writes them to dir, or reads them from there if an earlier
// call has written them.
func (d *source) collect(ctx context.Context, dir string, p Progress) (*comparisons, error) {
	c := &comparisons{}
	var err error
	if c.prompts, err = d.instructions(d.prompts(instruct.Reward, false)); err != nil {
		return nil, err
	}
	notes := d.notes
	if c.validPrompts, err = d.instructions(d.prompts(instruct.Reward, true)); err != nil {
		return nil, err
	}
	d.notes = notes
	seed := d.settings.World.Seed
	c.panel.Labelers = labeler.New(seed+labelerSeed, labeler.Count, false)
	c.heldOut.Labelers = labeler.New(seed+labelerSeed, labeler.HeldOut, true)
	if _, err := os.Stat(filepath.Join(dir, heldOutFile)); errors.Is(err, os.ErrNotExist) {
		if err := d.ask(ctx, c, dir, p); err != nil {
			return nil, err
		}
	}
	for name, into := range map[string]*[]instruct.Example{comparisonsFile: &c.training, validFile: &c.valid, heldOutFile: &c.other} {
		if *into, err = instruct.Read(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	if len(c.training) != len(c.prompts) || len(c.valid) != len(c.validPrompts) {
		return nil, fmt.Errorf("%s: comparisons of %d prompts, the world has %d: they were made with other settings", dir, len(c.training), len(c.prompts))
	}
	return c, c.calibrate()
}

// calibrate sets the noise of both panels of labelers by the validation answers.
func (c *comparisons) calibrate() error {
	err := c.panel.Calibrate(questions(&c.panel, c.validPrompts, c.valid))
	c.heldOut.Noise = c.panel.Noise
	return err
}

// questions returns all pairs of different answers to a prompt, as questions to the panel.
func questions(p *labeler.Panel, prompts []align.Instruction, examples []instruct.Example) (list []labeler.Question) {
	for i, e := range examples {
		list = append(list, p.Questions(prompts[i].World, e.Answers)...)
	}
	return list
}

// ask draws and ranks the answers and writes the files of comparisons, heldOutFile as the last:
// if it is there, all are.
func (d *source) ask(ctx context.Context, c *comparisons, dir string, p Progress) error {
	_, m, _, err := openAligned(d.settings.answerer())
	if err != nil {
		return err
	}
	answered := func(what string, prompts []align.Instruction) ([]instruct.Example, error) {
		return d.answers(ctx, m, prompts, what, p)
	}
	valid, err := answered("answers to validate with", c.validPrompts)
	if err != nil {
		return err
	}
	c.valid = valid
	if err := c.calibrate(); err != nil {
		return err
	}
	training, err := answered("answers to compare", c.prompts)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name     string
		examples []instruct.Example
		prompts  []align.Instruction
		panel    *labeler.Panel
	}{{comparisonsFile, training, c.prompts, &c.panel}, {validFile, valid, c.validPrompts, &c.panel}, {heldOutFile, valid, c.validPrompts, &c.heldOut}} {
		r := rand.New(rand.NewPCG(d.settings.World.Seed, uint64(len(f.name))))
		var ranked []instruct.Example
		for i, e := range f.examples {
			e.Ranks = f.panel.Rank(r.IntN(len(f.panel.Labelers)), f.prompts[i].World, e.Answers, r.Uint64())
			ranked = append(ranked, e)
		}
		var b bytes.Buffer
		if err := instruct.Write(&b, ranked); err != nil {
			return err
		}
		if err := atomicfile.WriteFile(filepath.Join(dir, f.name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// answers draws a random number of answers to each prompt, between the settings' bounds. The
// seeds follow from what, which also names the work for p.
func (d *source) answers(ctx context.Context, m *model.Model, prompts []align.Instruction, what string, p Progress) ([]instruct.Example, error) {
	c := d.settings.Reward
	r := rand.New(rand.NewPCG(d.settings.World.Seed, uint64(len(what))))
	var list []align.Instruction
	examples := make([]instruct.Example, len(prompts))
	var of []int
	for i, in := range prompts {
		examples[i].Prompt = in.Messages
		for range c.FewestAnswers + r.IntN(c.MostAnswers-c.FewestAnswers+1) {
			list, of = append(list, in), append(of, i)
		}
	}
	seeds := align.Seeds(d.settings.World.Seed, what, len(list))
	g := d.generator()
	const part = 512
	for at := 0; at < len(list); at += part {
		to := min(at+part, len(list))
		p(what, at, len(list))
		answers, err := g.Answers(ctx, m, list[at:to], seeds[at:to])
		if err != nil {
			return nil, err
		}
		for i, a := range answers {
			e := &examples[of[at+i]]
			e.Answers, e.Ranks = append(e.Answers, a.Text), append(e.Ranks, 0)
		}
	}
	p(what, len(list), len(list))
	return examples, nil
}
