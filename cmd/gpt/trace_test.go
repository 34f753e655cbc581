package main

import (
	"os"
	"strings"
	"testing"
)

func TestTrace(t *testing.T) {
	inTinyRun(t)
	contains(t, succeed(t, "trace", "--prompt", "Mia </script> was"), "wrote trace.html (", "open it in a browser")
	page, err := os.ReadFile("trace.html")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(page), "runs/tiny-1", `"step":6`)
	contains(t, succeed(t, "trace", "Mia", "--to", "page.html", "--checkpoint", "last"), "wrote page.html")
	contains(t, succeed(t, "trace", "Mia", "--to", "lens.svg"), "wrote lens.svg")
	picture, err := os.ReadFile("lens.svg")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(picture), "<svg ", "layer 1")
	refuse(t, []refusal{
		{"trace", 2, "trace needs a prompt"},
		{"trace two prompts", 2, "trace takes one prompt, found 2 arguments"},
		{"trace '" + strings.Repeat("xyz ", 100) + "'", 1, "a page shows at most 24 of this model"},
		{"trace Mia --to no/page.html", 1, "no/page.html"},
		{"trace Mia --run nowhere", 1, "not the folder of a run"},
	})
}
