package commands

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// What a step of the default preset holds is what was said beforehand, within a tenth.
func TestMemoryOfAStep(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this system doesn't tell what a process holds")
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
