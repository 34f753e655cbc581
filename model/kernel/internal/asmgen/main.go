// Command asmgen writes the assembly of package kernel with avo. It is a module
// of its own so that the program doesn't depend on avo. Run it with go generate in the
// folder of package kernel.
//
// Every kernel is written once, over an instruction set (isa) that supplies vectors, masks and
// the few operations that differ between AVX2 and AVX-512. The assembly for arm64 is written
// by neon.go.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	subject := flag.String("subject", "", "what to generate: gemm, packed, rows, attention, elements, embedding, tsne, peak or neon")
	flag.Parse()
	if *subject == "neon" {
		asm, stubs := neon()
		write("out", asm)
		write("stubs", stubs)
		return
	}
	ConstraintExpr("!purego")
	for _, s := range []*isa{avx2, avx512} {
		switch *subject {
		case "gemm":
			s.tiles()
			s.packRows()
			s.packColumns()
			s.dot()
			s.dots()
			s.combine()
			s.columnSums()
			s.combineRows()
			s.dotsRows()
		case "packed":
			s.packed()
		case "rows":
			s.max()
			s.expSum()
			s.normalize()
			s.normalizeGrad()
			s.affineGrad()
		case "attention":
			s.softmax()
			s.weights()
			s.scoreGrad()
		case "elements":
			s.add()
			s.scale()
			s.sumSquares()
			s.finite()
			s.read()
			s.gelu()
			s.geluGrad()
			s.dropout()
			s.adamw()
		case "embedding":
			s.sigmoidRows()
			s.gloveStep()
			s.gatherRows()
			s.addSteps()
			s.sumWindows()
			s.dotWindows()
			s.mixWindows()
			s.stepWindows()
			s.addWindows()
			s.dotPairs()
			s.stepPairs()
		case "tsne":
			s.studentForces()
		case "peak":
			s.fma()
		default:
			fmt.Fprintf(os.Stderr, "asmgen: unknown subject %q\n", *subject)
			os.Exit(2)
		}
	}
	if *subject == "gemm" {
		pause()
	}
	Generate()
}

// write writes text to the file that one of avo's flags names.
func write(name, text string) {
	if err := os.WriteFile(flag.Lookup(name).Value.String(), []byte(text), 0o644); err != nil {
		fmt.Fprintf(os.Stderr, "asmgen: -%s: %v\n", name, err)
		os.Exit(1)
	}
}

// pause tells the processor that a loop waits for another thread.
func pause() {
	TEXT("pause", nosplit, "func()")
	Doc("pause is a moment of waiting for another thread.")
	for range 4 {
		PAUSE()
	}
	RET()
}
