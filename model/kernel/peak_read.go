package kernel

// Read reads x and does nothing with it, as fast as memory allows: in four
// streams a thread. It is the bar for a kernel that is bound by memory.
func Read(x []float32) {
	run(&readSlot, readTask{best, x}, blocks(len(x), readBlock))
}

// readBlock is the number of elements in a piece: many pages, for streams that
// run for long.
const readBlock = 512 << 10

type readTask struct {
	level *level
	x     []float32
}

var readSlot readTask

func (t *readTask) piece(_ *worker, i int) {
	from, to := block(i, readBlock, len(t.x))
	t.level.read(t.x[from:to])
}

// readGo reads one element of each cache line.
func readGo(x []float32) {
	sum := float32(0)
	for i := 0; i < len(x); i += 16 {
		sum += x[i]
	}
	keep(sum)
}

// keep stops the compiler from leaving out what made x.
//
//go:noinline
func keep(float32) {}
