//go:build linux

package reliability

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tinygpt/model/safetensors"
)

// reference makes an undisturbed run of a kind. It returns the run's folder, below p.Folder,
// and how long it took.
func (k Kind) reference(p *Program) (dir string, took time.Duration, err error) {
	dir = "reference-" + strings.NewReplacer(" ", "", ",", "", "-", "").Replace(k.Name)
	if err := os.RemoveAll(filepath.Join(p.Folder, dir)); err != nil {
		return "", 0, err
	}
	if k.server {
		return dir, 0, makeRankings(p, dir)
	}
	e, err := p.Run(words(k.Begin, dir)...)
	if err == nil && (e.Status != 0 || e.Fault() != "") {
		err = fmt.Errorf("undisturbed: %v %s", e, e.Fault())
	}
	return dir, e.Took, err
}

// Kill kills runs of a kind with SIGKILL at random instants, half of them while a file is
// being written, until it has done so times times. After each kill it reads the folder, and
// at the end of each run it compares the run with one that was never killed.
func (k Kind) Kill(p *Program, r *Report, times int, seed uint64) error {
	return k.interrupt(p, r, "SIGKILL", times, seed, func(x *row, process *Process, _ *rand.Rand) {
		process.Signal(syscall.SIGKILL)
		if e := process.Wait(); e.Status != 128+int(syscall.SIGKILL) && e.Status != 0 {
			r.wrong(x, "%v before it was killed", e)
		}
	})
}

// interrupt calls stop, which ends a process, for runs of a kind at random instants until it
// has done so times times. Each run is stopped one to four times, unless it completes before,
// and then brought to its end and compared with an undisturbed one.
func (k Kind) interrupt(p *Program, r *Report, fault string, times int, seed uint64, stop func(*row, *Process, *rand.Rand)) error {
	if k.server {
		return k.interruptServer(p, r, fault, times, seed, stop)
	}
	reference, took, err := k.reference(p)
	if err != nil {
		return err
	}
	x := r.row(fault, k.Name)
	random := rand.New(rand.NewPCG(seed, uint64(len(k.Name))))
	for cycle := 0; x.times < times; cycle++ {
		dir := fmt.Sprintf("%s-%d", strings.Replace(reference, "reference", "broken", 1), cycle)
		whole := filepath.Join(p.Folder, dir)
		os.RemoveAll(whole)
		done, before, findings := false, 0, len(x.findings)
		for stops := random.IntN(4) + 1; stops > 0 && !done && x.times < times; stops-- {
			process, err := p.Start(nil, k.next(p, dir)...)
			if err != nil {
				return err
			}
			if done = !k.await(process, whole, took, random); done {
				if e := process.Wait(); !k.through(e) {
					r.wrong(x, "after %d kills: %v %s", x.times, e, e.Fault())
				}
				break
			}
			stop(x, process, random)
			x.times++
			before = k.inspect(p, r, x, dir, before, random)
		}
		if !done {
			e, err := p.Run(k.next(p, dir)...)
			if err != nil {
				return err
			}
			if !k.through(e) {
				r.wrong(x, "can't go on: %v %s", e, e.Fault())
			}
		}
		x.compared++
		for _, d := range Compare(filepath.Join(p.Folder, reference), whole) {
			r.wrong(x, "%s: %s", dir, d)
		}
		if left, _ := filepath.Glob(whole + ".tmp-*"); len(left) > 0 {
			r.wrong(x, "%s: left over: %v", dir, left)
		}
		if len(x.findings) == findings {
			os.RemoveAll(whole)
			os.RemoveAll(whole + "-export")
		}
	}
	return nil
}

// through reports whether a command brought its run to the end, or found it there.
func (k Kind) through(e Ended) bool {
	return e.Fault() == "" && (e.Status == 0 || e.Status == 1 && strings.Contains(e.Stderr, cmp.Or(k.Done, "has made all its")))
}

// await waits for a random instant, or for one while a file is being written. It reports
// whether the command still runs then.
func (k Kind) await(process *Process, dir string, took time.Duration, random *rand.Rand) bool {
	instant := time.Duration(random.Float64() * float64(took))
	if random.IntN(2) == 0 {
		return process.Running(instant)
	}
	// The n-th temporary file, and a moment more.
	seen, wanted := map[string]bool{}, random.IntN(8)+1
	for len(seen) < wanted {
		if !process.Running(200 * time.Microsecond) {
			return false
		}
		for _, name := range process.temporary(dir) {
			seen[name] = true
		}
	}
	return process.Running(time.Duration(random.Float64() * float64(2*time.Millisecond)))
}

// temporary returns the files below a run's folder that a process hasn't completed yet: those
// that it has open without a name, or with a temporary one.
func (r *Process) temporary(dir string) (list []string) {
	open := fmt.Sprintf("/proc/%d/fd", r.cmd.Process.Pid)
	entries, _ := os.ReadDir(open)
	for _, e := range entries {
		name, _ := os.Readlink(filepath.Join(open, e.Name()))
		if strings.HasPrefix(name, dir) && (strings.HasSuffix(name, " (deleted)") || strings.Contains(name, ".tmp-")) {
			list = append(list, name)
		}
	}
	return list
}

// inspect checks what a stop has left and returns the checkpoint's step. The checkpoint must
// be whole, its step not below before, and in a training at most an interval below the last
// step in the metrics. A command that reads the folder must succeed if there is a checkpoint.
func (k Kind) inspect(p *Program, r *Report, x *row, dir string, before int, random *rand.Rand) int {
	whole := filepath.Join(p.Folder, dir)
	step, there := 0, false
	if f, err := safetensors.Open(filepath.Join(whole, "last.safetensors")); err == nil {
		there = true
		step, _ = strconv.Atoi(f.Metadata()["step"])
		if err := f.Verify(); err != nil {
			r.wrong(x, "%s: %v", dir, err)
		}
		f.Close()
	} else if !errors.Is(err, fs.ErrNotExist) {
		r.wrong(x, "%s: %v", dir, err)
	}
	if step < before {
		r.wrong(x, "%s: the checkpoint went back from step %d to %d", dir, before, step)
	}
	if k.Name == "train" { // whose interval is known
		metrics, _ := os.ReadFile(filepath.Join(whole, "metrics.jsonl"))
		if noted := lastStep(metrics); step < (noted-1)/5*5 {
			r.wrong(x, "%s: step %d was noted, the checkpoint is of step %d", dir, noted, step)
		}
	}
	if len(k.Reads) == 0 {
		return step
	}
	os.RemoveAll(whole + "-export")
	e, err := p.Run(words(k.Reads[random.IntN(len(k.Reads))], dir)...)
	if err != nil {
		r.wrong(x, "%v", err)
	}
	early := strings.HasPrefix(e.Args[0], "vectors") || strings.Contains(e.Stderr, "no step in its metrics yet") || strings.Contains(e.Stderr, "which a fine-tuning makes at its end")
	if fault := e.Fault(); fault != "" || there && e.Status != 0 && !early {
		r.wrong(x, "reading: %v %s", e, fault)
	}
	os.Remove(filepath.Join(whole, "curves.svg"))
	return step
}

// lastStep returns the step in the last whole line of a file of metrics; 0 without one.
func lastStep(text []byte) (step int) {
	for line := range bytes.Lines(text) {
		var m struct{ Step int }
		if json.Unmarshal(line, &m) == nil {
			step = m.Step
		}
	}
	return step
}
