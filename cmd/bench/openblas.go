package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tinygpt/study/perf"
)

//go:embed peers/openblas.c
var openblasC []byte

// openblas measures an OpenBLAS library with a small program in C.
type openblas struct {
	program   string
	libraries []string
	threads   int
}

// openblasLibraries lists the usual paths of OpenBLAS.
func openblasLibraries() (found []string) {
	for _, pattern := range []string{
		"/usr/lib/*/openblas-*/libopenblas.so.0", "/usr/lib*/libopenblas*.so.0", "/usr/local/lib/libopenblas*.so.0",
		"/opt/homebrew/opt/openblas/lib/libopenblas.dylib", "/usr/local/opt/openblas/lib/libopenblas.dylib",
	} {
		files, _ := filepath.Glob(pattern)
		found = append(found, files...)
	}
	return found
}

// newOpenBLAS compiles the worker in dir.
func newOpenBLAS(ctx context.Context, dir string, libraries []string, threads int) (*openblas, error) {
	if len(libraries) == 0 {
		return nil, fmt.Errorf("no OpenBLAS found: install it (Debian: libopenblas0-openmp), or name the library with --openblas FILE")
	}
	source, program := filepath.Join(dir, "openblas.c"), filepath.Join(dir, "openblas")
	if err := os.WriteFile(source, openblasC, 0o600); err != nil {
		return nil, err
	}
	if out, err := command(ctx, compiler(), "-O2", "-o", program, source, "-ldl", "-lm").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compiling the OpenBLAS worker with %s: %w\n%s", compiler(), err, out)
	}
	return &openblas{program, libraries, threads}, nil
}

// compiler returns the C compiler to use.
func compiler() string {
	if cc := os.Getenv("CC"); cc != "" {
		return cc
	}
	return "cc"
}

func (o *openblas) start(ctx context.Context, s setting) (*worker, error) {
	variables := append(s.variables(), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", o.threads), fmt.Sprintf("OMP_NUM_THREADS=%d", o.threads))
	w, err := start(ctx, variables, o.program, s.value("library"))
	if err == nil {
		// "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …"
		w.Version = strings.Join(strings.Fields(w.Version)[:2], " ")
	}
	return w, err
}

// fastest searches for the setting with the shortest mean time of the probes.
func (o *openblas) fastest(ctx context.Context, m *memory, name string, probes []perf.Product) (setting, []trial, error) {
	var libraries []choice
	for _, lib := range o.libraries {
		label := filepath.Base(filepath.Dir(lib))
		if !strings.Contains(label, "openblas") {
			label = lib
		}
		libraries = append(libraries, choice{What: "library", Label: label, Value: lib})
	}
	return m.search(ctx, "OpenBLAS, products of "+name, setting{libraries[0]}, [][]choice{libraries[1:], openMP}, func(s setting) (racer, error) {
		w, err := o.start(ctx, s)
		if err != nil {
			return racer{}, err
		}
		return racer{func() (float64, error) {
			var times []float64
			for _, p := range probes {
				got, err := w.measure(productLine(p, 100*time.Millisecond))
				if err != nil {
					return 0, err
				}
				times = append(times, got.perCall())
			}
			return perf.GeometricMean(times), nil
		}, w.close}, nil
	})
}
