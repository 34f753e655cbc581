// Command gpt trains small GPTs on this computer, and writes with them.
package main

import (
	"os"

	"tinygpt/cmd/commands"
)

func main() {
	os.Exit(commands.Main(os.Args, nil))
}
