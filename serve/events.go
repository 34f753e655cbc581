package serve

import (
	"sync"

	"tinygpt/sample"
)

// event is a piece of one of a job's texts, or its end.
type event struct {
	index int // of the text
	piece
	*ending // nil: the text goes on
}

// ending says why a text ended.
type ending struct {
	finish sample.Finish
	err    error
	drawn  int // tokens
	cached int // tokens of the prompt whose keys and values were cached
}

// maxEvents is how many events of a job may wait to be read before its texts pause.
const maxEvents = 256

// events is a queue from the engine to the goroutine that answers a request.
type events struct {
	mu      sync.Mutex
	waiting []event
	changed chan struct{} // has a value if there are events
	drained func()        // called when texts that paused may go on
}

// add puts an event into the queue. It never blocks.
func (q *events) add(e event) {
	q.mu.Lock()
	q.waiting = append(q.waiting, e)
	q.mu.Unlock()
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// end adds the end of a text.
func (q *events) end(index int, e ending) { q.add(event{index: index, ending: &e}) }

// ready reports whether the reader keeps up, so that texts needn't pause.
func (q *events) ready() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) < maxEvents
}

// take returns all events that wait.
func (q *events) take() []event {
	q.mu.Lock()
	all := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	if len(all) >= maxEvents {
		q.drained()
	}
	return all
}
