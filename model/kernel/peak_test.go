package kernel

import "testing"

// MultiplyAdds counts what was asked for, rounded up to whole pieces.
func TestMultiplyAdds(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, threads := range []int{1, 2, 3} {
			SetThreads(threads)
			defer SetThreads(0)
			perRound := 2 * fmaChains * float64(active.lanes) * float64(threads)
			for _, rounds := range []int{0, 1, 8, 9, 1000} {
				want := perRound * float64(blocks(rounds, peakPieces)*peakPieces)
				if got := MultiplyAdds(rounds); got != want {
					t.Errorf("%d rounds on %d threads: %g operations, want %g", rounds, threads, got, want)
				}
			}
		}
	})
}
