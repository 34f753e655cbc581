package kernel

// Read reads x and does nothing with it, as fast as memory allows, in four streams on each
// thread: what a kernel bound by memory is compared with.
func Read(x []float32) {
	run(&readSlot, readTask{active, x}, blocks(len(x), readBlock))
}

// readBlock is the number of elements in a piece: many pages, so that streams are long.
const readBlock = 512 << 10

type readTask struct {
	isa *instructionSet
	x   []float32
}

var readSlot readTask

func (t *readTask) piece(_ *worker, i int) {
	from, to := block(i, readBlock, len(t.x))
	t.isa.read(t.x[from:to])
}

// readGo reads one element of each cache line.
func readGo(x []float32) {
	sum := float32(0)
	for i := 0; i < len(x); i += 16 {
		sum += x[i]
	}
	keep(sum)
}

// keep stops the compiler from removing the code that made its argument.
//
//go:noinline
func keep(float32) {}
