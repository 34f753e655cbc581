package interrupt

import (
	"sync/atomic"
	"time"
)

// stopped is how long Ctrl-Z has stopped the process, in nanoseconds.
var stopped atomic.Int64

// Now is the time, less the time that Ctrl-Z has stopped the process since Context was first
// called. Differences of it are how long something took.
func Now() time.Time { return time.Now().Add(-time.Duration(stopped.Load())) }
