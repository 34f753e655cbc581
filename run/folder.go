package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tinygpt/configs"
	"tinygpt/finetune"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
	"tinygpt/train"
)

// Root is the folder that holds runs unless another place is named.
const Root = "runs"

const configFile = "config.yaml"

// Files of a run's folder that aren't its own before it begins: the first are written before
// its configuration, the later ones afterwards (comparisons-other.jsonl by a reward model's step).
var (
	firstFiles = []string{"tokenizer.json", "tokenizer_config.json", train.BestCheckpoint}
	laterFiles = []string{train.LastCheckpoint, train.MetricsFile, train.SamplesFile, LossCurveFile, "comparisons-other.jsonl", finetune.ResultsFile, finetune.WorstFile, finetune.NGramsFile}
)

// Make makes the folder of a run of any kind: dir, or with an empty dir the next free
// one of runs/NAME-1, runs/NAME-2, …, which no other process gets at the same time. fill
// writes the run's first files into it. config (a struct of sections, see
// configs.Encode) becomes its config.yaml, with the kind; it is written last, so a folder
// with one is a whole run. On an error nothing is left. A folder that holds a run
// already, or files of the names that a run writes, is refused.
func Make(dir, name string, kind Kind, config any, fill func(dir string) error) (path string, err error) {
	text, err := configs.Encode(config)
	if err != nil {
		return "", err
	}
	path, unlock, err := makeFolder(dir, name, kind, text, fill)
	if err == nil {
		unlock()
	}
	return path, err
}

// makeFolder is Make with a configuration that is encoded already, and leaves the folder
// locked.
func makeFolder(dir, name string, kind Kind, config []byte, fill func(dir string) error) (path string, unlock func(), err error) {
	if _, known := kinds[kind]; !known {
		return "", nil, fmt.Errorf("%w: %q", errNoKind, kind)
	}
	made := false
	if dir == "" {
		dir, err = NextFree(name)
		made = true
	} else {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			made = true
		}
		err = atomicfile.MakeFolder(dir)
	}
	if err != nil {
		return "", nil, err
	}
	begins := false // in a folder with other files, perhaps
	defer func() {
		switch {
		case err != nil && made:
			os.RemoveAll(dir)
		case err != nil && begins:
			for _, name := range firstFiles {
				os.Remove(filepath.Join(dir, name))
			}
		}
	}()
	_, unlocked := os.Lstat(filepath.Join(dir, lockFile))
	release, err := Lock(dir)
	if err != nil {
		made = false // another process is at work in it
		return "", nil, err
	}
	defer func() {
		if err != nil {
			release()
		}
	}()
	if holdsRun(dir) {
		made = false
		return "", nil, fmt.Errorf("%s holds a run already: continue it with --resume, or name another folder", dir)
	}
	names := laterFiles
	if unlocked != nil { // else the first may be those of a process that was killed
		names = slices.Concat(firstFiles, laterFiles)
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			made = false
			return "", nil, fmt.Errorf("%s has a file %s already, and a run would write over it or go on with it: name another folder, or remove it", dir, name)
		}
	}
	begins = true
	if fill != nil {
		if err := fill(dir); err != nil {
			return "", nil, err
		}
	}
	text := append(fmt.Appendf(nil, "%s: %s\n", configs.KindKey, kind), config...)
	if len(text) > configs.MaxSize {
		return "", nil, fmt.Errorf("%s: the configuration would have %d bytes, and up to %d can be read again: name fewer files, or give shorter texts", filepath.Join(dir, configFile), len(text), configs.MaxSize)
	}
	return dir, release, atomicfile.WriteFile(filepath.Join(dir, configFile), text)
}

// NextFree makes the first folder of runs/NAME-1, runs/NAME-2, … that isn't there.
func NextFree(name string) (string, error) {
	name = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(name), ".yaml"), ".yml")
	if err := atomicfile.MakeFolder(Root); err != nil {
		return "", err
	}
	for i := 1; ; i++ {
		dir := filepath.Join(Root, fmt.Sprintf("%s-%d", name, i))
		if err := os.Mkdir(dir, 0o777); !errors.Is(err, os.ErrExist) {
			atomicfile.SyncFolder(Root)
			return dir, err
		}
	}
}

