//go:build linux && (amd64 || arm64)

package mpi

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"tinygpt/internal/expect"
	"tinygpt/internal/launcher"
)

// TestMain is the tests' own process, or, started by a launcher, one of those that a test is
// about.
func TestMain(m *testing.M) {
	if job, ok, _ := launcher.Find(); ok && os.Getenv("MPI_TEST") != "" {
		if err := member(job); err != nil {
			fmt.Println("member:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// launch runs this program by n processes under every mpirun that is installed.
func launch(t *testing.T, n int) {
	t.Helper()
	found := false
	for _, name := range []string{"mpirun.openmpi", "mpirun.mpich"} {
		mpirun, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		found = true
		c := exec.Command(mpirun, "-np", fmt.Sprint(n), os.Args[0])
		c.Env = append(os.Environ(), "MPI_TEST=1", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_rmaps_base_oversubscribe=1")
		out, err := c.CombinedOutput()
		if err != nil || strings.Count(string(out), "member: well") != n {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		t.Logf("%s", strings.SplitN(string(out), "\n", 2)[0])
	}
	if !found {
		t.Skip("no mpirun is installed (openmpi-bin, mpich)")
	}
}

// The processes exchange numbers while garbage is collected; panics can be recovered from,
// and signals arrive, as without a library.
func TestWorld(t *testing.T) { launch(t, 3) }

// member is what each process of TestWorld does.
func member(job launcher.Job) error {
	w, err := Join(job)
	if err != nil {
		return err
	}
	if w.Rank() == 0 {
		fmt.Printf("%s, handles of %s ABI\n", w.Library(), w.ABI())
	}
	if err := exchange(w); err != nil {
		return err
	}
	if r := nilDereference(); r == nil {
		return fmt.Errorf("a nil dereference wasn't recovered from")
	}
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGINT, syscall.SIGTERM} {
		got := make(chan os.Signal, 1)
		signal.Notify(got, s)
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			return err
		}
		select {
		case <-got:
		case <-time.After(10 * time.Second):
			return fmt.Errorf("no %v arrives", s)
		}
		signal.Stop(got)
	}
	fmt.Println("member: well")
	w.Leave(0)
	return nil
}

// exchange tries every operation, several of them at once.
func exchange(w *World) error {
	n, rank, size := 1<<15, w.Rank(), w.Size()
	for round := range 5 {
		sent, received, all := w.Floats(n*size), w.Floats(n*size), w.Floats(n*size)
		even, mine := make([]int, size), make([]int, size)
		for r := range size {
			even[r], mine[r] = n, n
			for i := range n {
				sent[r*n+i] = float32(1000*rank + 10*r + i%7)
			}
		}
		for i := range n {
			all[rank*n+i] = float32(rank + i%5 + round)
		}
		scattered := w.Scatter(sent, even, received, mine)
		gathered := w.Gather(all, even)
		sums := make([]float64, chunk/8+3) // more than goes at once
		sums[rank], sums[len(sums)-1-rank] = 0.1+float64(rank), 7
		text := make([]byte, chunk+5)
		if rank == 0 {
			copy(text, "from the first")
			text[len(text)-1] = 9
		}
		runtime.GC()
		if err := w.Sum(sums); err != nil {
			return err
		}
		if err := w.Broadcast(text); err != nil {
			return err
		}
		runtime.GC()
		if err := gathered(); err != nil {
			return err
		}
		if err := scattered(); err != nil {
			return err
		}
		for r := range size {
			if sums[r] != 0.1+float64(r) || sums[len(sums)-1-r] != 7 {
				return fmt.Errorf("sums %v, %v", sums[:size], sums[len(sums)-size:])
			}
			for i := range n {
				if got, want := received[r*n+i], float32(1000*r+10*rank+i%7); got != want {
					return fmt.Errorf("received %v from %d, want %v", got, r, want)
				}
				if got, want := all[r*n+i], float32(r+i%5+round); got != want {
					return fmt.Errorf("gathered %v from %d, want %v", got, r, want)
				}
			}
		}
		if string(text[:14]) != "from the first" || text[len(text)-1] != 9 {
			return fmt.Errorf("broadcast %q", text[:14])
		}
	}
	return nil
}

//go:noinline
func nilDereference() (r any) {
	defer func() { r = recover() }()
	var p *int
	return *p
}

func TestDescribe(t *testing.T) {
	expect.Texts(t, map[string]string{
		"Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022": "Open MPI v4.1.4",
		"MPICH Version:      4.0.2\nMPICH Release date: Thu Apr  7 12:34:45 CDT 2022\n":          "MPICH 4.0.2",
		"Intel(R) MPI Library 2021.13 for Linux* OS\n":                                           "Intel(R) MPI Library 2021.13 for Linux* OS",
		"": "",
	}, describe)
}

func TestCandidates(t *testing.T) {
	t.Setenv(libraryVariable, "")
	for by, first := range map[string]string{"OMPI_COMM_WORLD_RANK": "libmpi.so.40", "PMI_RANK": "libmpi.so.12", "PMIX_RANK": "libmpi.so.40"} {
		names := candidates(launcher.Job{By: by}, nil)
		if names[0] != first || names[len(names)-1] != "libmpi_abi.so.0" {
			t.Errorf("%s: %v", by, names)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/libmpich.so.12", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if names := candidates(launcher.Job{By: "PMI_RANK"}, []string{dir}); names[0] != dir+"/libmpich.so.12" {
		t.Errorf("the launcher's own library isn't first: %v", names)
	}
	t.Setenv(libraryVariable, "/opt/mpi/libmpi.so")
	if names := candidates(launcher.Job{By: "PMI_RANK"}, []string{dir}); len(names) != 1 || names[0] != "/opt/mpi/libmpi.so" {
		t.Errorf("%v", names)
	}
}

func TestLay(t *testing.T) {
	r := newRequest(3)
	lay(r.out, r.outAt, []int{4, 0, 5})
	if fmt.Sprint(r.out, r.outAt) != "[4 0 5] [0 4 4]" {
		t.Error(r.out, r.outAt)
	}
	if len(r.flag) != 1 || len(r.handle) != 1 {
		t.Error("no room for MPI's own")
	}
}
