package serve

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"time"

	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// errBusy is returned when the queue is full; errClosing when the server shuts down.
var (
	errBusy    = errors.New("the queue is full")
	errClosing = errors.New("the server is shutting down")
)

// engine draws the texts of one model. Its goroutine owns the decoder; jobs wait in a bounded
// queue, and their texts join the running batch at any token.
type engine struct {
	batch   *sample.Batch
	limit   int // of jobs in the queue
	observe observer

	mu      sync.Mutex
	queue   []*job  // jobs with texts that haven't joined the batch
	closing bool    // takes no more jobs
	running int     // texts in the batch
	rate    float64 // tokens a second, a moving average
	due     int     // tokens that running and waiting texts may still draw, at most

	wake    chan struct{} // has a value if the loop has something to do
	stopped chan struct{} // closed when the goroutine has ended
	active  []*drawing
	joining []joining // texts that have a place in the batch and join it next
}

// observer is called by the engine, for metrics. Its methods must be quick.
type observer interface {
	state(running, waiting int)       // texts in the batch, jobs in the queue
	tokens(prompt, cached, drawn int) // tokens since the last call
	cancelled()                       // a text's client has left
}

// job is the texts of one HTTP request.
type job struct {
	ctx      context.Context
	requests []sample.Request // one for each text
	begun    int              // texts that have, or had, a place in the batch
	events   events
}

// joining is a text of a job that joins the batch.
type joining struct {
	job   *job
	index int
}

// drawing is a text in the batch.
type drawing struct {
	job   *job
	index int
	text  *sample.Text
	left  int // tokens that it may still draw
}

// newEngine starts an engine, which close ends. limit is the maximum number of jobs in the
// queue, promptTokens that of prompt tokens that a pass of the model reads.
func newEngine(d sample.Decoder, t tokenizer.Tokenizer, limit, promptTokens int, o observer) *engine {
	e := &engine{
		batch: sample.NewBatch(d, t), limit: limit, observe: o,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	e.batch.PromptTokens = promptTokens
	go e.loop()
	return e
}

// submit puts a job into the queue. Events come until each of its texts has ended. When ctx
// ends, the texts leave the batch at its next step. The error is errBusy or errClosing.
//
// The caller may set a request's OnToken; the engine sets Ready and Context.
func (e *engine) submit(ctx context.Context, requests []sample.Request) (*job, error) {
	j := &job{ctx: ctx, requests: requests}
	j.events.changed = make(chan struct{}, 1)
	j.events.drained = e.poke
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closing:
		return nil, errClosing
	case len(e.queue) >= e.limit:
		return nil, errBusy
	}
	for _, r := range requests {
		e.due += r.Options.MaxTokens
	}
	e.queue = append(e.queue, j)
	e.observe.state(e.running, len(e.queue))
	context.AfterFunc(ctx, e.poke)
	e.poke()
	return j, nil
}

// poke wakes the loop if it is waiting.
func (e *engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// retryAfter estimates in how many seconds, 1 to 120, the queue has room again.
func (e *engine) retryAfter() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rate == 0 {
		return 1
	}
	// There is room when one job has ended: its mean share of the tokens that are due.
	seconds := float64(e.due) / e.rate / float64(max(1, len(e.queue)+e.running))
	return int(min(120, max(1, math.Ceil(seconds))))
}

// close refuses new jobs. The goroutine ends when those it has are done.
func (e *engine) close() {
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	e.poke()
}

// loop draws until the engine is closed and has nothing left.
func (e *engine) loop() {
	defer close(e.stopped)
	for {
		if e.admit() {
			return
		}
		if e.batch.Len() == 0 {
			<-e.wake
			continue
		}
		// The passes of a small model follow each other without a pause, on all cores: this
		// lets the goroutines run that read and answer requests.
		runtime.Gosched()
		start := time.Now()
		err := e.batch.Step()
		e.measure(e.settle(err), time.Since(start))
		if e.batch.Len() > 0 && e.batch.Waiting() {
			<-e.wake // every reader is slow
		}
	}
}

// admit drops jobs whose client has left and lets texts join the batch while there are free
// places. It reports whether the engine is closed and has nothing left.
//
// Joining may copy many cached keys and values of another text, so the lock, which requests
// need, isn't held then.
func (e *engine) admit() (done bool) {
	e.mu.Lock()
	free := e.batch.Free()
	kept := e.queue[:0]
	for _, j := range e.queue {
		gone := j.ctx.Err() != nil
		for ; j.begun < len(j.requests) && (gone || free > 0); j.begun++ {
			if gone {
				e.due -= j.requests[j.begun].Options.MaxTokens
				j.events.end(j.begun, ending{err: j.ctx.Err()})
				e.observe.cancelled()
				continue
			}
			e.joining = append(e.joining, joining{j, j.begun})
			free--
		}
		if j.begun < len(j.requests) {
			kept = append(kept, j)
		}
	}
	clear(e.queue[len(kept):])
	e.queue = kept
	e.running = e.batch.Len() + len(e.joining)
	e.observe.state(e.running, len(e.queue))
	done = e.closing && e.running == 0 && len(e.queue) == 0
	e.mu.Unlock()

	for _, t := range e.joining {
		e.begin(t.job, t.index)
	}
	clear(e.joining)
	e.joining = e.joining[:0]
	return done
}

// begin lets text i of a job join.
func (e *engine) begin(j *job, i int) {
	r := j.requests[i]
	r.Context, r.Ready = j.ctx, j.events.ready
	text, err := e.batch.Add(r)
	if err != nil {
		e.mu.Lock()
		e.due -= r.Options.MaxTokens
		e.mu.Unlock()
		j.events.end(i, ending{err: err})
		e.poke() // so that admit counts again what runs
		return
	}
	e.observe.tokens(len(r.Prompt)-text.Cached, text.Cached, 0)
	e.active = append(e.active, &drawing{j, i, text, r.Options.MaxTokens})
}

// settle sends the ends of texts that have ended and returns how many tokens the last step
// drew. err is the step's error; it ends all texts.
func (e *engine) settle(err error) (drawn int) {
	going := e.active[:0]
	freed := 0
	for _, d := range e.active {
		if n := d.left + len(d.text.Tokens) - d.job.requests[d.index].Options.MaxTokens; n > 0 {
			drawn += n
			d.left -= n
		}
		if err != nil && d.text.Err == nil {
			d.text.Err = err
		}
		if d.text.Finish == sample.Unfinished && d.text.Err == nil {
			going = append(going, d)
			continue
		}
		freed += d.left
		if d.text.Err != nil && d.job.ctx.Err() != nil {
			e.observe.cancelled()
		}
		d.job.events.end(d.index, ending{d.text.Finish, d.text.Err, len(d.text.Tokens), d.text.Cached})
	}
	clear(e.active[len(going):])
	e.active = going
	e.observe.tokens(0, 0, drawn)
	e.mu.Lock()
	e.due -= drawn + freed
	e.mu.Unlock()
	if err != nil {
		e.batch.Abandon(err)
	}
	return drawn
}

// measure keeps the moving average of tokens a second.
func (e *engine) measure(tokens int, took time.Duration) {
	if tokens <= 0 || took <= 0 {
		return
	}
	now := float64(tokens) / took.Seconds()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rate == 0 {
		e.rate = now
	}
	e.rate += (now - e.rate) / 16
}
