package commands

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"tinygpt/internal/terminal"
	"tinygpt/train"
)

// openTerminal returns a terminal of that many columns, and the other end of it.
func openTerminal(t *testing.T, columns int) (tty, other *os.File) {
	t.Helper()
	tty, other, err := terminal.Open(columns)
	if none := (*fs.PathError)(nil); errors.As(err, &none) && none.Path == "/dev/ptmx" {
		t.Skip("no pseudo-terminals here: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return tty, other
}

// The bar of a training takes one line of the terminal, also of a narrow one and after it
// has become narrower, and shows the step and the share that is done.
func TestBarFits(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for _, columns := range []int{200, 80, 40} {
		tty, other := openTerminal(t, columns)
		screen := vt.NewSafeEmulator(columns, 24)
		ended := make(chan bool)
		go func() {
			io.Copy(screen, other) // ends with an error when the terminal is closed
			close(ended)
		}()
		r := newTrainReport(&output{Writer: tty}) // as main does
		for step := 1; step <= 4; step++ {
			if step == 4 && columns == 80 {
				columns = 50
				if err := terminal.Resize(tty, columns); err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Millisecond) // the emulator reads what was written before
				screen.Resize(columns, 24)
			}
			r.Evaluated(train.Metrics{Step: step, ValLoss: 1}, false)
			time.Sleep(110 * time.Millisecond) // a bar is drawn ten times a second
			r.Step(train.Metrics{Step: step, Loss: 1, TokensPerSec: 123456}, train.Progress{Steps: 12000, Done: float64(step) / 8})
		}
		var bars []string
		fits := func() bool {
			bars = nil
			for _, line := range strings.Split(screen.String(), "\n") {
				if strings.Contains(line, "%") {
					bars = append(bars, strings.TrimSpace(line))
				}
			}
			return len(bars) == 1 && terminal.Columns(bars[0]) < columns && (columns == 40 || strings.Contains(bars[0], " 50 %  step 4/12000  loss 1.0000"))
		}
		eventually(fits)
		if !fits() {
			t.Errorf("%d columns:\n%s", columns, screen.String())
		}
		r.Close()
		// What a terminal hasn't been asked for yet is lost when it is closed.
		eventually(func() bool { return strings.Contains(screen.String(), "step 4/12000  loss 1.0000  val 1.0000") })
		tty.Close()
		<-ended
		if text := screen.String(); strings.Contains(text, "%") || !strings.Contains(text, "step 4/12000  loss 1.0000  val 1.0000") {
			t.Errorf("%d columns, at the end:\n%s", columns, text)
		}
	}
}

// eventually waits, for five seconds at most, until the emulator has read what done looks for.
func eventually(done func() bool) {
	for range 250 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
