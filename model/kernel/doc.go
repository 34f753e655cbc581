// Package kernel is the arithmetic of a transformer on row-major []float32:
// matrix products, attention, normalisation, losses and the optimiser's update,
// each over all cores. It knows nothing of graphs, layers or models, allocates
// nothing in steady state and uses no cgo.
//
// Every kernel is written twice: once in portable Go, which specifies it and
// runs anywhere (and everywhere with the build tag purego), and once in
// assembly for AVX2+FMA and AVX-512, chosen at start by what the processor and
// the operating system support. On arm64 only the matrix products are in assembly (NEON).
//
// Work is cut into pieces, and sums are taken in an order that follows from the shapes alone,
// so a result has the same bits whatever the number of threads. Between instruction sets the
// last bits differ, since their vectors sum in different orders.
//
// Slices may be longer than a shape asks for; shorter ones, like negative
// sizes, are mistakes of the program and panic. Unless a function says
// otherwise, what it writes must not overlap what it reads.
package kernel

//go:generate go -C internal/asmgen run . -subject gemm -out ../../gemm_amd64.s -stubs ../../gemm_stubs_amd64.go -pkg kernel
//go:generate go -C internal/asmgen run . -subject packed -out ../../packed_amd64.s -stubs ../../packed_stubs_amd64.go -pkg kernel
//go:generate go -C internal/asmgen run . -subject rows -out ../../rows_amd64.s -stubs ../../rows_stubs_amd64.go -pkg kernel
//go:generate go -C internal/asmgen run . -subject attention -out ../../attention_amd64.s -stubs ../../attention_stubs_amd64.go -pkg kernel
//go:generate go -C internal/asmgen run . -subject elements -out ../../elements_amd64.s -stubs ../../elements_stubs_amd64.go -pkg kernel
//go:generate go -C internal/asmgen run . -subject embedding -out ../../embedding_amd64.s -stubs ../../embedding_stubs_amd64.go -pkg kernel
//go:generate go -C internal/asmgen run . -subject tsne -out ../../tsne_amd64.s -stubs ../../tsne_stubs_amd64.go -pkg kernel
//go:generate go -C internal/asmgen run . -subject peak -out ../../peak_amd64.s -stubs ../../peak_stubs_amd64.go -pkg kernel
//go:generate go -C internal/asmgen run . -subject neon -out ../../gemm_arm64.s -stubs ../../gemm_stubs_arm64.go -pkg kernel
