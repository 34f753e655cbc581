package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A task is a kernel call cut into pieces that may run in any order and at the same time. How
// an element of the result is summed follows from the shapes alone, and never from which
// thread computes which piece.
type task interface {
	piece(w *worker, i int)
}

// worker is what one thread of the pool owns.
type worker struct {
	scratch []float32 // grown on demand
	held    held      // what is in the scratch

	number int // of its share: 0 is the caller's
	parked atomic.Bool
	wake   chan struct{}
}

// floats returns n floats of scratch, valid until the next call.
func (w *worker) floats(n int) []float32 { return grow(&w.scratch, n) }

// held says what a worker has put in its scratch: key, of a task in a section.
type held struct {
	section uint64
	task    task
	key     int
}

// cached reports whether this worker's scratch already holds (t, key), from the same section.
// If not, it records that the caller is about to fill it.
func (w *worker) cached(t task, key int) bool {
	h := held{workers.opened, t, key}
	if w.held == h {
		return true
	}
	w.held = h
	return false
}

// pool runs one section at a time: a task, or several that don't wait for each other. The
// goroutine that calls works on the section itself; helpers that come in time take pieces off
// it, one by one. Each thread begins with a share of its own, the same in every task: what it
// has computed of a matrix in one kernel, it reads from its own cache in the next one. After
// that it takes what is left of the others' shares, so a helper that the system has scheduled
// away delays nobody.
//
// A helper may touch the fields of a section only after it has entered (inside + 1) and then
// found the section open. The caller closes the section, and waits for inside to fall to 0,
// before it changes them.
//
// Flags are set by Swap where what others have done is looked at next: there, an emulator of
// another processor may let the load overtake a plain Store.
type pool struct {
	mu      sync.Mutex // held by the caller for the time of its sections
	threads atomic.Int32

	caller  worker
	helpers []*worker
	partial []float64 // one number for each piece of a task that sums

	jobs   []job
	shares []share // those of a thread next to each other, one of each job
	room   []share // the memory of shares
	open   atomic.Uint64
	opened uint64 // number of sections so far
	inside atomic.Int64

	invited atomic.Int32 // number of helpers that may enter
	crowded atomic.Bool  // more threads than cores: helpers sleep right away rather than spin

	waiting atomic.Bool // the caller sleeps until inside is 0
	left    chan struct{}
}

// job is a task's part in a section.
type job struct {
	task   task
	pieces int
}

// share is the part of a job that a thread begins with.
type share struct {
	next atomic.Int64 // the first that nobody has taken
	end  int64
	_    [112]byte // in cache lines of its own: next is written often
}

var workers = &pool{left: make(chan struct{}, 1)}

// A helper that finds nothing to do looks for work this many times before it goes to sleep:
// for some 100 µs, which is longer than the gap between two kernels of a training step.
const (
	spins         = 1000
	spinsPerYield = 64 // lets other goroutines run in between
)

// Threads returns the number of threads that kernels use.
func Threads() int {
	if n := workers.threads.Load(); n > 0 {
		return int(n)
	}
	return runtime.GOMAXPROCS(0)
}

// SetThreads sets the number of threads that kernels use from the next call on;
// 0 means runtime.GOMAXPROCS(0), which is also where it starts. It changes the
// speed and nothing else.
func SetThreads(n int) {
	if n < 0 {
		badSize("SetThreads", "n", n)
	}
	workers.threads.Store(int32(n))
}

// run executes t with its pieces spread over the threads. slot is where t is kept meanwhile,
// memory of the kernel's own that the pool's lock guards: a task on the stack couldn't be seen
// by other threads, and one on the heap would be an allocation for each call.
func run[T any, P interface {
	*T
	task
}](slot P, t T, pieces int) {
	if pieces == 0 {
		return
	}
	workers.mu.Lock()
	runLocked(slot, t, pieces)
	workers.mu.Unlock()
}

// runLocked is run for a caller that holds the pool's lock.
func runLocked[T any, P interface {
	*T
	task
}](slot P, t T, pieces int) {
	*slot = t
	workers.section(slot, pieces)
	var none T
	*slot = none // don't keep the caller's slices alive
}

// runSum is run for a task whose pieces set one number each in workers.partial. It returns their
// sum, taken in order.
func runSum[T any, P interface {
	*T
	task
}](slot P, t T, pieces int) float64 {
	workers.mu.Lock()
	defer workers.mu.Unlock()
	return runSumLocked(slot, t, pieces)
}

