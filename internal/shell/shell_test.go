package shell

import (
	"os/exec"
	"testing"
)

// A shell reads back what was quoted.
func TestCommand(t *testing.T) {
	words := []string{"runs/a-1", "my runs/a b", "it's", `say "x"`, "$HOME", "a;b", "", "很好", "*", "a\nb", "-n"}
	if got, want := Command("gpt", "train", "--run", "my runs/a-1"), `gpt train --run 'my runs/a-1'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh here to ask")
	}
	for _, w := range words {
		out, err := exec.Command(sh, "-c", "printf %s "+Quote(w)).Output()
		if err != nil || string(out) != w {
			t.Errorf("%q is quoted as %s, which sh reads as %q: %v", w, Quote(w), out, err)
		}
	}
}

func TestWindows(t *testing.T) {
	for word, want := range map[string]string{
		`C:\runs\a-1`: `C:\runs\a-1`, `C:\my runs\a`: `"C:\my runs\a"`, "runs": "runs", `a "b"`: `"a \"b\""`, "": `""`,
	} {
		if got := quote(word, "windows"); got != want {
			t.Errorf("%s is quoted as %s, want %s", word, got, want)
		}
	}
}
