package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
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

	"tinygpt/model/safetensors"
	"tinygpt/train"
)

// implementation is an MPI that is installed here.
type implementation struct {
	name   string
	mpirun []string
	env    []string
}

var (
	implementations []implementation
	programs        string // the folder with gpt and gpt-mpi
	kills           = flag.Int("kills", 2, "how many trainings to kill a process of")
)

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
	for _, name := range []string{"mpirun.openmpi", "mpirun.mpich", "mpirun", "mpiexec"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, _ := exec.Command(path, "--version").CombinedOutput()
		i := implementation{name: "MPICH", mpirun: []string{path}}
		if strings.Contains(string(out), "Open MPI") || strings.Contains(string(out), "OpenRTE") {
			i = implementation{"Open MPI", []string{path, "--oversubscribe", "--bind-to", "none"},
				[]string{"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"}}
		}
		if !seen[i.name] {
			seen[i.name] = true
			implementations = append(implementations, i)
		}
	}
}

// command is gpt with arguments, by n processes; without an implementation, by one alone.
func command(i *implementation, n int, args ...string) *exec.Cmd {
	words := append([]string{filepath.Join(programs, "gpt")}, args...)
	if i != nil {
		words = slices.Concat(i.mpirun, []string{"-np", strconv.Itoa(n)}, words)
	}
	c := exec.Command(words[0], words[1:]...)
	c.Env = os.Environ()
	if i != nil {
		c.Env = append(c.Env, i.env...)
	}
	return c
}

// gpt runs a command that is to succeed, and returns what it prints.
func gpt(t *testing.T, i *implementation, n int, args ...string) string {
	t.Helper()
	out, err := command(i, n, args...).CombinedOutput()
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
	if err := os.WriteFile("toy.yaml", []byte(toy), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sameRun compares checkpoints and metrics of two runs, apart from times.
func sameRun(t *testing.T, want, got string) {
	t.Helper()
	for _, name := range []string{train.LastCheckpoint, train.BestCheckpoint} {
		a, b := tensors(t, want, name), tensors(t, got, name)
		if len(a) != len(b) || len(a) < 20 {
			t.Errorf("%s: %d tensors in %s, %d in %s", name, len(a), want, len(b), got)
		}
		for n := range a {
			if !bytes.Equal(a[n], b[n]) {
				t.Errorf("%s: %s is other in %s than in %s", name, n, got, want)
			}
		}
	}
	metrics := func(dir string) string {
		all, err := train.ReadMetrics(filepath.Join(dir, train.MetricsFile))
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			all[i].Elapsed, all[i].TokensPerSec, all[i].Waiting = 0, 0, 0
			all[i].Values = nil // several processes don't log them
		}
		return fmt.Sprint(all)
	}
	if a, b := metrics(want), metrics(got); a != b {
		t.Errorf("metrics of %s and %s differ:\n%s\n%s", want, got, a, b)
	}
}

func tensors(t *testing.T, dir, name string) map[string][]byte {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string][]byte{}
	for _, n := range f.Names() {
		info, _ := f.Info(n)
		size := 1
		for _, d := range info.Shape {
			size *= d
		}
		x := make([]float32, size)
		if err := f.Float32(n, x); err != nil {
			t.Fatal(err)
		}
		all[n] = train.Bytes(x)
	}
	return all
}

