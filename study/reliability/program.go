//go:build linux

package reliability

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Program is the built program, run in a folder.
type Program struct {
	Path   string
	Folder string
	// Limit is how long a command may take before it counts as hanging.
	Limit time.Duration
}

// Ended is how a command ended.
type Ended struct {
	Args   []string
	Status int    // exit status; 128 + the signal's number if a signal ended it
	Stdout string // at most keptOutput bytes of each
	Stderr string
	Hung   bool
	Took   time.Duration
	// Computed is the processor time that it has used: a command that hangs and has used
	// little waits for something, or was given nothing to compute with.
	Computed time.Duration
	Memory   int64 // the most that was seen resident, in bytes
}

const (
	// maxMemory is how many bytes of memory a command may take: all runs are tiny.
	maxMemory = 1 << 30
	// maxAddressSpace is the limit that the system sets a command, in bytes. It protects the
	// computer from one that takes too much.
	maxAddressSpace = 8 << 30
)

// keptOutput is how many bytes are kept of each of a command's outputs.
const keptOutput = 1 << 20

// afterQuit is how long a command that hangs gets to print where it hangs.
const afterQuit = 2 * time.Second

// bounded keeps the first bytes that are written.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := keptOutput - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// Process is a running command.
type Process struct {
	cmd            *exec.Cmd
	args           []string
	stdout, stderr bounded
	begun          time.Time
	done           chan struct{}
	ended          Ended
	memory         atomic.Int64 // see Ended.Memory
}

// Start starts a command. change, unless nil, sets it up further.
func (p *Program) Start(change func(*exec.Cmd), args ...string) (*Process, error) {
	return p.start(exec.Command(p.Path, args...), change, args)
}

// shell starts a command after a line of shell, which may set limits.
func (p *Program) shell(line string, args ...string) (*Process, error) {
	c := exec.Command("bash", append([]string{"-c", line + `; exec "$0" "$@"`, p.Path}, args...)...)
	return p.start(c, nil, args)
}

func (p *Program) start(c *exec.Cmd, change func(*exec.Cmd), args []string) (*Process, error) {
	r := &Process{cmd: c, args: args, begun: time.Now(), done: make(chan struct{})}
	c.Dir = p.Folder
	c.Stdout, c.Stderr = &r.stdout, &r.stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Env = append(os.Environ(), "GOTRACEBACK=single")
	c.WaitDelay = time.Second
	if change != nil {
		change(c)
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	unix.Prlimit(c.Process.Pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: maxAddressSpace, Max: maxAddressSpace}, nil)
	ctx, cancel := context.WithTimeout(context.Background(), p.Limit)
	var hung atomic.Bool
	context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			hung.Store(true)
			r.Signal(syscall.SIGQUIT) // prints where it is
			if r.Running(afterQuit) {
				r.Signal(syscall.SIGKILL)
			}
		}
	})
	go r.watch()
	go func() {
		c.Wait()
		cancel()
		r.ended = Ended{Args: args, Status: status(c.ProcessState), Stdout: r.stdout.String(), Stderr: r.stderr.String(), Hung: hung.Load(), Took: time.Since(r.begun), Computed: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
		r.ended.Memory = r.memory.Load()
		close(r.done)
	}()
	return r, nil
}

// watch looks at the memory that the process takes. (What the system says of a process that
// has ended also counts what the process that started it had.)
func (r *Process) watch() {
	for r.Running(20 * time.Millisecond) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
		if m := peak.FindSubmatch(text); m != nil {
			kilobytes, _ := strconv.ParseInt(string(m[1]), 10, 64)
			r.memory.Store(kilobytes << 10)
		}
	}
}

var peak = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

func status(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

// Signal sends a signal to the command and its children.
func (r *Process) Signal(s syscall.Signal) { syscall.Kill(-r.cmd.Process.Pid, s) }

// Running waits until the command has ended, but at most for d, and reports whether it still
// runs.
func (r *Process) Running(d time.Duration) bool {
	select {
	case <-r.done:
		return false
	case <-time.After(d):
		return true
	}
}

// Wait waits until the command has ended, and returns how.
func (r *Process) Wait() Ended {
	<-r.done
	return r.ended
}

// Run runs a command to its end. The error is only that it can't be started.
func (p *Program) Run(args ...string) (Ended, error) {
	r, err := p.Start(nil, args...)
	if err != nil {
		return Ended{}, err
	}
	return r.Wait(), nil
}

// trace is what a Go program prints when it breaks down.
var trace = regexp.MustCompile(`(?m)^(panic: |fatal error: |goroutine \d+ \[|runtime: |SIGSEGV|unexpected fault)`)

// Fault returns what the command did that no command may do, whatever happens to it: hang,
// break down with a stack trace, take much memory, fail without a message, or end with a
// status above 2. It returns "" if the command did none of these.
func (e Ended) Fault() string {
	line := func(s string) string {
		return strings.ReplaceAll(fmt.Sprintf("%.300s", strings.TrimSpace(s)), "\n", " ⏎ ")
	}
	switch text := e.Stdout + "\n" + e.Stderr; {
	case e.Hung:
		return fmt.Sprintf("hangs: it has computed for %v of %v: %s", e.Computed.Round(time.Millisecond), e.Took.Round(time.Second), line(text[max(0, strings.Index(text, "goroutine ")):]))
	case e.Memory > maxMemory:
		return fmt.Sprintf("takes %d MB", e.Memory>>20)
	case trace.MatchString(text):
		return "breaks down: " + line(text[trace.FindStringIndex(text)[0]:])
	case e.Status == 1 && lastLines(e.Stderr) == "":
		return "fails without a message"
	case e.Status > 2 && e.Status < 128:
		return fmt.Sprintf("exit status %d", e.Status)
	}
	return ""
}

// lastLines returns the lines of an error, which begin with the program's name.
func lastLines(stderr string) string {
	if i := strings.LastIndex("\n"+stderr, "\ngpt: "); i >= 0 {
		return strings.TrimSpace(stderr[i:])
	}
	return ""
}

// String returns the command line, the status and the error on one line.
func (e Ended) String() string {
	return fmt.Sprintf("gpt %s: exit %d %.300s", strings.Join(e.Args, " "), e.Status, strings.ReplaceAll(lastLines(e.Stderr), "\n", " ⏎ "))
}
