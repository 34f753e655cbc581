package alignment

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"tinygpt/align"
	"tinygpt/data/instruct"
)

// source gives the data of a step: of the built-in world, or of files.
type source struct {
	settings *Settings
	format   *instruct.Format
	context  int
	notes    []string
	inputs   inputs

	world *instruct.World
}

func (d *source) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// generator draws answers of the length that the settings say.
func (d *source) generator() *align.Generator {
	return &align.Generator{Format: d.format, MaxTokens: d.settings.World.MaxTokens}
}

// prompts are those of the world's step and split, labelers' before customers'.
func (d *source) prompts(step instruct.Step, valid bool) []instruct.Prompt {
	if d.world == nil {
		d.world = instruct.NewWorld(d.settings.World.Seed, d.settings.World.Scale)
	}
	return d.world.Prompts(step, valid)
}

// leastAnswer is for how many tokens of an answer there must be room after a prompt.
const leastAnswer = 8

// instructions encodes prompts. Those that leave no room for the longest answer that
// they may need are left out.
func (d *source) instructions(prompts []instruct.Prompt) ([]align.Instruction, error) {
	list, left, err := align.Encode(d.format, prompts, d.context, leastAnswer)
	if err != nil {
		return nil, err
	}
	// A prompt whose demonstration doesn't fit asks for what can't be answered.
	kept := list[:0]
	for _, in := range list {
		answer, err := d.format.Answer(in.World.Demonstration)
		if err != nil {
			return nil, err
		}
		if len(in.Tokens)+len(answer) > d.context {
			left++
			continue
		}
		kept = append(kept, in)
	}
	if left > 0 {
		d.note("%d of %d prompts are left out: they and their answer are longer than the context of %d tokens", left, len(prompts), d.context)
	}
	return kept, nil
}

// heldOut are n prompts of PPO's validation split, all tasks among them.
func (d *source) heldOut(n int) ([]align.Instruction, error) {
	notes := d.notes
	list, err := d.instructions(d.prompts(instruct.PPO, true))
	d.notes = notes // said of the training prompts alone
	return list[:min(n, len(list))], err
}

// demonstrations are the examples of supervised fine-tuning and its validation.
func (d *source) demonstrations() (training, valid []instruct.Example, err error) {
	if len(d.settings.Data) > 0 {
		return d.files(func(e *instruct.Example) bool { return e.Demonstration() }, "demonstrations (prompt and response)")
	}
	return demonstrationsOf(d.prompts(instruct.SFT, false)), demonstrationsOf(d.prompts(instruct.SFT, true)), nil
}

func demonstrationsOf(prompts []instruct.Prompt) (list []instruct.Example) {
	for _, p := range prompts {
		list = append(list, instruct.Example{Prompt: p.Messages, Answers: []string{p.Demonstration}, Ranks: []int{0}})
	}
	return list
}

// heldOutShare of the examples of files validates.
const heldOutShare = 0.1

// files reads the examples of a kind and holds a part of them out, the same for every
// seed.
func (d *source) files(keep func(*instruct.Example) bool, what string) (training, valid []instruct.Example, err error) {
	var all []instruct.Example
	for _, path := range d.settings.Data {
		examples, err := instruct.Read(path)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, examples...)
	}
	if err := d.inputs.addExamples(all); err != nil {
		return nil, nil, err
	}
	kept := instruct.Select(all, keep)
	if len(kept) < len(all) {
		d.note("%d of %d lines are no %s and are left out", len(all)-len(kept), len(all), what)
	}
	if len(kept) < 2 {
		return nil, nil, fmt.Errorf("%v: %d %s in it: expected two at least, one of which is held out", d.settings.Data, len(kept), what)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	n := max(1, int(heldOutShare*float64(len(kept))))
	return slices.Clone(kept[n:]), kept[:n], nil
}
