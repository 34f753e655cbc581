// Command asmgen writes the assembly of package kernel with avo. It is a module
// of its own so that the program that it serves doesn't depend on avo. Run it
// with go generate in the folder of package kernel.
//
// Every kernel is written once, over an instruction set (isa) that supplies
// vectors, masks and the few operations that differ between AVX2 and AVX-512.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	subject := flag.String("subject", "", "what to generate: gemm, packed, rows, attention, elements or peak")
	flag.Parse()
	ConstraintExpr("!purego")
	for _, s := range []*isa{avx2, avx512} {
		switch *subject {
		case "gemm":
			s.tiles()
			s.packRows()
			s.packColumns()
			s.dot()
			s.dot8()
			s.combine()
			s.columnSums()
			s.thinCombine()
			s.thinDots()
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

// pause tells the processor that a loop waits for another thread.
func pause() {
	TEXT("pause", nosplit, "func()")
	Doc("pause is a moment of waiting for another thread.")
	for range 4 {
		PAUSE()
	}
	RET()
}
