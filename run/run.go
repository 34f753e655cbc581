// Package run is the folder that a run lives in and explains itself with, and what begins
// and goes on with runs. Start, Resume and Finetune do what the commands train and finetune
// do, apart from flags and printing.
//
// The folder of a run of a language model holds config.yaml (its kind, every setting, and
// what the run has found: checksums, labels), tokenizer.json and tokenizer_config.json
// (Hugging Face's, so that AutoTokenizer takes the folder), metrics.jsonl, loss.svg,
// samples.txt, the checkpoints best.safetensors and last.safetensors, and training.tokens
// and validation.tokens, the encoded texts, which may be deleted as long as the texts are
// there. Other kinds of runs (see Kind) hold other files. While a process trains in a
// folder it holds the folder's lock.
package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tinygpt/configs"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/build"
	"tinygpt/internal/shell"
	"tinygpt/internal/suggest"
	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// Run is an open run of a language model.
type Run struct {
	Dir  string
	Kind Kind
	// Config is what the run trains with: what was asked for, with the model's vocabulary
	// and everything else settled that was left open.
	Config    configs.Config
	Found     Found
	Tokenizer tokenizer.Tokenizer
}

// Section is a part of a run's config.yaml that belongs to its kind alone: a struct of
// settings under a key that is listed in the kind's line in kinds.
type Section struct {
	Key      string
	Settings any
}

// Create makes the folder of a run of a language model, as Make does, and writes
// configuration and tokenizer into it, and the weights of m unless it is nil. What the run
// in c.Weights.From noted of its texts is noted here too, if c names the same texts.
func Create(dir, name string, kind Kind, c configs.Config, t tokenizer.Tokenizer, m *model.Model, sections ...Section) (*Run, error) {
	r, unlock, err := create(dir, name, kind, c, inherited(c.Weights.From, c.Data), t, m, sections...)
	if err == nil {
		unlock()
	}
	return r, err
}

// create is Create with what the run has found, and leaves the folder locked.
func create(dir, name string, kind Kind, c configs.Config, f Found, t tokenizer.Tokenizer, m *model.Model, sections ...Section) (r *Run, unlock func(), err error) {
	if t, err = begun(kind, t); err != nil {
		return nil, nil, err
	}
	f.Program, f.TokenizerSHA256 = build.Read().String()+", "+kernel.InstructionSet(), tokenizer.Fingerprint(t)
	text, err := c.Marshal()
	if err != nil {
		return nil, nil, err
	}
	for _, s := range append(sections, Section{configs.FoundKey, f}) {
		if s.Key != configs.FoundKey && !slices.Contains(kinds[kind].sections, s.Key) {
			return nil, nil, fmt.Errorf("run: %s has no section %s", kind, s.Key)
		}
		more, err := configs.Encode(map[string]any{s.Key: s.Settings})
		if err != nil {
			return nil, nil, err
		}
		text = append(text, more...)
	}
	dir, unlock, err = makeFolder(dir, name, kind, text, func(dir string) error {
		if err := tokenizer.Save(dir, t, c.Model.Context); err != nil || m == nil {
			return err
		}
		return train.SaveCheckpoint(filepath.Join(dir, train.BestCheckpoint), m, train.State{})
	})
	if err != nil {
		return nil, nil, err
	}
	return &Run{dir, kind, c, f, t}, unlock, nil
}

// Reconfigure replaces the run's configuration, in its folder too.
func (r *Run) Reconfigure(c configs.Config) error {
	before, kind, err := readConfig(r.Dir)
	if err != nil {
		return err
	}
	path := filepath.Join(r.Dir, configFile)
	text, err := c.Marshal()
	if err != nil {
		return err
	}
	text = append(fmt.Appendf(nil, "%s: %s\n", configs.KindKey, kind), text...)
	for _, key := range kinds[kind].sections {
		section, err := configs.Extract(before, path, key)
		if err != nil {
			return err
		}
		text = append(text, section...)
	}
	found, err := configs.Encode(map[string]any{configs.FoundKey: r.Found})
	if err != nil {
		return err
	}
	r.Config = c
	return atomicfile.WriteFile(path, append(text, found...))
}

