package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tinygpt/configs"
)

// Kind is what a run's folder holds. Its config.yaml names it.
type Kind string

// The kinds of runs. A new one is a constant here and a line in kinds.
const (
	Text      Kind = "text"       // a language model trained on texts
	Finetuned Kind = "fine-tuned" // a language model with the head of a task
	Imported  Kind = "imported"   // a language model that was trained elsewhere
	Vectors   Kind = "vectors"    // word vectors
	SFT       Kind = "sft"        // a language model that was shown answers
	Reward    Kind = "reward"     // a model that scores answers
	PPO       Kind = "ppo"        // a language model trained for a reward
	DPO       Kind = "dpo"        // a language model trained on preferences
	GRPO      Kind = "grpo"       // as PPO, with advantages from groups of answers
)

// kinds says what is particular to each.
var kinds = map[Kind]about{
	Text:      {command: "gpt train --config small.yaml", model: true, writes: true},
	Finetuned: {command: "gpt finetune --config sentiment.yaml", model: true},
	Imported:  {command: "gpt import FOLDER", model: true, writes: true},
	Vectors:   {command: "gpt vectors train --config vectors.yaml"},
	SFT:       {command: "gpt align sft", model: true, writes: true, sections: []string{"align"}},
	Reward:    {command: "gpt align reward", model: true, sections: []string{"align"}},
	PPO:       {command: "gpt align ppo", model: true, writes: true, sections: []string{"align"}},
	DPO:       {command: "gpt align dpo", model: true, writes: true, sections: []string{"align"}},
	GRPO:      {command: "gpt align grpo", model: true, writes: true, sections: []string{"align"}},
}

// about is what is particular to a kind of runs.
type about struct {
	// command makes such a run, for messages.
	command string
	// model says that it holds a language model with its tokenizer, for Open, and writes
	// that commands which continue texts take the latest such run if none is named.
	model, writes bool
	// sections of config.yaml in addition to those of configs.Config; see Run.Section.
	sections []string
}

// step says that it is a step of an alignment, which may share a folder with others.
func (a about) step() bool { return slices.Contains(a.sections, "align") }

// Writers are the kinds of runs that continue texts.
func Writers() (list []Kind) {
	for k, about := range kinds {
		if about.writes {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	return list
}

// Is says whether it is one of the kinds.
func (k Kind) Is(list ...Kind) bool { return slices.Contains(list, k) }

// Practises says that a run is of reinforcement learning. What its evaluations note in the
// place of a loss is how far the model is from where it began, in nats an answer.
func (k Kind) Practises() bool { return k.Is(PPO, GRPO) }

// kindOf returns the kind of the run with this config.yaml. Earlier programs wrote no kind;
// their runs are recognised by their settings.
func kindOf(text []byte, path string) (Kind, error) {
	var header struct {
		Kind     Kind
		Finetune struct{ Task string }
		// In an imported run the tokenizer came with the weights, and there is no text.
		Tokenizer struct{ Kind string }
		Data      struct{ SHA256 string }
	}
	if err := configs.Peek(text, path, &header); err != nil {
		return "", damaged(path, err)
	}
	switch _, known := kinds[header.Kind]; {
	case known:
		return header.Kind, nil
	case header.Kind != "":
		return "", fmt.Errorf("%s: kind is %q: expected one of %s; a newer program made this run", path, header.Kind, kindNames())
	case header.Finetune.Task != "":
		return Finetuned, nil
	case header.Tokenizer.Kind == configs.Imported && header.Data.SHA256 == "":
		return Imported, nil
	}
	return Text, nil
}

// damaged is the error for a config.yaml that isn't YAML.
func damaged(path string, err error) error {
	return fmt.Errorf("%s: damaged: %s", path, strings.Join(strings.Fields(err.Error()), " "))
}

func kindNames() string {
	var names []string
	for k := range kinds {
		names = append(names, string(k))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// expect is an error if k isn't one of the kinds that are wanted of the run in dir.
func (k Kind) expect(dir string, wanted ...Kind) error {
	if k.Is(wanted...) {
		return nil
	}
	var names []string
	for _, w := range wanted {
		names = append(names, string(w))
	}
	return fmt.Errorf("%s holds a run of kind %s, expected %s: make one with `%s`", dir, k, strings.Join(names, " or "), kinds[wanted[0]].command)
}

// errNoKind is that a function was called with a kind that isn't in kinds.
var errNoKind = errors.New("run: no such kind")