// One process, and several under every MPI, make the same run; so do those that are stopped
// and go on with another number of processes, or under another MPI.
func TestSameBits(t *testing.T) {
	inFolder(t)
	gpt(t, nil, 1, "train", "--config", "toy.yaml", "--run", "alone")
	for i := range implementations {
		mpi := &implementations[i]
		for _, n := range []int{1, 2, 4} {
			dir := fmt.Sprintf("run-%d-%d", i, n)
			out := gpt(t, mpi, n, "train", "--config", "toy.yaml", "--run", dir)
			if n > 1 && !strings.Contains(out, fmt.Sprintf("processes: %d on this computer", n)) {
				t.Errorf("%s: %s", mpi.name, out)
			}
			sameRun(t, "alone", dir)
		}
	}
	stopped := "stopped"
	for turn, n := range []int{4, 2, 1} {
		mpi := &implementations[turn%len(implementations)]
		args := []string{"train", "--resume", "--run", stopped}
		if turn == 0 {
			args = []string{"train", "--config", "toy.yaml", "--run", stopped}
		}
		c := command(mpi, n, args...)
		if turn == 2 {
			c = command(nil, 1, args...)
		}
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if turn < 2 {
			waitForStep(t, stopped, []int{5, 20}[turn])
			syscall.Kill(pidOf(stopped, n-1), syscall.SIGTERM) // any process will do
		}
		err := c.Wait()
		if turn < 2 && lastStep(stopped) == 40 {
			t.Logf("%d processes were done before they could be stopped", n)
			return
		}
		if (err == nil) != (turn == 2) {
			t.Fatalf("turn %d: %v\n%s", turn, err, out.String())
		}
	}
	sameRun(t, "alone", stopped)
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

// A fine-tuning that is shared has the bits of one process.
func TestFinetune(t *testing.T) {
	inFolder(t)
	gpt(t, nil, 1, "train", "--config", "toy.yaml", "--run", "base", "--set", "train.steps=2")
	var rows strings.Builder
	rows.WriteString("text\tlabel\n")
	for i := range 60 {
		fmt.Fprintf(&rows, "The number %d is here.\t%s\n", i*i, []string{"even", "odd"}[i%2])
	}
	if err := os.WriteFile("rows.tsv", []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	args := func(dir string) []string {
		return []string{"finetune", "--data", "rows.tsv", "--from", "base", "--run", dir, "--epochs", "1", "--freeze-embeddings", "--adapt", "2",
			"--set", "finetune.min_steps=4", "--set", "train.batch_size=4", "--set", "train.gradient_accumulation_steps=4", "--set", "train.gradient_parts=4"}
	}
	gpt(t, nil, 1, args("alone")...)
	for i := range implementations {
		dir := fmt.Sprintf("run-%d", i)
		gpt(t, &implementations[i], 2+2*i, args(dir)...)
		sameRun(t, "alone", dir)
	}
}

// When a process is killed, the job is over soon, and the run goes on from its last
// checkpoint to the same end.
func TestKilled(t *testing.T) {
	inFolder(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	gpt(t, nil, 1, "train", "--config", "toy.yaml", "--run", "alone")
	for k := range *kills {
		mpi, n := &implementations[k%len(implementations)], []int{2, 4}[random.IntN(2)]
		dir := fmt.Sprintf("killed-%d", k)
		c := command(mpi, n, "train", "--config", "toy.yaml", "--run", dir)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		waitForStep(t, dir, 5+random.IntN(30)) // after the first checkpoint
		time.Sleep(time.Duration(random.IntN(50)) * time.Millisecond)
		victim := random.IntN(n)
		pid := pidOf(dir, victim)
		syscall.Kill(pid, syscall.SIGKILL)
		start := time.Now()
		err := c.Wait()
		took := time.Since(start)
		if err == nil {
			t.Logf("%s was over before it could be killed", dir)
		}
		if took > 15*time.Second { // 5 on an idle computer
			t.Errorf("%s, process %d of %d killed: over only after %v", mpi.name, victim, n, took)
		}
		t.Logf("%s, process %d of %d killed: over after %v", mpi.name, victim, n, took.Round(time.Millisecond))
		if lastStep(dir) < 40 {
			gpt(t, &implementations[random.IntN(len(implementations))], []int{1, 2, 4}[random.IntN(3)], "train", "--resume", "--run", dir)
		} else if err != nil {
			if out, err := command(nil, 1, "train", "--resume", "--run", dir).CombinedOutput(); err != nil && !strings.Contains(string(out), "has made all its") {
				t.Errorf("%s: %v\n%s", dir, err, out)
			}
		}
		sameRun(t, "alone", dir)
		os.RemoveAll(dir)
	}
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

// What doesn't fit together is said in one line, and no run is begun.
func TestMismatch(t *testing.T) {
	inFolder(t)
	args := []string{"train", "--config", "toy.yaml", "--run", "none"}
	for i := range implementations {
		mpi := &implementations[i]
		if line := fails(t, command(mpi, 3, args...)); !strings.Contains(line, "3 processes can't share a step of 4 parts") {
			t.Errorf("%s: %s", mpi.name, line)
		}
		if line := fails(t, command(mpi, 2, "align", "sft")); !strings.Contains(line, "can't share its work") {
			t.Errorf("%s: %s", mpi.name, line)
		}
		missing := command(mpi, 3, args...)
		missing.Env = append(missing.Env, "GPT_MPI_LIBRARY=/none/libmpi.so")
		if line := fails(t, missing); !strings.Contains(line, "/none/libmpi.so") {
			t.Errorf("%s: %s", mpi.name, line)
		}
		lonely := filepath.Join(t.TempDir(), "gpt")
		copyFile(t, lonely, filepath.Join(programs, "gpt"))
		c := command(mpi, 2, args...)
		c.Args[slices.Index(c.Args, filepath.Join(programs, "gpt"))] = lonely
		if line := fails(t, c); !strings.Contains(line, "go build ./cmd/gpt-mpi") {
			t.Errorf("%s: %s", mpi.name, line)
		}
		if len(implementations) > 1 {
			wrong := command(mpi, 2, args...)
			wrong.Env = append(wrong.Env, "GPT_MPI_LIBRARY="+map[string]string{"Open MPI": "libmpich.so.12", "MPICH": "libmpi.so.40"}[mpi.name])
			if line := fails(t, wrong); !strings.Contains(line, "they are of different MPIs") {
				t.Errorf("%s: %s", mpi.name, line)
			}
		}
	}
	if _, err := os.Stat("none"); err == nil {
		t.Error("a run was begun")
	}
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

// A disk that is full on the first process ends the job with one line.
func TestFullDisk(t *testing.T) {
	inFolder(t)
	if err := os.Mkdir("full", 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", "full").CombinedOutput(); err != nil {
		t.Skipf("needs the right to mount a small disk: %s", out)
	}
	defer exec.Command("umount", "full").Run()
	for i := range implementations {
		start := time.Now()
		if line := fails(t, command(&implementations[i], 4, "train", "--config", "toy.yaml", "--run", "full/run")); !strings.Contains(line, "no space left") {
			t.Errorf("%s: %s", implementations[i].name, line)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s: over only after %v", implementations[i].name, took)
		}
		if left, _ := filepath.Glob("full/run/*.tmp*"); len(left) > 0 {
			t.Errorf("temporary files are left: %v", left)
		}
		os.RemoveAll("full/run")
	}
}

// The program without MPI is static: it has neither an interpreter nor dynamic libraries.
func TestStatic(t *testing.T) {
	for name, want := range map[string]bool{"gpt": false, "gpt-mpi": true} {
		if got := isDynamic(t, filepath.Join(programs, name)); got != want {
			t.Errorf("%s has a dynamic loader: %v, want %v", name, got, want)
		}
	}
}
