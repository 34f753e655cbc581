package perf

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

// Each operation of a language model's training belongs to a part that reports show.
func TestPartOf(t *testing.T) {
	files, err := filepath.Glob("../../model/op/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	// Those of fine-tuning alone, and LayerNorm, are listed under their own names.
	own := map[string]bool{"LayerNorm": true, "CRF": true, "Choices": true, "Lookups": true, "Rows": true, "SquaredError": true}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text := expect.File(t, file)
		for _, m := range regexp.MustCompile(`g\.apply\("(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			found++
			if name := m[1]; partOf[name] == "" && !own[name] {
				t.Errorf("%s of %s belongs to no part", name, file)
			}
		}
	}
	if found < 12 {
		t.Errorf("found %d operations", found)
	}
}
