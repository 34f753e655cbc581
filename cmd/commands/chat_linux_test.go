package commands

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tinygpt/internal/terminal"
)

// At a terminal of 80 columns: a message and commands, completion, history, Ctrl-C and
// Ctrl-D; no line is longer than the terminal.
func TestChatTerminal(t *testing.T) {
	if os.Getenv("CHAT_AT_TERMINAL") != "" { // the process that is started below
		os.Exit(execute(context.Background(), []string{"gpt", "chat", "--seed", "1"}, os.Stdout, os.Stderr))
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inTinyRun(t)
	tty, other := openTerminal(t, 80)
	cmd := exec.Command(program, "-test.run=^TestChatTerminal$")
	cmd.Env = append(os.Environ(), "CHAT_AT_TERMINAL=1", "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })

	var mu sync.Mutex
	var shown strings.Builder
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := other.Read(b)
			mu.Lock()
			shown.Write(b[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	from := 0
	// expect waits for a text in what is shown since the last one.
	expect := func(text string) {
		t.Helper()
		for range 1200 {
			mu.Lock()
			all := shown.String()
			mu.Unlock()
			if i := strings.Index(all[from:], text); i >= 0 {
				from += i + len(text)
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
		mu.Lock()
		defer mu.Unlock()
		t.Fatalf("%q never comes after %q", text, shown.String()[from:])
	}
	press := func(keys string) {
		if _, err := other.WriteString(keys); err != nil {
			t.Fatal(err)
		}
	}
	const up, down, ctrlC, ctrlD = "\x1b[A", "\x1b[B", "\x03", "\x04"
	expect("Ctrl-D ends.")
	expect("> ")
	press("/max-tok\t 3\r")
	expect("(answers have up to 3 tokens)")
	press("Hi\r")
	expect("\n> ")
	press("/help\r")
	expect("/quit")
	expect("\n> ")
	press("/show\r")
	expect("entropy ")
	expect("(2 of 3 tokens; /show 3 shows all)")
	expect("\n> ")
	press("half a message" + ctrlC)
	expect("^C")
	expect("\n> ")
	press(up + up + up)
	expect("> Hi")
	press(down + down + down + "/seed 9\r")
	expect("(the next answer has the seed 9)")
	expect("\n> ")
	press(ctrlD)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("Ctrl-D doesn't end it")
	}
	mu.Lock()
	defer mu.Unlock()
	for _, line := range strings.Split(shown.String(), "\r\n") {
		if width := terminal.Columns(line); width > 80 && !strings.Contains(line, "\x1b") { // but for lines that are edited
			t.Errorf("a line has %d columns: %q", width, line)
		}
	}
}
