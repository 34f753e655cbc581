package alignment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"tinygpt/align"
	"tinygpt/data/instruct"
)

// source has the data of a step: from the built-in world, or from files.
type source struct {
	settings *Settings
	format   *instruct.Format
	context  int      // of the model, in tokens
	notes    []string // what was left out and why
	inputs   inputs

	world *instruct.World // nil until it is needed
}

func (d *source) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// generator returns a generator of answers up to the settings' length.
func (d *source) generator() *align.Generator {
	return &align.Generator{Format: d.format, MaxTokens: d.settings.World.MaxTokens}
}

// prompts returns the world's prompts for a step and a split, those of labelers before those of
// customers.
func (d *source) prompts(step instruct.Step, valid bool) []instruct.Prompt {
	if d.world == nil {
		d.world = instruct.NewWorld(d.settings.World.Seed, d.settings.World.Scale)
	}
	return d.world.Prompts(step, valid)
}

// minAnswer is the number of tokens for an answer that a prompt must leave room for.
const minAnswer = 8

// instructions encodes prompts of the world. It leaves out those whose demonstration doesn't fit
// into the context.
func (d *source) instructions(prompts []instruct.Prompt) ([]align.Instruction, error) {
	list, left, err := align.Encode(d.format, prompts, d.context, minAnswer)
	if err != nil {
		return nil, err
	}
	// A prompt whose demonstration doesn't fit can't be answered.
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

// heldOut returns the first n prompts of PPO's validation split.
func (d *source) heldOut(n int) ([]align.Instruction, error) {
	notes := d.notes
	list, err := d.instructions(d.prompts(instruct.PPO, true))
	d.notes = notes // notes are about the training prompts only
	return list[:min(n, len(list))], err
}

// demonstrations returns the examples of supervised fine-tuning, to train on and to validate
// with.
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

// heldOutShare is the share of the examples of files that is for validation.
const heldOutShare = 0.1

// files reads the examples of files for which keep returns true, and holds a part of them out,
// the same for every seed. what names these examples, for notes and errors.
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
		return nil, nil, fmt.Errorf("%s: %d %s: expected at least two, of which one is held out", strings.Join(d.settings.Data, ", "), len(kept), what)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	n := max(1, int(heldOutShare*float64(len(kept))))
	return slices.Clone(kept[n:]), kept[:n], nil
}
