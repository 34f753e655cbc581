package world

import (
	"testing"

	"tinygpt/internal/capacity"
	"tinygpt/internal/expect"
)

func TestCheckSize(t *testing.T) {
	defer capacity.Pretend(16 << 30)()
	for _, bytes := range []int{1_000_000_000_000, 1<<63 - 1} {
		expect.Error(t, CheckSize(bytes), "needs about")
	}
	for _, bytes := range []int{0, 1_000_000, 2_000_000_000} {
		if err := CheckSize(bytes); err != nil {
			t.Error(err)
		}
	}
}
