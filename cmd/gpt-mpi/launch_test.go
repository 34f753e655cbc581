package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tinygpt/internal/fixture"
	"tinygpt/train"
)

// implementation is an MPI that is installed here.
type implementation struct {
	name   string
	mpirun []string
	env    []string
	// quiet: at a signal it ends its processes at once, and shows no more of what they print.
	quiet bool
}

var (
	implementations []implementation
	programs        string // the folder with gpt and gpt-mpi
	kills           = flag.Int("kills", 2, "how many trainings to kill a process of")
	other           = flag.String("mpirun", "", "another MPI's mpirun to test instead of those in PATH")
	library         = flag.String("library", "", "the library to open with it, if not the one next to it")
)

// limit is the time that a command has before it counts as hanging.
const limit = 3 * time.Minute

// TestMain finds the MPIs, and builds both programs. Where there is no MPI the tests are
// skipped; GPT_MPI=required makes that a failure.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		find()
		if len(implementations) == 0 {
			if os.Getenv("GPT_MPI") == "required" {
				fmt.Println("GPT_MPI is required, and there is no mpirun: install openmpi-bin or mpich")
				return 1
			}
			fmt.Println("skipped: no mpirun is installed (openmpi-bin, mpich)")
			return 0
		}
		var err error
		if programs, err = os.MkdirTemp("", "gpt-mpi"); err != nil {
			fmt.Println(err)
			return 1
		}
		defer os.RemoveAll(programs)
		for _, name := range []string{"gpt", "gpt-mpi"} {
			build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(programs, name), "tinygpt/cmd/"+name)
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				fmt.Printf("%v\n%s", err, out)
				return 1
			}
		}
		return m.Run()
	}())
}

// find fills implementations.
func find() {
	seen := map[string]bool{}
	names := []string{"mpirun.openmpi", "mpirun.mpich", "mpirun", "mpiexec"}
	if *other != "" {
		names = []string{*other}
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, _ := exec.Command(path, "--version").CombinedOutput()
		i := implementation{name: "MPICH", mpirun: []string{path}}
		if strings.Contains(string(out), "Open MPI") || strings.Contains(string(out), "OpenRTE") {
			i = implementation{
				name: "Open MPI", mpirun: []string{path, "--oversubscribe", "--bind-to", "none"},
				env:   []string{"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "PRTE_ALLOW_RUN_AS_ROOT=1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1"},
				quiet: strings.Contains(string(out), "(Open MPI) 5"),
			}
		}
		if *library != "" {
			i.env = append(i.env, "GPT_MPI_LIBRARY="+*library)
		}
		if !seen[i.name] {
			seen[i.name] = true
			implementations = append(implementations, i)
		}
	}
}

// command is gpt with arguments, by n processes; without an implementation, by one alone. A
// process waits for ten seconds for a sign of life from the others. A command that hangs is
// killed, with what it has started.
func command(t *testing.T, i *implementation, n int, args ...string) *exec.Cmd {
	t.Helper()
	words := append([]string{filepath.Join(programs, "gpt")}, args...)
	if i != nil {
		words = slices.Concat(i.mpirun, []string{"-np", strconv.Itoa(n)}, words)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error {
		t.Errorf("hangs for %v: %v", limit, c.Args)
		return syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	}
	c.WaitDelay = 10 * time.Second
	c.Env = append(os.Environ(), "GPT_MPI_PATIENCE=10s")
	if i != nil {
		c.Env = append(c.Env, i.env...)
	}
	return c
}

// gpt runs a command that is to succeed, and returns what it prints.
func gpt(t *testing.T, i *implementation, n int, args ...string) string {
	t.Helper()
	out, err := command(t, i, n, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%d processes, gpt %s: %v\n%s", n, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// fails runs a command that is to fail with exactly one line of gpt's, and returns that.
func fails(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Run(); err == nil {
		t.Errorf("%v succeeds", c.Args)
	}
	lines := regexp.MustCompile(`(?m)^gpt: .*$`).FindAllString(stderr.String(), -1)
	if len(lines) != 1 {
		t.Errorf("%v says in %d lines:\n%s", c.Args, len(lines), stderr.String())
		return ""
	}
	return lines[0]
}

const toy = `data: {stories_bytes: 40000, val_fraction: 0.1, windows: random}
tokenizer: {kind: byte}
model: {arch: gpt2, layers: 2, heads: 2, width: 32, context: 32, dropout: 0.1}
train: {steps: 40, batch_size: 1, gradient_accumulation_steps: 8, gradient_parts: 4, learning_rate: 3.0e-3, warmup_steps: 2, beta2: 0.99, eval_interval: 8, sample_interval: 20, checkpoint_interval: 4}
sample: {max_tokens: 10}
`

// inFolder goes to a new folder with toy.yaml.
func inFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	fixture.Write(t, "toy.yaml", toy)
}

// waitForStep waits until a run has made that many steps.
func waitForStep(t *testing.T, dir string, step int) {
	t.Helper()
	for range 6000 {
		if lastStep(dir) >= step {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s doesn't get to step %d", dir, step)
}

// lastStep is the last step that a run's metrics have; 0: none.
func lastStep(dir string) int {
	all, _ := train.ReadMetrics(filepath.Join(dir, train.MetricsFile))
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Step
}

// pidOf finds the process with that number, of the run in a folder.
func pidOf(dir string, rank int) int {
	const none = 1 << 30 // no process has this number
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		env, _ := os.ReadFile(path)
		if !bytes.HasPrefix(line, []byte("gpt-mpi\x00")) || !bytes.Contains(line, []byte("\x00"+dir+"\x00")) && !bytes.HasSuffix(line, []byte("\x00"+dir+"\x00")) {
			continue
		}
		for _, v := range strings.Split(string(env), "\x00") {
			if v == fmt.Sprintf("OMPI_COMM_WORLD_RANK=%d", rank) || v == fmt.Sprintf("PMI_RANK=%d", rank) {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
				return pid
			}
		}
	}
	return none
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
