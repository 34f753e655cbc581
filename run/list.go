package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"tinygpt/configs"
	"tinygpt/internal/suggest"
	"tinygpt/internal/userfile"
	"tinygpt/model/safetensors"
	"tinygpt/train"
)

// Info is what a list of runs says of one.
type Info struct {
	Name string `json:"name"`
	Dir  string `json:"dir"`
	Kind Kind   `json:"kind"`
	// Parameters of the model; 0 if the run has none.
	Parameters int64 `json:"parameters,omitempty"`
	// Step is the last one that was noted, of Steps in all; 0: unknown.
	Step  int `json:"step,omitempty"`
	Steps int `json:"steps,omitempty"`
	// Loss is the lowest one on the held-out split, 0 if none was measured.
	Loss float64 `json:"loss,omitempty"`
	// Written is when the configuration or a checkpoint was written last.
	Written time.Time `json:"written"`
	// Bytes is what the folder takes on the disk.
	Bytes int64 `json:"bytes"`
	// Busy says that a process is at work in the folder.
	Busy bool `json:"busy,omitempty"`
	// Problem is why nothing more can be said of a damaged run.
	Problem string `json:"problem,omitempty"`
}

// List returns the runs in a folder, the latest first. A folder without any is no error.
func List(root string) ([]Info, error) {
	dirs, err := folders(root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	list := []Info{}
	for _, dir := range dirs {
		list = append(list, describe(root, dir))
	}
	slices.SortStableFunc(list, func(a, b Info) int { return b.Written.Compare(a.Written) })
	return list, nil
}

// describe collects what there is to say of a run in root.
func describe(root, dir string) Info {
	r := Info{Name: nameIn(root, dir), Dir: dir, Written: written(dir), Busy: busy(dir)}
	real, err := filepath.EvalSymlinks(dir) // a walk doesn't follow the link that it begins at
	if err != nil {
		real = dir
	}
	_ = filepath.WalkDir(real, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				r.Bytes += info.Size()
			}
		}
		return nil
	})
	text, kind, err := readConfig(dir)
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	r.Kind = kind
	if kinds[kind].model {
		c, err := configs.Parse(text, filepath.Join(dir, configFile), kinds[kind].sections...)
		if err != nil {
			r.Problem = err.Error()
			return r
		}
		r.Parameters, r.Steps = int64(c.Model.ParameterCount()), c.Train.Steps
		if n := parametersIn(filepath.Join(dir, train.BestCheckpoint)); n > 0 { // a head's too
			r.Parameters = n
		}
		if kind == Imported {
			r.Steps = 0
		}
	}
	if r.Step, r.Loss = progress(filepath.Join(dir, train.MetricsFile)); kind.Practises() {
		r.Loss = 0
	}
	return r
}

// parametersIn counts the numbers in a checkpoint of parameters alone; 0 if it can't be read.
func parametersIn(path string) (n int64) {
	f, err := safetensors.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		n += int64(info.Len())
	}
	return n
}

// progress returns the last step of metrics, of any kind of run, and the lowest held-out
// loss in them.
func progress(path string) (step int, loss float64) {
	text, err := userfile.ReadRegular(path)
	if err != nil {
		return 0, 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var m struct {
			Step    int     `json:"step"`
			ValLoss float64 `json:"val_loss"`
		}
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue // of a process that is writing it
		}
		if step = max(step, m.Step); m.ValLoss > 0 && (loss == 0 || m.ValLoss < loss) {
			loss = m.ValLoss
		}
	}
	return step, loss
}

// busy says whether a process holds a folder's lock.
func busy(dir string) bool {
	path := filepath.Join(dir, lockFile)
	if _, err := os.Stat(path); err != nil {
		return false
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDWR))
	held, err := lock.TryRLock() // two that ask at the same time don't take each other for one at work
	if held {
		lock.Unlock()
	}
	return err == nil && !held
}

// IsRun is nil if dir is the folder of a run, and else says what may have been meant.
func IsRun(dir string) error {
	if !holdsRun(dir) {
		return notARun(dir)
	}
	return nil
}

// holdsRun says whether a folder is that of a run.
func holdsRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, configFile))
	return err == nil
}

// Remove removes a run's folder, with everything in it. A folder that isn't a run's is
// refused, and so is one that a process is at work in. Of a link to a run's folder the link
// goes, and the run stays.
func Remove(dir string) error {
	if err := IsRun(dir); err != nil {
		return err
	}
	if IsLink(dir) {
		return os.Remove(filepath.Clean(dir))
	}
	dir, err := filepath.Abs(dir) // a system doesn't remove a folder by the name "."
	if err != nil {
		return err
	}
	unlock, err := hold(dir, lockFile)
	if err != nil {
		return err
	}
	defer unlock()
	// Without it the folder is no run any more, if what follows is interrupted.
	if err := os.Remove(filepath.Join(dir, configFile)); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// IsLink says whether a run's folder is a symbolic link to one that is elsewhere.
func IsLink(dir string) bool {
	info, err := os.Lstat(filepath.Clean(dir))
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

// Named returns the folder that a user means by dir: the folder itself if it is there, or
// else the run of that name in Root, such as small-1 or instruct-1/ppo.
func Named(dir string) string {
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if in := filepath.Join(Root, dir); filepath.IsLocal(dir) {
		if _, err := os.Stat(in); err == nil {
			return in
		}
	}
	return dir
}

// Names lists the names by which Named finds what is in Root: its folders, and the steps of
// an alignment.
func Names() (names []string) {
	entries, _ := os.ReadDir(Root) // without the folder there are no runs
	for _, e := range entries {
		names = append(names, e.Name())
	}
	dirs, _ := folders(Root)
	for _, dir := range dirs {
		if name := nameIn(Root, dir); strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	return names
}

// nameIn is the name of a run in root.
func nameIn(root, dir string) string {
	name, err := filepath.Rel(root, dir)
	if err != nil {
		name = filepath.Base(dir)
	}
	return filepath.ToSlash(name)
}

// notARun is the error about a folder without a configuration, with the run that was meant.
func notARun(dir string) error {
	absolute, _ := filepath.Abs(dir)
	if inside, _ := folders(dir); len(inside) > 0 {
		return fmt.Errorf("%s isn't the folder of a run, but has runs in it: name one of %s", absolute, strings.Join(inside, ", "))
	}
	found := "no " + configFile + " in it: not the folder of a run"
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		found = "no such folder, and no run of that name"
	}
	hint := "`gpt train` makes one"
	if meant := suggest.Closest(filepath.Base(dir), Names()); meant != "" && meant != filepath.Base(dir) {
		hint = fmt.Sprintf("did you mean %s?", filepath.Join(Root, meant))
	}
	return fmt.Errorf("%s: %s; %s", absolute, found, hint)
}