// Read lays the config.yaml of a run of one of the kinds over the struct that config
// points to; see configs.Decode.
func Read(dir string, config any, wanted ...Kind) error {
	text, kind, err := readConfig(dir)
	if err != nil {
		return err
	}
	if err := kind.expect(dir, wanted...); err != nil {
		return err
	}
	return configs.Decode(text, filepath.Join(dir, configFile), config)
}

// readConfig reads config.yaml and the kind that it names.
func readConfig(dir string) (text []byte, kind Kind, err error) {
	path := filepath.Join(dir, configFile)
	if text, err = userfile.ReadRegularUpTo(path, configs.MaxSize); err != nil {
		return nil, "", notARun(dir)
	}
	kind, err = kindOf(text, path)
	return text, kind, err
}

// OrLatest is the run Named dir, or if that is "" the latest run of those kinds in Root.
func OrLatest(dir string, wanted ...Kind) (string, error) {
	if dir != "" {
		return Named(dir), nil
	}
	return Latest(Root, wanted...)
}

// Latest is the run below root whose checkpoint or configuration was written last, of
// the runs of those kinds. The steps of an alignment in a folder of their own
// (runs/instruct-1/reward) are among them, unless runs of texts are wanted too.
func Latest(root string, wanted ...Kind) (string, error) {
	return latestOf(root, wanted, !slices.Contains(wanted, Text))
}

// latestOf is Latest, with the steps of alignments or without.
func latestOf(root string, wanted []Kind, withSteps bool) (string, error) {
	if len(wanted) == 0 {
		return "", errNoKind
	}
	dirs, _ := folders(root) // without the folder there are no runs
	var latest string
	var when time.Time
	for _, dir := range dirs {
		if filepath.Dir(dir) != filepath.Clean(root) && !withSteps {
			continue
		}
		// What can't be read is an error when the run is opened.
		if _, kind, err := readConfig(dir); err == nil && !kind.Is(wanted...) {
			continue
		}
		if at := written(dir); at.After(when) {
			latest, when = dir, at
		}
	}
	if latest == "" {
		absolute, _ := filepath.Abs(root)
		what := "run"
		if !slices.Contains(wanted, Text) {
			what = string(wanted[0]) + " run"
		}
		return "", fmt.Errorf("%s: no %s there yet: make one with `%s`, or name its folder", absolute, what, kinds[latestCommand(wanted)].command)
	}
	return latest, nil
}

// LatestToTalk is Latest of the runs that continue texts, those in a folder that holds
// the steps of an alignment (runs/instruct-1/ppo) among them.
func LatestToTalk(root string) (string, error) { return latestOf(root, Writers(), true) }

// folders lists the runs in root. In a folder that is no run itself those that are steps
// of an alignment count (instruct-1/ppo), and not the models of a ladder.
func folders(root string) (dirs []string, err error) {
	err = eachRun(root, func(dir string, isRun bool) {
		if isRun {
			dirs = append(dirs, dir)
			return
		}
		_ = eachRun(dir, func(step string, isRun bool) { // a file has none
			if !isRun {
				return
			}
			if _, kind, err := readConfig(step); err == nil && kinds[kind].step() {
				dirs = append(dirs, step)
			}
		})
	})
	return dirs, err
}

// eachRun calls do with each entry of a folder, and with whether it is a run's folder.
func eachRun(root string, do func(dir string, isRun bool)) error {
	entries, err := os.ReadDir(root)
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		do(dir, holdsRun(dir))
	}
	return err
}

// written is when a run's checkpoint or configuration was written last.
func written(dir string) (when time.Time) {
	for _, file := range []string{configFile, train.LastCheckpoint, train.BestCheckpoint} {
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil && info.ModTime().After(when) {
			when = info.ModTime()
		}
	}
	return when
}

// latestCommand is the kind whose command a message proposes.
func latestCommand(wanted []Kind) Kind {
	if slices.Contains(wanted, Text) {
		return Text
	}
	return wanted[0]
}
