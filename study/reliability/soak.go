//go:build linux

package reliability

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/terminal"
)

// Soaked is a line of soak.jsonl: what a process of a soak holds at an instant.
type Soaked struct {
	Seconds    float64 `json:"seconds"` // since the soak began
	Name       string  `json:"name"`    // see soaked
	Resident   int64   `json:"resident_bytes"`
	Goroutines int     `json:"goroutines"` // with those of the runtime
	Files      int     `json:"files"`      // open handles
	Work       float64 `json:"work"`       // so far, in the unit of soaked
	CPU        float64 `json:"cpu_seconds"`
}

// Files that a soak writes to its folder.
const (
	SoakFile    = "soak.jsonl"
	SoakPicture = "soak.svg"
)

// How often a soak looks at its processes, and how often it draws.
const (
	soakInterval = 10 * time.Second
	soakPicture  = 30 // intervals
)

// soaked are the commands that run for hours: their names, in the picture too, their command
// lines, and the unit of their work.
var soaked = []struct{ name, line, unit string }{
	{"train", "train --config tiny.yaml --set model.layers=2 --set model.heads=2 --set model.width=32 --set train.steps=10000000 --set train.eval_interval=500 --set train.sample_interval=500 --set train.checkpoint_interval=100 --run soak-train", "steps"},
	{"sample", "sample --run base --max-tokens 40", "answers"},
	{"serve", "serve --run base --addr 127.0.0.1:0", "tokens"},
	{"vectors train", "vectors train --set data.stories_bytes=150000 --dim 16 --epochs 1000000 --set vectors.evaluations=2000 --run soak-vectors", "words"},
}

// Soak keeps a training, a session of sample, a server under changing load and a training of
// vectors at work, at the lowest priority and on one thread each, and writes down every ten
// seconds what they hold. share is the part of the time in which the two trainings compute.
// The lines and the picture are written to the folder to. Soak ends after length, when ctx
// ends, or when a process ends, which is a finding.
func Soak(ctx context.Context, p *Program, r *Report, to string, length time.Duration, share float64) error {
	lines, err := atomicfile.OpenLines(filepath.Join(to, SoakFile))
	if err != nil {
		return err
	}
	defer lines.Close()
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	p.Limit = length + time.Hour // none of them ends by itself
	var list []*soakedProcess
	defer func() {
		for _, s := range list {
			s.process.Signal(syscall.SIGCONT)
			s.process.Signal(syscall.SIGKILL)
			s.process.Wait()
		}
	}()
	for _, c := range soaked {
		s, err := startSoaked(ctx, p, c.name, strings.Fields(c.line), share)
		if err != nil {
			return err
		}
		list = append(list, s)
	}
	begun := time.Now()
	ticks := time.NewTicker(soakInterval)
	defer ticks.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
		case <-ticks.C:
			for _, s := range list {
				x := r.row("soak", s.name)
				if !s.process.Running(0) {
					e := s.process.Wait()
					r.wrong(x, "ended after %v: %v %s", time.Since(begun).Round(time.Second), e, e.Fault())
					return nil
				}
				m, err := s.look(p.Folder)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				m.Seconds = time.Since(begun).Seconds()
				if err := lines.Add(m); err != nil {
					return err
				}
				x.times++
			}
		}
		if ctx.Err() == nil && n%soakPicture != 0 {
			continue
		}
		if err := lines.Sync(); err != nil {
			return err
		}
		if all, err := ReadSoak(filepath.Join(to, SoakFile)); err != nil {
			return err
		} else if err := PlotSoak(filepath.Join(to, SoakPicture), all); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// soakedProcess is a command that runs for hours.
type soakedProcess struct {
	name       string
	process    *Process
	pid        int
	goroutines atomic.Int64
	answers    atomic.Int64 // of a session
	address    atomic.Value // of a server
	tokens     float64      // that a server has drawn, when it last answered
}