// Open opens the folder of a run of a language model; an empty dir means the latest of
// Root that continues texts.
func Open(dir string) (*Run, error) {
	dir, err := OrLatest(dir, Writers()...)
	if err != nil {
		return nil, err
	}
	text, kind, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	if !kinds[kind].model {
		return nil, fmt.Errorf("%s holds a run of kind %s, and no language model", dir, kind)
	}
	path := filepath.Join(dir, configFile)
	c, err := configs.Parse(text, path, kinds[kind].sections...)
	if err != nil {
		return nil, err
	}
	if err = c.Validate(); err == nil {
		err = c.Model.Validate() // which knows its vocabulary
	}
	if err == nil && kind == Finetuned && c.Finetune.Task == "" {
		err = errors.New("finetune.task is missing: the file was cut off")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t, err := tokenizer.ReadHuggingFace(dir)
	if err != nil {
		return nil, err
	}
	if t, err = begun(kind, t); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if t.VocabSize() != c.Model.VocabSize {
		return nil, fmt.Errorf("%s: its tokenizer has %d tokens, the model of %s %d: one of the files is from another run", dir, t.VocabSize(), configFile, c.Model.VocabSize)
	}
	f, err := parseFound(text, path)
	if err == nil {
		err = f.Examples.Check()
	}
	if err != nil {
		return nil, err
	}
	if f.TokenizerSHA256 == "" { // in the last section: settings before it may be missing too
		return nil, fmt.Errorf("%s: its last section, found, has no tokenizer_sha256: the file was cut off; restore it", path)
	}
	if sum := tokenizer.Fingerprint(t); sum != f.TokenizerSHA256 {
		return nil, fmt.Errorf("%s: its tokenizer (sha256 %.12s…) is not the one that the model was trained with (%.12s… in %s): restore the original tokenizer.json and tokenizer_config.json", dir, sum, f.TokenizerSHA256, configFile)
	}
	return &Run{dir, kind, c, f, t}, nil
}

// begun lets texts begin as documents do in training, after the end of text. A model that was
// trained elsewhere has them as its files say.
func begun(kind Kind, t tokenizer.Tokenizer) (tokenizer.Tokenizer, error) {
	if kind == Imported {
		return t, nil
	}
	return tokenizer.WithBegin(t, t.EndOfText())
}

// Section lays the settings of a section of the run's own over the struct that settings
// points to.
func (r *Run) Section(key string, settings any) error {
	text, _, err := readConfig(r.Dir)
	if err != nil {
		return err
	}
	return configs.DecodeSection(text, filepath.Join(r.Dir, configFile), key, settings)
}

// Checkpoint is the path of the weights to use: best or last as asked for, or
// with "" the best if there is one.
func (r *Run) Checkpoint(which string) (string, error) {
	names := map[string][]string{
		"":     {train.BestCheckpoint, train.LastCheckpoint},
		"best": {train.BestCheckpoint},
		"last": {train.LastCheckpoint},
	}[which]
	if names == nil {
		return "", fmt.Errorf("checkpoint %q: %s", which, suggest.Expected(which, "best", "last"))
	}
	for _, name := range names {
		path := filepath.Join(r.Dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: no checkpoint (%s): the run was stopped before its first one; train it again", r.Dir, strings.Join(names, " or "))
}

// hasCheckpoint says whether a run's folder has a checkpoint to resume from.
func hasCheckpoint(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, train.LastCheckpoint))
	return err == nil
}

// Metrics reads what the run has noted of its steps and evaluations.
func (r *Run) Metrics() ([]train.Metrics, error) {
	all, err := train.ReadMetrics(filepath.Join(r.Dir, train.MetricsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: no %s in it: the run was never trained", r.Dir, train.MetricsFile)
	}
	return all, err
}

// Model loads the weights of a checkpoint; see Checkpoint.
func (r *Run) Model(which string) (*model.Model, train.State, error) {
	path, err := r.Checkpoint(which)
	if err != nil {
		return nil, train.State{}, err
	}
	m, err := model.NewZero(r.Config.Model)
	if err != nil {
		return nil, train.State{}, err
	}
	state, err := train.LoadCheckpoint(path, m)
	return m, state, r.OrOther(path, err)
}

// Trained loads the weights of a checkpoint as Model does, without the positions that it
// wasn't trained on: those of a checkpoint from a stage with a shorter context than the
// model's compute what means nothing.
func (r *Run) Trained(which string) (*model.Model, train.State, error) {
	m, state, err := r.Model(which)
	if err == nil {
		err = m.Crop(r.Config.Train.ContextAt(m.Config, state))
	}
	return m, state, err
}

// OrOther adds to the error of a checkpoint that can't be read that the run's other one
// can be, if so, and what that is good for.
func (r *Run) OrOther(path string, err error) error {
	if err == nil {
		return nil
	}
	names := map[string]string{train.BestCheckpoint: train.LastCheckpoint, train.LastCheckpoint: train.BestCheckpoint}
	other := names[filepath.Base(path)]
	f, failed := safetensors.Open(filepath.Join(r.Dir, other))
	if failed != nil {
		return err
	}
	defer f.Close()
	if f.Verify() != nil {
		return err
	}
	which := strings.TrimSuffix(other, filepath.Ext(other))
	hint := "--checkpoint " + which + " uses it"
	switch {
	case r.Kind.Is(Text, Imported):
		hint += fmt.Sprintf(", and `%s` trains on from it", shell.Command("gpt", "train", "--from", r.Dir))
	case r.Kind.Is(Finetuned) && other == train.BestCheckpoint:
		hint = fmt.Sprintf("`%s` uses it, and `%s` trains on from it", shell.Command("gpt", "classify", "--run", r.Dir), shell.Command("gpt", "finetune", "--from", r.Dir))
	case r.Kind.Is(Reward) && other == train.BestCheckpoint:
		hint = "what uses the run reads that"
	case r.Kind.Is(Finetuned, Reward):
		hint = "copied over " + filepath.Base(path) + " it can be used"
	}
	return fmt.Errorf("%w; %s is undamaged: %s", err, other, hint)
}
