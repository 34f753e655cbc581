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
		if job.First {
			fmt.Fprintln(os.Stderr, "gpt:", err)
		} else {
			// A launcher ends all processes as soon as one has failed: the first one speaks before.
			time.Sleep(time.Second)
		}
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
	if crew, err = join(job); err != nil {
		return fail(err)
	}
	if crew.Rank() > 0 {
		takePart()
	}
	team = &run.Team{Peers: crew}
	status := execute(context.Background(), args, os.Stdout, os.Stderr)
	if team.Working() {
		crew.Abort(max(1, status))
	}
	if err := team.Dismiss(status); err != nil {
		crew.Abort(max(1, status))
	}
	crew.Leave(status)
	return status
}

// takePart does this process' share of the work, and ends it.
func takePart() {
	ctx, stop := interrupt.Context(context.Background(), extraSignals()...)
	defer stop()
	status, err := run.Follow(ctx, crew)
	if err != nil {
		host, _ := os.Hostname()
		fmt.Fprintf(os.Stderr, "gpt: process %d of %d, on %s: %s\n", crew.Rank(), crew.Size(), host, lines(err))
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
