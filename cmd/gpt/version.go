package main

import (
	"fmt"

	"tinygpt/internal/build"
	"tinygpt/model/kernel"
)

// version says what this program was built from, and which instructions it uses on
// this CPU.
func version() string { return fmt.Sprintf("%s, %s", build.Read(), kernel.InstructionSet()) }
