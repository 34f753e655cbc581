package kernel

// MultiplyAdds makes multiply-adds on registers alone, on every thread, and returns how
// many operations they were (two each): the peak that a kernel bound by arithmetic is
// compared with. A round is about 200 operations on each thread.
func MultiplyAdds(rounds int) (flop float64) {
	size("MultiplyAdds", "rounds", rounds)
	if rounds == 0 {
		return 0
	}
	// More pieces than threads, so that a thread that comes late delays nobody.
	pieces := peakPieces * Threads()
	each := blocks(rounds, peakPieces)
	run(&peakSlot, peakTask{active, each}, pieces)
	return 2 * fmaChains * float64(active.lanes) * float64(each) * float64(pieces)
}

const (
	peakPieces = 8
	fmaChains  = 12 // vector multiply-adds in a round
)

type peakTask struct {
	isa    *instructionSet
	rounds int
}

var peakSlot peakTask

func (t *peakTask) piece(*worker, int) { t.isa.fma(t.rounds) }

// fmaGo makes 48 multiply-adds a round: 12 for each lane of the portable instruction set.
func fmaGo(rounds int) {
	var a, b, c, d, e, f, g, h float32
	x, y := float32(0.5), float32(0.25)
	for range 6 * rounds {
		a, b, c, d = a*x+y, b*x+y, c*x+y, d*x+y
		e, f, g, h = e*x+y, f*x+y, g*x+y, h*x+y
	}
	keep(a + b + c + d + e + f + g + h)
}
