package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
		c := command(t, mpi, n, "train", "--config", "toy.yaml", "--run", dir)
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
			if out, err := command(t, nil, 1, "train", "--resume", "--run", dir).CombinedOutput(); err != nil && !strings.Contains(string(out), "has made all its") {
				t.Errorf("%s: %v\n%s", dir, err, out)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp*")); len(left) > 0 {
			t.Errorf("temporary files are left: %v", left)
		}
		sameRun(t, "alone", dir)
		os.RemoveAll(dir)
	}
}

// What doesn't fit together is said in one line, and no run is begun.
func TestMismatch(t *testing.T) {
	inFolder(t)
	args := []string{"train", "--config", "toy.yaml", "--run", "none"}
	for i := range implementations {
		mpi := &implementations[i]
		if line := fails(t, command(t, mpi, 3, args...)); !strings.Contains(line, "3 processes can't share a step of 4 parts") {
			t.Errorf("%s: %s", mpi.name, line)
		}
		if line := fails(t, command(t, mpi, 2, "align", "sft")); !strings.Contains(line, "can't share its work") {
			t.Errorf("%s: %s", mpi.name, line)
		}
		missing := command(t, mpi, 3, args...)
		missing.Env = append(missing.Env, "GPT_MPI_LIBRARY=/none/libmpi.so")
		if line := fails(t, missing); !strings.Contains(line, "/none/libmpi.so") {
			t.Errorf("%s: %s", mpi.name, line)
		}
		lonely := filepath.Join(t.TempDir(), "gpt")
		copyFile(t, lonely, filepath.Join(programs, "gpt"))
		c := command(t, mpi, 2, args...)
		c.Args[slices.Index(c.Args, filepath.Join(programs, "gpt"))] = lonely
		if line := fails(t, c); !strings.Contains(line, "go build ./cmd/gpt-mpi") {
			t.Errorf("%s: %s", mpi.name, line)
		}
		if len(implementations) > 1 {
			wrong := command(t, mpi, 2, args...)
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
		if line := fails(t, command(t, &implementations[i], 4, "train", "--config", "toy.yaml", "--run", "full/run")); !strings.Contains(line, "no space left") {
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

// A folder that is removed ends the job with one line of the process that writes there.
func TestFolderRemoved(t *testing.T) {
	inFolder(t)
	for i := range implementations {
		c := command(t, &implementations[i], 2, "train", "--config", "toy.yaml", "--run", "gone", "--set", "train.steps=100000")
		lines := begin(t, c, "gone", 5)
		os.RemoveAll("gone")
		if err := c.Wait(); err == nil {
			t.Errorf("%s: a run without a folder succeeds", implementations[i].name)
		}
		if all := lines(); len(all) != 1 || !strings.Contains(all[0], "gone") {
			t.Errorf("%s: %q", implementations[i].name, all)
		}
		os.RemoveAll("gone")
	}
}

// Where a process shows no sign of life, as on a computer that has lost its network, the
// others end, and the run goes on from its last checkpoint.
func TestSilent(t *testing.T) {
	inFolder(t)
	for i := range implementations {
		c := command(t, &implementations[i], 4, "train", "--config", "toy.yaml", "--run", "silent", "--set", "train.steps=100000")
		c.Env = append(c.Env, "GPT_MPI_PATIENCE=3s")
		lines := begin(t, c, "silent", 5)
		victim := pidOf("silent", 2)
		syscall.Kill(victim, syscall.SIGSTOP)
		start := time.Now()
		err := c.Wait()
		syscall.Kill(victim, syscall.SIGKILL)
		if all := lines(); err == nil || len(all) != 1 || !strings.Contains(all[0], "no sign of life") {
			t.Errorf("%s: %v, %q", implementations[i].name, err, all)
		}
		t.Logf("%s: over after %v", implementations[i].name, time.Since(start).Round(100*time.Millisecond))
		goesOn(t, "silent")
	}
}

// When the launcher itself is killed, no process of the job is left.
func TestLauncherKilled(t *testing.T) {
	inFolder(t)
	for i := range implementations {
		c := command(t, &implementations[i], 2, "train", "--config", "toy.yaml", "--run", "orphans", "--set", "train.steps=100000")
		begin(t, c, "orphans", 5)
		pids := []int{pidOf("orphans", 0), pidOf("orphans", 1)}
		c.Process.Kill()
		start := time.Now()
		c.Wait()
		for _, pid := range pids {
			for running(pid) {
				if time.Since(start) > 30*time.Second {
					t.Fatalf("%s: process %d goes on without its launcher", implementations[i].name, pid)
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		t.Logf("%s: over after %v", implementations[i].name, time.Since(start).Round(10*time.Millisecond))
		goesOn(t, "orphans")
	}
}

// running says whether a process is there and hasn't ended.
func running(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(text), ") ")
	return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}
