package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"tinygpt/train"
)

// openTerminal returns a terminal of that many columns, and the other end of it.
func openTerminal(t *testing.T, columns uint16) (terminal, other *os.File) {
	t.Helper()
	other, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { other.Close() })
	if err := unix.IoctlSetPointerInt(int(other.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(other.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return terminal, other
}

// The bar of a training takes one line of the terminal, also of a narrow one, and shows the
// step and the share that is done.
func TestBarFits(t *testing.T) {
	for _, columns := range []uint16{200, 80, 60, 40} {
		terminal, other := openTerminal(t, columns)
		shown := make(chan string)
		go func() {
			all, _ := io.ReadAll(other) // ends with an error when the terminal is closed
			shown <- string(all)
		}()
		r := newTrainReport(&output{Writer: terminal}) // as main does
		for step := 1; step <= 3; step++ {
			time.Sleep(110 * time.Millisecond) // a bar is drawn ten times a second
			r.Evaluated(train.Metrics{Step: step, ValLoss: 1}, false)
			r.Step(train.Metrics{Step: step, Loss: 1, TokensPerSec: 123456}, train.Progress{Steps: 12000, Done: float64(step) / 4})
		}
		r.Close()
		terminal.Close()
		all := regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`).ReplaceAllString(<-shown, "")
		bars := 0
		for _, line := range strings.FieldsFunc(all, func(r rune) bool { return r == '\r' || r == '\n' }) {
			if !strings.Contains(line, "%") {
				continue
			}
			if bars++; utf8.RuneCountInString(line) > int(columns) {
				t.Errorf("%d characters on %d columns: %q", utf8.RuneCountInString(line), columns, line)
			}
		}
		if bars == 0 || !strings.Contains(all, "step 2/") || !strings.Contains(all, "50%") || columns >= 80 && !strings.Contains(all, "s left") {
			t.Errorf("%d columns: %q", columns, all)
		}
	}
}
