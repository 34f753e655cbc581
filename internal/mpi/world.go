//go:build linux && (amd64 || arm64)

// Package mpi joins this process to the others that a launcher started, by an MPI library
// that is opened at run time: without cgo, and without MPI's headers or compilers where the
// program is built.
package mpi

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"tinygpt/internal/launcher"
)

// World is all processes of the job. Its methods are called by one goroutine, in the same
// order on all processes.
type World struct {
	library *library
	rank    int
	size    int

	calls chan func() // for serve
	open  []*request  // under way
	free  []*request
	bytes []byte // memory of Sum and Broadcast
	pulse pulse
	turns atomic.Int64  // of serve
	gone  chan struct{} // closed when the other processes are given up
	why   error         // that they are
	once  sync.Once
}

// chunk is the number of bytes that Sum and Broadcast exchange at once.
const chunk = 4 << 20

// Join opens the library of the launcher and joins the job. It fails if the library sees
// another number of processes than the launcher started, as one of another MPI does: to it
// each process is a job of its own.
func Join(j launcher.Job) (*World, error) {
	w := &World{calls: make(chan func(), 64), gone: make(chan struct{})}
	joined := make(chan error, 1)
	go w.serve(j, joined)
	select {
	case err := <-joined:
		if err != nil {
			return nil, err
		}
	case <-time.After(2 * patience()):
		return nil, fmt.Errorf("the launcher hasn't brought the processes together within %v: one of them or the launcher has ended, or can't be reached", 2*patience())
	}
	w.bytes = allocate[byte](chunk)
	go w.watch()
	return w, nil
}

// serve makes all calls of the library on one thread, which is the least that libraries
// allow, and looks after the operations under way. It never waits inside the library: there
// processes that wait keep a core busy.
func (w *World) serve(j launcher.Job, joined chan<- error) {
	runtime.LockOSThread()
	if err := w.start(j); err != nil {
		joined <- err
		return
	}
	close(joined)
	idle := time.Time{} // when the last thing happened
	rest := time.NewTimer(0)
	for {
		w.turns.Add(1)
		if err := w.pulse.look(w.library); err != nil {
			w.giveUp(err)
		}
		pause := 5 * time.Millisecond // between looks at the pulse
		if len(w.open) > 0 {
			if w.look() {
				idle = time.Now()
				continue
			}
			// Data moves only when it looks. Where nothing has ended for long, the other
			// processes are at something that this one has no part in.
			if pause = time.Millisecond; time.Since(idle) < 2*time.Second {
				pause = 20 * time.Microsecond
			}
		}
		rest.Reset(pause)
		select {
		case f := <-w.calls:
			f()
			idle = time.Now()
		case <-rest.C:
		}
	}
}

// start opens and starts the library.
func (w *World) start(j launcher.Job) error {
	before := signalActions()
	defer restoreSignals(before)
	l, err := open(candidates(j, launcherFolders()))
	if err != nil {
		return err
	}
	w.library = l
	n := allocate[int32](3)
	if err := l.check("MPI_Init_thread", call(l.initThread, 0, 0, uintptr(l.abi.serialized), address(n))); err != nil {
		return fmt.Errorf("%s: %w", l.version, err)
	}
	if n[0] < l.abi.serialized {
		return fmt.Errorf("%s: %w", l.version, errThreads)
	}
	call(l.setErrorHandler, l.world, l.errorsReturn)
	call(l.commRank, l.world, address(n[1:]))
	call(l.commSize, l.world, address(n[2:]))
	w.rank, w.size = int(n[1]), int(n[2])
	if j.Size > 0 && j.Size != w.size {
		return fmt.Errorf("the launcher started %d processes, but %s sees %d: they are of different MPIs; set %s to the path of the launcher's libmpi.so, or start with this library's own mpirun", j.Size, l.version, w.size, libraryVariable)
	}
	return w.pulse.start(l)
}

// look moves the operations under way on, and says whether one has ended.
func (w *World) look() bool {
	before := len(w.open)
	w.open = slices.DeleteFunc(w.open, func(r *request) bool {
		err := w.library.check("MPI_Test", call(w.library.test, address(r.handle), address(r.flag), w.library.abi.statusIgnore))
		if err == nil && r.flag[0] == 0 {
			return false
		}
		r.done <- err
		return true
	})
	return len(w.open) < before
}

