// Package cluster joins the processes that a launcher of MPI started, so that they can train
// one model together (train.Peers). It checks that they fit together, and gives each its
// share of the computer's cores.
package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"tinygpt/internal/build"
	"tinygpt/internal/launcher"
	"tinygpt/internal/mpi"
	"tinygpt/model/kernel"
	"tinygpt/train"
)

// Cluster is all processes of the job.
type Cluster struct {
	*mpi.World
	all  []process
	sets string // what was done about instruction sets; "": nothing
}

// process is what the others know of a process.
type process struct {
	Host   string
	System string // as in linux/amd64
	Build  string
	File   string   // checksum of the program
	Sets   []string // instruction sets, slowest first
	CPUs   []int    // that this process may run on
	// Around is the number of CPUs that the launcher may run on; 0: unknown.
	Around int
}

// Join joins the job. It sets the number of threads, and the instruction set to the best
// that all processes have.
func Join(j launcher.Job) (*Cluster, error) {
	me, err := self()
	if err != nil {
		return nil, err
	}
	w, err := mpi.Join(j)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(me)
	if err != nil {
		return nil, err
	}
	texts, err := train.ExchangeTexts(w, string(text))
	if err != nil {
		return nil, err
	}
	c := &Cluster{World: w, all: make([]process, len(texts))}
	for i, t := range texts {
		if err := c.all[i].parse(t); err != nil {
			return nil, fmt.Errorf("process %d of %d says something else than this program expects: install the same gpt-mpi on all computers", i, len(texts))
		}
	}
	if err := alike(c.all); err != nil {
		return nil, err
	}
	set, note := common(c.all)
	kernel.SetInstructionSet(set)
	c.sets = note
	n := runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") == "" {
		n = threads(c.all, w.Rank())
	}
	kernel.SetThreads(n)
	runtime.GOMAXPROCS(n + 1) // what looks after MPI mustn't wait for a kernel
	return c, nil
}

// parse reads what another process says of itself. Each has an instruction set, and this
// many CPUs at most.
func (p *process) parse(text string) error {
	err := json.Unmarshal([]byte(text), p)
	if err == nil && (len(p.Sets) == 0 || len(p.CPUs) > mostCPUs) {
		err = errors.New("no instruction set, or too many CPUs")
	}
	return err
}

// mostCPUs is more than a computer has.
const mostCPUs = 1 << 16

// self describes this process.
func self() (process, error) {
	p := process{System: runtime.GOOS + "/" + runtime.GOARCH, Build: build.Read().String(), Sets: kernel.InstructionSets(), CPUs: cpus(0)}
	p.Around = len(cpus(os.Getppid()))
	var err error
	if p.Host, err = os.Hostname(); err != nil {
		return p, err
	}
	name, err := os.Executable()
	if err != nil {
		return p, err
	}
	f, err := os.Open(name)
	if err != nil {
		return p, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return p, err
	}
	p.File = hex.EncodeToString(sum.Sum(nil))
	return p, nil
}

// alike returns an error if the processes can't have the same bits, or don't run the same
// program.
func alike(all []process) error {
	for i, p := range all {
		switch first := all[0]; {
		case p.System != first.System:
			return fmt.Errorf("process 0 runs on %s (%s) and process %d on %s (%s), which compute other bits: use computers of one kind", first.System, first.Host, i, p.System, p.Host)
		case p.File != first.File:
			return fmt.Errorf("process 0 on %s and process %d on %s run different programs (%s; %s): install the same gpt-mpi on both", first.Host, i, p.Host, first.Build, p.Build)
		}
	}
	return nil
}

// common returns the fastest instruction set that all processes have; note says so if some
// have a faster one.
func common(all []process) (set, note string) {
	var best []string
	for _, name := range all[0].Sets {
		if !slices.ContainsFunc(all, func(p process) bool { return !slices.Contains(p.Sets, name) }) {
			set = name
		}
	}
	for _, p := range all {
		if fastest := p.Sets[len(p.Sets)-1]; fastest != set && !slices.Contains(best, fastest) {
			best = append(best, fastest)
		}
	}
	if len(best) > 0 {
		note = fmt.Sprintf("all use the instructions of %s, the best that all have, though some have %s: other instructions have other bits", set, strings.Join(best, " and "))
	}
	return set, note
}

// threads is the number of threads of a process: its CPUs, each shared with the other
// processes that may run on it.
func threads(all []process, rank int) int {
	me := all[rank]
	share := 0.0
	for _, cpu := range me.CPUs {
		users := 0
		for _, p := range all {
			if p.Host == me.Host && slices.Contains(p.CPUs, cpu) {
				users++
			}
		}
		share += 1 / float64(max(1, users))
	}
	if len(me.CPUs) == 0 { // the system doesn't say
		return max(1, runtime.NumCPU())
	}
	return max(1, int(share+1e-9))
}

// String says in a line how many processes there are, and what they have.
func (c *Cluster) String() string {
	hosts := map[string]bool{}
	least, most := threads(c.all, 0), 0
	for i, p := range c.all {
		hosts[p.Host] = true
		n := threads(c.all, i)
		least, most = min(least, n), max(most, n)
	}
	if os.Getenv("GOMAXPROCS") != "" {
		least, most = kernel.Threads(), kernel.Threads()
	}
	where, each := "this computer", fmt.Sprint(most)
	if len(hosts) > 1 {
		where = fmt.Sprintf("%d computers", len(hosts))
	}
	if least != most {
		each = fmt.Sprintf("%d to %d", least, most)
	}
	plural := "s"
	if each == "1" {
		plural = ""
	}
	return fmt.Sprintf("%d on %s, %s thread%s each; %s", c.Size(), where, each, plural, c.Library())
}

// Notes are what the user should know: cores that are left idle, slower instructions.
func (c *Cluster) Notes() (notes []string) {
	if note := idle(c.all); note != "" {
		notes = append(notes, note)
	}
	if c.sets != "" {
		notes = append(notes, c.sets)
	}
	return notes
}

// idle is a note if the launcher has bound the processes of a computer to fewer CPUs than
// it has itself.
func idle(all []process) string {
	for _, first := range all {
		used := map[int]bool{}
		for _, p := range all {
			if p.Host == first.Host {
				for _, cpu := range p.CPUs {
					used[cpu] = true
				}
			}
		}
		if len(used) > 0 && len(used) < first.Around {
			return fmt.Sprintf("the processes on %s are bound to %d of %d cores: add --bind-to none (srun: --cpu-bind=none) to use all", first.Host, len(used), first.Around)
		}
	}
	return ""
}
