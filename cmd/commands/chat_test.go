package commands

import (
	"os"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// Piped lines are messages and commands.
func TestChat(t *testing.T) {
	inTinyRun(t)
	fixture.Stdin(t, "Once\n/answers 2\nMia\n/rank 2 1\n/nothing\n")
	out := succeed(t, "chat", "--max-tokens", "4", "--temperature", "0.5")
	contains(t, out, "Chat with tiny-1 (template: plain)", "1) ", "2) ", "(noted in runs/tiny-1/feedback.jsonl)", "no command /nothing")
	if text, err := os.ReadFile("runs/tiny-1/feedback.jsonl"); err != nil || !strings.Contains(string(text), `"ranks":[2,1],"model":"tiny-1"`) {
		t.Errorf("%q, %v", text, err)
	}
}
