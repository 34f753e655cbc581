// Package run is the folder that a training run lives in and explains itself
// with: config.yaml (every setting, resolved), tokenizer.json and
// tokenizer_config.json (Hugging Face's, so that AutoTokenizer takes the folder),
// metrics.jsonl, loss.svg, samples.txt, the checkpoints best.safetensors and
// last.safetensors, and training.tokens and validation.tokens, which hold the
// encoded texts and may be deleted. It makes such folders, finds and opens them, and prepares
// the texts that a configuration names.
package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tinygpt/configs"
	"tinygpt/internal/atomicfile"
	"tinygpt/model"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// Root is the folder that holds runs unless another place is named.
const Root = "runs"

const configFile = "config.yaml"

// Run is an open run folder.
type Run struct {
	Dir       string
	Config    configs.Config
	Tokenizer tokenizer.Tokenizer
}

// Create makes the folder dir, or with an empty dir the next free one of
// runs/NAME-1, runs/NAME-2, …, and writes configuration and tokenizer into it, and
// the weights of m unless it is nil. A folder that holds a run already is refused.
func Create(dir, name string, c configs.Config, t tokenizer.Tokenizer, m *model.Model) (r *Run, err error) {
	if dir == "" {
		dir = nextFree(name)
	} else if _, err := os.Stat(filepath.Join(dir, configFile)); err == nil {
		return nil, fmt.Errorf("%s holds a run already: continue it with --resume, or name another folder", dir)
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		defer func() {
			if r == nil {
				os.RemoveAll(dir)
			}
		}()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	c.Tokenizer.SHA256 = tokenizer.Fingerprint(t)
	text, err := c.Marshal()
	if err != nil {
		return nil, err
	}
	if err := tokenizer.Save(dir, t, c.Model.Context); err != nil {
		return nil, err
	}
	if m != nil {
		if err := train.SaveCheckpoint(filepath.Join(dir, train.BestCheckpoint), m, train.State{}); err != nil {
			return nil, err
		}
	}
	// The configuration last: a folder with one is a run.
	if err := atomicfile.WriteFile(filepath.Join(dir, configFile), text); err != nil {
		return nil, err
	}
	return &Run{dir, c, t}, nil
}

// nextFree is the first of runs/NAME-1, runs/NAME-2, … that isn't there.
func nextFree(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(name), ".yaml"), ".yml")
	for i := 1; ; i++ {
		dir := filepath.Join(Root, fmt.Sprintf("%s-%d", name, i))
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return dir
		}
	}
}

// Open opens a run folder; an empty dir means the latest of Root that isn't a
// fine-tuning.
func Open(dir string) (*Run, error) {
	if dir == "" {
		var err error
		if dir, err = Latest(Root, false); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(dir, configFile)
	text, err := os.ReadFile(path)
	if err != nil {
		absolute, _ := filepath.Abs(dir)
		return nil, fmt.Errorf("%s: no %s in it: not the folder of a run; `gpt train` makes one", absolute, configFile)
	}
	c, err := configs.Parse(text, path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.Validate(), c.Model.Validate()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t, err := tokenizer.ReadHuggingFace(dir)
	if err != nil {
		return nil, err
	}
	if t.VocabSize() != c.Model.VocabSize {
		return nil, fmt.Errorf("%s: its tokenizer has %d tokens, the model of %s %d: one of the files is from another run", dir, t.VocabSize(), configFile, c.Model.VocabSize)
	}
	if sum := tokenizer.Fingerprint(t); c.Tokenizer.SHA256 != "" && sum != c.Tokenizer.SHA256 {
		return nil, fmt.Errorf("%s: its tokenizer (sha256 %.12s…) is not the one that the model was trained with (%.12s… in %s): restore the original tokenizer.json and tokenizer_config.json", dir, sum, c.Tokenizer.SHA256, configFile)
	}
	return &Run{dir, c, t}, nil
}

// Latest is the run below root whose checkpoint or configuration was written last,
// of the fine-tunings or of the others.
func Latest(root string, finetuned bool) (string, error) {
	entries, _ := os.ReadDir(root)
	var latest string
	var when time.Time
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		text, err := os.ReadFile(filepath.Join(dir, configFile))
		if err != nil {
			continue
		}
		// What can't be read is an error when the run is opened.
		if c, err := configs.Parse(text, configFile); c.Finetunes() != finetuned || err != nil && finetuned {
			continue
		}
		for _, file := range []string{configFile, train.LastCheckpoint, train.BestCheckpoint} {
			if info, err := os.Stat(filepath.Join(dir, file)); err == nil && info.ModTime().After(when) {
				latest, when = dir, info.ModTime()
			}
		}
	}
	if latest == "" {
		absolute, _ := filepath.Abs(root)
		if finetuned {
			return "", fmt.Errorf("%s: no fine-tuned run there yet: make one with `gpt finetune --config sentiment.yaml`, or name a folder with --run", absolute)
		}
		return "", fmt.Errorf("%s: no run there yet: make one with `gpt train --config small.yaml`, or name a folder with --run", absolute)
	}
	return latest, nil
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
		return "", fmt.Errorf("checkpoint %q: expected best or last", which)
	}
	for _, name := range names {
		path := filepath.Join(r.Dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: no checkpoint (%s): the run was stopped before its first one; train it again", r.Dir, strings.Join(names, " or "))
}

// Metrics reads what the run has noted of its steps and evaluations.
func (r *Run) Metrics() ([]train.Metrics, error) {
	all, err := train.ReadMetrics(filepath.Join(r.Dir, train.MetricsFile))
	if errors.Is(err, fs.ErrNotExist) {
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
	return m, state, err
}
