package commands

import (
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// Piped lines are messages and commands.
func TestChat(t *testing.T) {
	inTinyRun(t)
	fixture.Stdin(t, "Once\n/answers 2\nMia\n/rank 2 1\n/nothing\n")
	out := succeed(t, "chat", "--max-tokens", "4", "--temperature", "0.5")
	contains(t, out, "Chat with tiny-1 (template: plain)", "1) ", "2) ", "(noted in runs/tiny-1/feedback.jsonl)", "no command /nothing")
	expect.Says(t, "runs/tiny-1/feedback.jsonl", `"ranks":[2,1],"model":"tiny-1"`)
}
