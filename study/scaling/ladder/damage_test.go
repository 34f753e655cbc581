package ladder

import (
	"bytes"
	"path/filepath"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/train"
)

// Losses that can't be are refused by the name of their file: on a logarithmic axis they
// have no place.
func TestImpossibleLoss(t *testing.T) {
	l, _ := tiny(t, fixture.NewPath(t, "ladder"))
	if _, err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(l.Rungs()[1].Dir, train.MetricsFile)
	text := expect.File(t, path)
	for _, loss := range []string{"null", "-1", "0"} {
		_, rest, _ := bytes.Cut(text, []byte("\n"))
		fixture.Write(t, path, append([]byte(`{"step":1,"loss":`+loss+"}\n"), rest...))
		_, err := l.Run(t.Context())
		expect.OneLine(t, err, train.MetricsFile+": step 1 has a loss of", "expected a number above 0")
	}
	for _, least := range []float64{0, -1} { // comes to an end
		if ticks := logTicks(short).Ticks(least, 10); len(ticks) > 0 {
			t.Errorf("from %v on: %v", least, ticks)
		}
	}
}
