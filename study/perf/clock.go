package perf

import "time"

// warmUp is the minimum time that something runs before it is timed: long enough to fill
// the caches and to bring the clock of a sleeping core up.
const warmUp = 30 * time.Millisecond

// Repeat calls f until least has passed, after a warm-up, and returns the number of calls
// and the time they took in all.
func Repeat(f func(), least time.Duration) (calls int, took time.Duration) {
	for start := time.Now(); ; {
		f()
		if time.Since(start) > min(warmUp, least) {
			break
		}
	}
	start := time.Now()
	for took < least || calls == 0 {
		f()
		calls++
		took = time.Since(start)
	}
	return calls, took
}