// begin begins an operation: f calls the library with a request's memory. wait returns when
// it is done.
func (w *World) begin(what string, r *request, f func(r *request) int32) (wait func() error) {
	w.call(func() {
		if err := w.library.check(what, f(r)); err != nil {
			r.done <- err
			return
		}
		w.open = append(w.open, r)
	})
	return func() error {
		select {
		case err := <-r.done:
			w.free = append(w.free, r)
			return err
		case <-w.gone:
			return w.why
		}
	}
}

// call has serve call f, unless the other processes are given up.
func (w *World) call(f func()) {
	select {
	case w.calls <- f:
	case <-w.gone:
	}
}

// request returns one that isn't in use.
func (w *World) request() *request {
	if n := len(w.free); n > 0 {
		r := w.free[n-1]
		w.free = w.free[:n-1]
		return r
	}
	return newRequest(w.size)
}

// Rank is the number of this process.
func (w *World) Rank() int { return w.rank }

// Size is the number of processes.
func (w *World) Size() int { return w.size }

// Library is the name and version of the MPI library.
func (w *World) Library() string { return w.library.version }

// ABI says which of the three binary interfaces the library has.
func (w *World) ABI() string { return w.library.abi.name }

// Floats returns n zeros that Scatter and Gather can send from and receive into.
func (w *World) Floats(n int) []float32 { return allocate[float32](n) }

// Scatter begins to send to process r its out[r] numbers of sent, and to receive in[r] from
// it. wait returns when both are done.
func (w *World) Scatter(sent []float32, out []int, received []float32, in []int) (wait func() error) {
	r := w.request()
	lay(r.out, r.outAt, out)
	lay(r.in, r.inAt, in)
	l := w.library
	return w.begin("MPI_Ialltoallv", r, func(r *request) int32 {
		return call(l.scatter, address(sent), address(r.out), address(r.outAt), l.float32,
			address(received), address(r.in), address(r.inAt), l.float32, l.world, address(r.handle))
	})
}

// Gather begins to give all processes what each has of all, lengths[r] numbers of process r.
// wait returns when it is done.
func (w *World) Gather(all []float32, lengths []int) (wait func() error) {
	r := w.request()
	lay(r.in, r.inAt, lengths)
	l := w.library
	return w.begin("MPI_Iallgatherv", r, func(r *request) int32 {
		return call(l.gather, l.abi.inPlace, 0, l.float32, address(all), address(r.in), address(r.inAt), l.float32, l.world, address(r.handle))
	})
}

// Sum adds up x over all processes. Where all but one have 0, the sum is that one's number,
// in whatever order the library adds up.
func (w *World) Sum(x []float64) error {
	l := w.library
	for piece := range slices.Chunk(x, chunk/8) {
		shared := unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(w.bytes))), len(piece))
		copy(shared, piece)
		err := w.begin("MPI_Iallreduce", w.request(), func(r *request) int32 {
			return call(l.allreduce, l.abi.inPlace, address(shared), uintptr(len(shared)), l.float64, l.sum, l.world, address(r.handle))
		})()
		if err != nil {
			return err
		}
		copy(piece, shared)
	}
	return nil
}

// Broadcast makes x on each process what it is on process 0.
func (w *World) Broadcast(x []byte) error {
	l := w.library
	for piece := range slices.Chunk(x, chunk) {
		shared := w.bytes[:len(piece)]
		if w.rank == 0 {
			copy(shared, piece)
		}
		err := w.begin("MPI_Ibcast", w.request(), func(r *request) int32 {
			return call(l.broadcast, address(shared), uintptr(len(shared)), l.byte, 0, l.world, address(r.handle))
		})()
		if err != nil {
			return err
		}
		copy(piece, shared)
	}
	return nil
}

// Leave ends this process' part of the job in good order, and the process with that status.
// All processes leave, when nothing is under way. Those that don't aren't waited for long.
func (w *World) Leave(status int) {
	time.AfterFunc(patience(), func() { Exit(status) })
	if w.endPulse() == nil {
		w.do(func() { call(w.library.finalize) })
	}
	Exit(status)
}

// Abort ends all processes of the job at once.
func (w *World) Abort(status int) {
	time.Sleep(200 * time.Millisecond) // the launcher reads what was printed
	select {
	case w.calls <- func() { call(w.library.abort, w.library.world, uintptr(status)) }:
	default: // serve doesn't get to it
	}
	// The library ends the process. One that doesn't isn't waited for.
	time.Sleep(2 * time.Second)
	os.Exit(status)
}
