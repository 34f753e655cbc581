package commands

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// What a step of the default preset holds is what was said beforehand, within a tenth. It is
// measured in a process of its own, in which no other test gives memory back.
func TestMemoryOfAStep(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this system doesn't tell what a process holds")
	}
	const alone = "TINYGPT_TEST_MEMORY"
	if os.Getenv(alone) == "" {
		c := exec.Command(os.Args[0], "-test.run=^TestMemoryOfAStep$")
		c.Env = append(os.Environ(), alone+"=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	t.Chdir(t.TempDir())
	out := succeed(t, "train", "--verbose", "--config", "small.yaml", "--set", "train.steps=10", "--set", "data.stories_bytes=200000", "--set", "train.sample_interval=0")
	line := regexp.MustCompile(`memory: a step held .*`).FindString(out)
	var held, expected float64
	if _, err := fmt.Sscanf(strings.ReplaceAll(line, " MiB", ""), "memory: a step held %g apart from the texts, %g were expected", &held, &expected); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if held < 0.9*expected || held > 1.1*expected {
		t.Error(line)
	}
}
