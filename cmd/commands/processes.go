package commands

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"tinygpt/internal/interrupt"
	"tinygpt/internal/launcher"
	"tinygpt/run"
	"tinygpt/train"
)

// Processes are those that a launcher of parallel programs started.
type Processes interface {
	train.Peers
	// String says how many there are, where, and what they have.
	String() string
	// Notes returns what a user should know of them.
	Notes() []string
	// Leave ends this process in good order, with the exit status.
	Leave(status int)
	// Abort ends all processes at once, with the exit status.
	Abort(status int)
}

// Join makes this process one of a job's.
type Join func(launcher.Job) (Processes, error)

// team is what the commands share their work with; nil: they work alone.
var team *run.Team

// crew is all processes, this one included; nil: there is one.
var crew Processes

// shared are the commands whose work several processes share. alone are those that would
// write the same folder several times.
var (
	shared = []string{"train", "finetune"}
	alone  = []string{"align", "ablate", "scaling", "vectors"}
)

// Main runs the command line args, whose first word is the program's name, and returns the
// exit status: 0, 1 for an error, 2 for wrong usage, 130 after Ctrl-C (143 SIGTERM, 129
// SIGHUP). If a launcher started several processes, they share the work that join lets them
// share. A program without MPI has no join (nil): gpt-mpi takes its place then.
func Main(args []string, join Join) int {
	command := ""
	for _, a := range args[min(1, len(args)):] {
		if !strings.HasPrefix(a, "-") {
			command = a
			break
		}
	}
	job, ok, err := launcher.Find()
	isShared, isAlone := slices.Contains(shared, command), slices.Contains(alone, command)
	if !ok || job.Size == 1 || !isShared && !isAlone {
		return execute(context.Background(), args, os.Stdout, os.Stderr)
	}
	fail := func(err error) int {
		// A launcher ends all processes as soon as one has failed, so one of them
		// prints its error first.
		switch {
		case job.Rank == 0:
			fmt.Fprintln(os.Stderr, "gpt:", err)
		case job.First:
			time.Sleep(time.Second)
			fmt.Fprintf(os.Stderr, "gpt: %s: %s\n", which(job.Rank, job.Size), err)
		default:
			time.Sleep(2 * time.Second)
		}
		endAll(job, syscall.SIGKILL)
		return 1
	}
	switch {
	case isAlone:
		return fail(fmt.Errorf("%d processes were started, and `gpt %s` can't share its work among them: start one, without the launcher", job.Size, command))
	case err != nil:
		return fail(err)
	case join == nil:
		return fail(handOver(job, args))
	}
	ctx := endAtSignal(job)
	if crew, err = join(job); err != nil {
		return fail(err)
	}
	if crew.Rank() > 0 {
		takePart(ctx)
	}
	team = &run.Team{Peers: crew}
	status := execute(ctx, args, os.Stdout, os.Stderr)
	begun() // all is said: a launcher that ends the job now, as another process has ended, adds no line
	if team.Working() {
		crew.Abort(max(1, status))
	}
	if err := team.Dismiss(status); err != nil {
		if status == 0 {
			fmt.Fprintln(os.Stderr, "gpt:", lines(err))
		}
		crew.Abort(max(1, status))
	}
	crew.Leave(status)
	return status
}

// which names a process of several.
func which(rank, size int) string {
	host, _ := os.Hostname()
	return fmt.Sprintf("process %d of %d, on %s", rank, size, host)
}

// endAll ends this process by a signal if otherwise the launcher doesn't end the others:
// MPICH's takes no notice of an exit status, whatever it is, before a process has joined.
func endAll(job launcher.Job, s syscall.Signal) {
	if job.By == "PMI_RANK" {
		end(s)
	}
}

// endAtSignal returns a context that a signal ends, and sets begun. Until that is called, a
// signal ends this process at once: before the processes have joined, and while the first one
// reads the texts, there is nothing to be saved. The launcher ends the others then.
func endAtSignal(job launcher.Job) context.Context {
	ctx, _ := interrupt.Context(context.Background(), extraSignals()...)
	forget := context.AfterFunc(ctx, func() {
		who := ""
		if job.Rank > 0 {
			who = which(job.Rank, job.Size) + ": "
			// If the first process has got the signal too, it prints the message; and
			// Open MPI's launcher sends one to the others when a process has failed. If
			// work begins meanwhile, it ends after a step.
			if time.Sleep(4 * time.Second); working.Load() {
				return
			}
		}
		fmt.Fprintf(os.Stderr, "gpt: %sasked to stop before the first step\n", who)
		status := interrupt.Status()
		endAll(job, syscall.Signal(status-128))
		os.Exit(status)
	})
	begun = func() {
		working.Store(true)
		forget()
	}
	return ctx
}

// begun says that signals end the shared work in good order from now on, and working that it
// was called.
var (
	begun   func()
	working atomic.Bool
)

// takePart does this process' share of the work until ctx ends, and ends the process.
func takePart(ctx context.Context) {
	begun()
	status, err := run.Follow(ctx, crew)
	if err != nil {
		// If the first process has the same error, it prints it. The launcher ends this
		// one then: Open MPI's takes two seconds.
		time.Sleep(4 * time.Second)
		fmt.Fprintf(os.Stderr, "gpt: %s: %s\n", which(crew.Rank(), crew.Size()), lines(err))
		crew.Abort(1)
	}
	crew.Leave(status)
}

// describeProcesses prints what the processes are.
func describeProcesses(w io.Writer) {
	if crew == nil {
		return
	}
	fmt.Fprintf(w, "processes: %s\n", crew)
	for _, note := range crew.Notes() {
		fmt.Fprintln(w, "note:", note)
	}
}

// forProcesses returns c for a new run that all processes share, and prints what they are and
// what was changed for them.
func forProcesses(w io.Writer, c train.Config) (train.Config, error) {
	describeProcesses(w)
	c, note, err := c.ForPeers(peers())
	if note != "" {
		fmt.Fprintln(w, "note:", note)
	}
	return c, err
}

// peers is the number of processes.
func peers() int {
	if crew == nil {
		return 1
	}
	return crew.Size()
}

// sharing is the name of the program that shares trainings.
const sharing = "gpt-mpi"

// handOver replaces this program by the one that has MPI, next to it or in PATH. It returns
// only if that fails.
func handOver(job launcher.Job, args []string) error {
	path := ""
	if here, err := os.Executable(); err == nil {
		if next := filepath.Join(filepath.Dir(here), sharing); isFile(next) {
			path = next
		}
	}
	if path == "" {
		path, _ = exec.LookPath(sharing)
	}
	if path == "" {
		return fmt.Errorf("started as process %d of %d: that needs %s next to gpt, which `go build ./cmd/%s` makes", job.Rank, job.Size, sharing, sharing)
	}
	return fmt.Errorf("%s: %w", path, replace(path, append([]string{sharing}, args[1:]...)))
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
