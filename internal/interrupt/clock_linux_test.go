package interrupt

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A process that Ctrl-Z stops doesn't count that time. The test runs itself as that process.
func TestNow(t *testing.T) {
	if os.Getenv("TEST_STOPPED") != "" {
		_, stop := Context(context.Background())
		defer stop()
		start, all := Now(), time.Now()
		os.Stdout.WriteString("ready\n")
		for time.Since(all) < 2*time.Second {
			time.Sleep(10 * time.Millisecond)
		}
		if running := Now().Sub(start); running > 1500*time.Millisecond {
			t.Errorf("of %v it has run for %v", time.Since(all), running)
		}
		return
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestNow$")
	c.Env = append(os.Environ(), "TEST_STOPPED=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	c.Process.Signal(syscall.SIGTSTP)
	time.Sleep(time.Second)
	c.Process.Signal(syscall.SIGCONT)
	text, _ := io.ReadAll(lines)
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
}
