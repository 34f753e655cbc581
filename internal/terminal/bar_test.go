package terminal

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
)

// screen is an emulated terminal, which turns line ends into new lines as a terminal's
// driver does.
type screen struct{ *vt.Emulator }

func newScreen(columns int) screen { return screen{vt.NewEmulator(columns, 12)} }

func (s screen) Columns() int { return s.Width() }

func (s screen) Write(p []byte) (int, error) {
	_, err := s.Emulator.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n")))
	return len(p), err
}

// lines are those of the screen, without the empty ones.
func (s screen) lines() (lines []string) {
	for _, line := range strings.Split(s.String(), "\n") {
		if line = strings.TrimRight(line, " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func expect(t *testing.T, s screen, want ...string) {
	t.Helper()
	if got := s.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d columns:\n%s\nwant\n%s", s.Columns(), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestMain makes the tests' terminals ordinary ones.
func TestMain(m *testing.M) {
	os.Setenv("TERM", "xterm")
	os.Exit(m.Run())
}

// again has the bar drawn at its next Set.
func (b *Bar) again() { b.last = b.last.Add(-time.Second) }

// A bar is one line of any terminal, with as many whole fields as there is room for; lines
// stay above it.
func TestBar(t *testing.T) {
	const status = "step 888/1776  loss 1.2345  val 1.3456  12m30s left  lr 3.00e-03  norm 0.52  103,456 tok/s"
	for columns, want := range map[int]string{
		40:  "██░░░  50 %  step 888/1776  loss 1.2345",
		80:  "█████░░░░░  50 %  step 888/1776  loss 1.2345  val 1.3456  12m30s left",
		200: "████████████░░░░░░░░░░░░  50 %  " + status,
	} {
		s := newScreen(columns)
		b := NewBar(s, 1000)
		b.Line("before the bar")
		for done := range 500 {
			b.again()
			b.Set(status, done)
			if done == 250 {
				b.Line("step 444: validation loss")
			}
		}
		b.again()
		b.Set(status, 500)
		expect(t, s, "before the bar", "step 444: validation loss", want)
		b.Clear()
		expect(t, s, "before the bar", "step 444: validation loss")
		if at := s.CursorPosition(); at.X != 0 || at.Y != 2 {
			t.Errorf("%d columns: the cursor is at %v after the end", columns, at)
		}
	}
}

// What a longer bar has left is taken away; a bar that is cleared leaves nothing.
func TestBarShrinks(t *testing.T) {
	s := newScreen(60)
	b := NewBar(s, 4)
	b.Set("a long status of a step", 1)
	b.again()
	b.Set("short", 2)
	expect(t, s, "███░░░░  50 %  short")
	b.Clear()
	expect(t, s)
	b.Line("after")
	expect(t, s, "after", "███░░░░  50 %  short")
}

// A bar fits at its next drawing when the terminal has become narrower or wider.
func TestBarResized(t *testing.T) {
	s := newScreen(80)
	b := NewBar(s, 4)
	b.Set("step 100/400  loss 1.2345  val 1.3456  12m30s left", 1)
	for _, columns := range []int{40, 200, 30} {
		s.Resize(columns, 12)
		b.again()
		b.Set("step 200/400  loss 1.2345  val 1.3456  12m30s left", 2)
		if got := s.lines(); len(got) != 1 || strings.Count(got[0], "%") != 1 || Columns(got[0]) >= columns || !strings.Contains(got[0], "step 200/400") {
			t.Errorf("%d columns: %q", columns, got)
		}
	}
}

// The cursor waits at the beginning of the bar, and what is below is erased with it: so
// nothing stays of a bar that the terminal has broken into two lines.
func TestBarBroken(t *testing.T) {
	s := newScreen(40)
	b := NewBar(s, 4)
	b.Line("before")
	b.Set("step 100/400", 1)
	fmt.Fprint(s, "\x1b7\n  the rest of a broken bar\x1b8") // as a terminal does that breaks lines anew
	b.again()
	b.Set("step 200/400", 2)
	expect(t, s, "before", "██░░░  50 %  step 200/400")
	if at := s.CursorPosition(); at.X != 0 || at.Y != 1 {
		t.Errorf("the cursor is at %v", at)
	}
}

// Wide characters count as two columns.
func TestBarWide(t *testing.T) {
	s := newScreen(40)
	b := NewBar(s, 2)
	b.Set("训练中文词向量训练中文词向量训练中文词向量", 1)
	expect(t, s, "██░░░  50 %  训练中文词向量训练中文词…")
}

// Lines are all there is of a bar on anything but a terminal.
func TestBarPiped(t *testing.T) {
	var out bytes.Buffer
	b := NewBar(&out, 10)
	b.Line("one")
	b.Set("step", 10)
	b.Clear()
	if out.String() != "one\n" || b.Shown() {
		t.Errorf("%q", out.String())
	}
}

// Stages are a bar that goes away on a terminal, and a line from time to time elsewhere.
func TestStages(t *testing.T) {
	s := newScreen(40)
	p := NewStages(s)
	p.Show("counting words", 10, 40)
	expect(t, s, "█░░░░  25 %  counting words")
	p.Show("merging", 20, 40)
	expect(t, s, "██░░░  50 %  merging")
	p.Show("merging", 40, 40)
	expect(t, s)
	p.Clear()

	var out bytes.Buffer
	p = NewStages(&out)
	p.Show("merging", 1000, 4000)
	p.printed = p.printed.Add(-printEvery)
	p.Show("merging", 2000, 4000)
	if out.String() != "merging: 2,000 of 4,000\n" {
		t.Errorf("%q", out.String())
	}
}

func TestColored(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	if !Colored(newScreen(80)) || Colored(&bytes.Buffer{}) {
		t.Error("a terminal has colours, a file none")
	}
	t.Setenv("NO_COLOR", "1")
	if Colored(newScreen(80)) {
		t.Error("colours with NO_COLOR")
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if Colored(newScreen(80)) || NewBar(newScreen(80), 1).Shown() {
		t.Error("colours or a bar on a dumb terminal")
	}
}
