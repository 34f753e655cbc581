//go:build linux && (amd64 || arm64)

package mpi

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// patienceVariable says for how long a process waits for a sign of life from the others, as
// in 10m; a minute if it isn't set.
const patienceVariable = "GPT_MPI_PATIENCE"

func patience() time.Duration {
	if d, err := time.ParseDuration(os.Getenv(patienceVariable)); err == nil && d > 0 {
		return d
	}
	return time.Minute
}

// pulse shows that all processes are there. Launchers notice a process that ends, but not
// always a computer that has lost its power or its network, nor their own end: the others
// would wait for ever. So all processes meet in a barrier every second, whatever else they
// do, on a communicator of its own.
type pulse struct {
	comm    uintptr
	request *request
	begun   int  // barriers
	beating bool // the last one isn't over
	last    int  // the barrier that is the last one; 0: there is no end yet
	next    time.Time
	looked  time.Time
	silent  time.Duration // how long the barrier under way has taken
	limit   time.Duration // of silent
	parent  int           // the launcher's process on this computer
	err     error         // why the others are given up
}

// start makes the communicator.
func (p *pulse) start(l *library) error {
	comm := allocate[uint64](1)
	if err := l.check("MPI_Comm_dup", call(l.duplicate, l.world, address(comm))); err != nil {
		return err
	}
	call(l.setErrorHandler, uintptr(comm[0]), l.errorsReturn)
	p.comm, p.request, p.limit, p.parent = uintptr(comm[0]), newRequest(0), patience(), os.Getppid()
	return nil
}

// look begins barriers and sees whether they end. It returns an error once the others are
// given up.
func (p *pulse) look(l *library) error {
	now := time.Now()
	// A process that was stopped itself, as batch systems do, has no right to complain.
	awake := min(now.Sub(p.looked), 100*time.Millisecond)
	p.looked = now
	switch {
	case p.err != nil:
	case p.beating:
		p.err = l.check("MPI_Test", call(l.test, address(p.request.handle), address(p.request.flag), l.abi.statusIgnore))
		if p.request.flag[0] != 0 {
			p.beating, p.silent = false, 0
		} else if p.silent += awake; p.silent > p.limit {
			p.err = silence(p.limit)
		}
	case p.begun < p.last, p.last == 0 && now.After(p.next):
		if os.Getppid() != p.parent {
			p.err = errors.New("the launcher has ended")
			break
		}
		p.err = l.check("MPI_Ibarrier", call(l.barrier, p.comm, address(p.request.handle)))
		p.begun, p.beating, p.next = p.begun+1, true, now.Add(time.Second)
	}
	return p.err
}

func silence(limit time.Duration) error {
	return fmt.Errorf("no sign of life from another process for %v: its computer or the network is lost (%s sets another time)", limit, patienceVariable)
}

// giveUp ends the waiting for other processes with an error.
func (w *World) giveUp(err error) {
	w.once.Do(func() {
		w.why = err
		close(w.gone)
	})
}

// watch gives the others up too when serve doesn't come back from the library, which may
// wait for one that has stopped.
func (w *World) watch() {
	const pause = 100 * time.Millisecond
	before, silent := int64(0), time.Duration(0)
	for range time.Tick(pause) {
		if now := w.turns.Load(); now != before {
			before, silent = now, 0
		} else if silent += pause; silent > w.pulse.limit {
			w.giveUp(silence(w.pulse.limit))
			return
		}
	}
}

// endPulse ends the barriers when all processes are about to leave. Some may have begun one
// more than others: those begin it too.
func (w *World) endPulse() error {
	if err := w.Sum(make([]float64, 1)); err != nil { // all are here
		return err
	}
	begun := make([]float64, w.size)
	w.do(func() {
		w.pulse.last = max(1, w.pulse.begun)
		begun[w.rank] = float64(w.pulse.last)
	})
	if err := w.Sum(begun); err != nil {
		return err
	}
	w.do(func() { w.pulse.last = int(slices.Max(begun)) })
	for over := false; !over; {
		w.do(func() { over = w.pulse.begun >= w.pulse.last && !w.pulse.beating })
		select {
		case <-w.gone:
			return w.why
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// do runs f on the library's thread. It doesn't wait when the other processes are given up.
func (w *World) do(f func()) {
	done := make(chan bool)
	w.call(func() {
		f()
		close(done)
	})
	select {
	case <-done:
	case <-w.gone:
	}
}
