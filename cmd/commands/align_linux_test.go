package commands

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"tinygpt/internal/fixture"
)

// Ctrl-C while a step of alignment is prepared stops it, and isn't forgotten when training
// begins.
func TestAlignInterruptedEarly(t *testing.T) {
	inTinyFolder(t)
	fixture.Write(t, "align.yaml", tinyAlign)
	succeed(t, "train", "--config", "tiny.yaml", "--set", "model.context=128")
	for _, args := range [][]string{{"gpt", "align", "sft", "--run", "stopped"}, {"gpt", "align", "sft", "--resume", "--run", "stopped"}} {
		out := &interrupter{at: "run folder:", stop: func() {
			syscall.Kill(os.Getpid(), syscall.SIGINT)
			time.Sleep(100 * time.Millisecond) // until it is there
		}}
		if status := execute(t.Context(), args, out, io.Discard); status != 130 {
			t.Fatalf("exit %d\n%s", status, out.String())
		}
		contains(t, out.String(), "saved in stopped\ngo on with: ")
	}
	contains(t, succeed(t, "align", "sft", "--resume", "--run", "stopped"), "talk with it: ")
}
