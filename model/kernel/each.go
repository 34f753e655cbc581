package kernel

// Each calls f for 0 to n−1, spread over the threads, and returns when all calls have. f
// must not call functions of this package that use threads themselves.
func Each(n int, f func(i int)) {
	size("Each", "n", n)
	run(&eachSlot, eachTask{f}, n)
}

type eachTask struct{ f func(i int) }

var eachSlot eachTask

func (t *eachTask) piece(_ *worker, i int) { t.f(i) }