func startSoaked(ctx context.Context, p *Program, name string, args []string, share float64) (*soakedProcess, error) {
	s := &soakedProcess{name: name}
	out, stdout := io.Pipe()
	errors, stderr := io.Pipe()
	go s.count(errors)
	set := func(c *exec.Cmd) {
		c.Stdout, c.Stderr = stdout, stderr
		// Go's runtime writes a list of its goroutines every interval.
		c.Env = append(c.Env, "GOMAXPROCS=1", fmt.Sprintf("GODEBUG=schedtrace=%d,scheddetail=1", soakInterval.Milliseconds()))
	}
	var typed *os.File // where a user types
	if name == "sample" {
		tty, user, err := terminal.Open(80)
		if err != nil {
			return nil, err
		}
		defer tty.Close()
		typed = user
		pipes := set
		set = func(c *exec.Cmd) {
			pipes(c)
			c.Stdin, c.Stdout = tty, tty
			c.Env = append(c.Env, "TERM=xterm")
		}
	}
	var err error
	if s.process, err = p.Start(set, args...); err != nil {
		return nil, err
	}
	s.pid = s.process.cmd.Process.Pid
	if err := syscall.Setpriority(syscall.PRIO_PGRP, s.pid, 19); err != nil {
		return nil, err
	}
	switch name {
	case "sample":
		go s.talk(ctx, typed)
	case "serve":
		go s.ask(ctx, out)
	default:
		go io.Copy(io.Discard, out)
		go s.pause(ctx, share)
	}
	return s, nil
}

// goroutine matches a line of the runtime's list with a goroutine that is alive: status 6 is
// dead.
var goroutine = regexp.MustCompile(`^  G\d+: status=[^6]`)

// count reads standard error and counts the goroutines of each list.
func (s *soakedProcess) count(stderr io.Reader) {
	n := int64(0)
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
		switch {
		case bytes.HasPrefix(line, []byte("SCHED ")):
			if n > 0 {
				s.goroutines.Store(n)
			}
			n = 0
		case goroutine.Match(line):
			n++
		}
	}
}

// pause stops and continues a training, so that it computes for a share of the time.
func (s *soakedProcess) pause(ctx context.Context, share float64) {
	const turn = 2 * time.Second
	for ctx.Err() == nil {
		s.process.Signal(syscall.SIGCONT)
		time.Sleep(time.Duration(share * float64(turn)))
		s.process.Signal(syscall.SIGSTOP)
		time.Sleep(time.Duration((1 - share) * float64(turn)))
	}
}

// look reads what the process holds, and how much it has done.
func (s *soakedProcess) look(folder string) (m Soaked, err error) {
	m = Soaked{Name: s.name, Goroutines: int(s.goroutines.Load())}
	proc := fmt.Sprintf("/proc/%d/", s.pid)
	memory, err := os.ReadFile(proc + "statm")
	if err != nil {
		return m, err
	}
	if f := strings.Fields(string(memory)); len(f) > 1 {
		pages, _ := strconv.ParseInt(f[1], 10, 64)
		m.Resident = pages * int64(os.Getpagesize())
	}
	handles, err := os.ReadDir(proc + "fd")
	if err != nil {
		return m, err
	}
	m.Files = len(handles)
	stat, err := os.ReadFile(proc + "stat")
	if err != nil {
		return m, err
	}
	// After the name in brackets: user and system time are fields 14 and 15, in hundredths.
	if f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])); len(f) > 12 {
		for _, ticks := range f[11:13] {
			t, _ := strconv.ParseFloat(ticks, 64)
			m.CPU += t / 100
		}
	}
	switch s.name {
	case "sample":
		m.Work = float64(s.answers.Load())
	case "serve":
		s.tokens = max(s.tokens, s.drawn())
		m.Work = s.tokens
	case "train":
		m.Work = lastNumber(filepath.Join(folder, "soak-train", "metrics.jsonl"), "step")
	default:
		m.Work = lastNumber(filepath.Join(folder, "soak-vectors", "metrics.jsonl"), "words")
	}
	return m, err
}

// lastNumber returns the number under a key of the last whole line of a file of JSON lines; 0
// without one.
func lastNumber(path, key string) float64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0
	}
	text := make([]byte, min(end, 4096))
	if _, err := f.ReadAt(text, end-int64(len(text))); err != nil {
		return 0
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	text = bytes.TrimSpace(text)
	var m map[string]any
	if json.Unmarshal(text[bytes.LastIndexByte(text, '\n')+1:], &m) != nil {
		return 0
	}
	n, _ := m[key].(float64)
	return n
}

// ReadSoak reads a soak's lines.
func ReadSoak(path string) ([]Soaked, error) { return atomicfile.ReadLines[Soaked](path) }