// runSumLocked is runSum for a caller that holds the pool's lock.
func runSumLocked[T any, P interface {
	*T
	task
}](slot P, t T, pieces int) (sum float64) {
	if len(workers.partial) < pieces {
		workers.partial = make([]float64, pieces)
	}
	runLocked(slot, t, pieces)
	for _, s := range workers.partial[:pieces] {
		sum += s
	}
	return sum
}

// section runs one task to its end. The caller holds mu.
func (p *pool) section(t task, pieces int) {
	p.add(t, pieces)
	p.do()
}

// add puts pieces of a task into the next section. The caller holds mu.
func (p *pool) add(t task, pieces int) {
	if pieces > 0 {
		p.jobs = append(p.jobs, job{t, pieces})
	}
}

// do runs the section that was put together, to its end. The caller holds mu.
func (p *pool) do() {
	pieces := 0
	for _, j := range p.jobs {
		pieces += j.pieces
	}
	threads := Threads()
	helpers := min(threads, pieces) - 1
	p.opened++
	if helpers > 0 {
		p.share(helpers + 1)
		p.together(helpers, threads > runtime.NumCPU())
	} else {
		for _, j := range p.jobs {
			for i := range j.pieces {
				j.task.piece(&p.caller, i)
			}
		}
	}
	clear(p.jobs)
	p.jobs = p.jobs[:0]
}

// share cuts each job's pieces into shares for that many threads.
func (p *pool) share(threads int) {
	n := threads * len(p.jobs)
	for len(p.room) < n {
		p.room = append(p.room, share{})
	}
	p.shares = p.room[:n]
	for i := range p.shares {
		from, to := part(i/len(p.jobs), threads, p.jobs[i%len(p.jobs)].pieces)
		p.shares[i].next.Store(int64(from))
		p.shares[i].end = int64(to)
	}
}

// together runs the section with that many helpers.
func (p *pool) together(helpers int, crowded bool) {
	for len(p.helpers) < helpers {
		w := &worker{number: len(p.helpers) + 1, wake: make(chan struct{}, 1)}
		p.helpers = append(p.helpers, w)
		go p.help(w)
	}
	p.invited.Store(int32(helpers))
	p.crowded.Store(crowded)
	p.open.Swap(p.opened)
	for _, w := range p.helpers[:helpers] {
		if w.parked.Load() && w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
	p.work(&p.caller)
	p.open.Swap(0)
	p.wait()
}

// work takes pieces until there are none.
func (p *pool) work(w *worker) {
	first := w.number * len(p.jobs)
	for i := range p.shares {
		n := (first + i) % len(p.shares)
		t, s := p.jobs[n%len(p.jobs)].task, &p.shares[n]
		for piece := s.next.Add(1) - 1; piece < s.end; piece = s.next.Add(1) - 1 {
			t.piece(w, int(piece))
		}
	}
}

// wait returns when no helper is inside the section.
func (p *pool) wait() {
	for i := 1; i < spins; i++ {
		if p.inside.Load() == 0 {
			return
		}
		pause()
		if i%spinsPerYield == 0 {
			runtime.Gosched()
		}
	}
	p.waiting.Swap(true)
	if p.inside.Load() == 0 && p.waiting.CompareAndSwap(true, false) {
		return
	}
	<-p.left
}

// help is what a helper does for as long as the program runs.
func (p *pool) help(w *worker) {
	var seen uint64
	for idle := 1; ; idle++ {
		open := p.open.Load()
		if open != 0 && open != seen {
			p.inside.Add(1)
			if p.open.Load() == open && w.number <= int(p.invited.Load()) {
				p.work(w)
			}
			seen, idle = open, 0
			if p.inside.Add(-1) == 0 && p.waiting.Load() && p.waiting.CompareAndSwap(true, false) {
				p.left <- struct{}{}
			}
			continue
		}
		pause()
		if idle%spinsPerYield == 0 {
			runtime.Gosched()
		}
		if idle < spins && !p.crowded.Load() {
			continue
		}
		w.parked.Swap(true)
		if open := p.open.Load(); open != 0 && open != seen && w.parked.CompareAndSwap(true, false) {
			idle = 0
			continue
		}
		<-w.wake
		idle = 0
	}
}

// blocks returns how many blocks of at most size items cover n items.
func blocks(n, size int) int { return (n + size - 1) / size }

// part returns the bounds of part i of n items cut into parts of nearly equal size.
func part(i, parts, n int) (from, to int) { return n * i / parts, n * (i + 1) / parts }

// block returns the bounds of block i of at most size items of n.
func block(i, size, n int) (from, to int) { return i * size, min(i*size+size, n) }
