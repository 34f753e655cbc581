//go:build linux

package reliability

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"time"
)

// Signal sends runs of a kind SIGINT (Ctrl-C), SIGTERM or SIGHUP at random instants until it
// has done so times times. A run must save and end soon, with the status that belongs to the
// signal. A quarter of them are stopped and continued before (SIGTSTP, SIGCONT), which must
// change nothing, and a quarter get SIGINT after the signal, which may end them at once. Each
// run is then brought to its end and compared with an undisturbed one.
func (k Kind) Signal(p *Program, r *Report, times int, seed uint64) error {
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	return k.interrupt(p, r, "signals", times, seed, func(x *row, process *Process, random *rand.Rand) {
		if random.IntN(4) == 0 {
			process.Signal(syscall.SIGTSTP)
			process.stopped()
			process.Signal(syscall.SIGCONT)
		}
		s := signals[random.IntN(len(signals))]
		process.Signal(s)
		twice := random.IntN(4) == 0
		if twice {
			time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
			process.Signal(syscall.SIGINT)
		}
		start := time.Now()
		e := process.Wait()
		if took := time.Since(start); took > 5*time.Second {
			r.wrong(x, "%v: ended %v after the signal", e, took)
		}
		if fault := e.Fault(); fault != "" {
			r.wrong(x, "%v: %s", e, fault)
		}
		if !k.through(e) && e.Status != 128+int(s) && !(twice && e.Status == 128+int(syscall.SIGINT)) {
			r.wrong(x, "%v after signal %d (twice: %v)", e, s, twice)
		}
		if said := strings.Contains(e.Stdout, "\nstopped"); said && e.Status == 0 {
			r.wrong(x, "%v: says that it stopped", e)
		}
	})
}

// stopped waits until the process is stopped, or has ended: a SIGCONT that comes before has no
// effect.
func (r *Process) stopped() {
	for r.Running(10 * time.Millisecond) {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
		if _, state, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(state, "T") {
			return
		}
	}
}
