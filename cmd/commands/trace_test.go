package commands

import (
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

func TestTrace(t *testing.T) {
	inTinyRun(t)
	contains(t, succeed(t, "trace", "--prompt", "Mia </script> was"), "wrote trace.html (", "open it in a browser")
	page := expect.File(t, "trace.html")
	contains(t, string(page), "runs/tiny-1", `"step":6`)
	contains(t, succeed(t, "trace", "Mia", "--to", "page.html", "--checkpoint", "last"), "wrote page.html")
	contains(t, succeed(t, "trace", "Mia", "--to", "lens.svg"), "wrote lens.svg")
	picture := expect.File(t, "lens.svg")
	contains(t, string(picture), "<svg ", "layer 1")
	refuse(t, `
2 | trace | trace needs a prompt
2 | trace Mia --to text.txt | --to is text.txt: expected a name that ends in .svg or .html
2 | trace two prompts | trace takes one prompt, found 2 arguments
1 | trace "`+strings.Repeat("xyz ", 100)+`" | a page shows at most 24 of this model
1 | trace Mia --to no/page.html | no/page.html
1 | trace Mia --run nowhere | nowhere: no such folder
`)
}
