package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"tinygpt/perf"
)

//go:embed peers/openblas.c
var openblasC []byte

// setting is how a peer is run.
type setting struct {
	Name      string   `json:"name"`
	Variables []string `json:"variables,omitempty"`
}

// openblasLibraries are where OpenBLAS usually lies.
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

// compileOpenBLAS makes the worker, with the C compiler that CC or cc names.
func compileOpenBLAS(dir string) (program string, err error) {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	source := filepath.Join(dir, "openblas.c")
	program = filepath.Join(dir, "openblas")
	if err := os.WriteFile(source, openblasC, 0o600); err != nil {
		return "", err
	}
	if out, err := exec.Command(cc, "-O2", "-o", program, source, "-ldl", "-lm").CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling the OpenBLAS worker with %s: %w\n%s", cc, err, out)
	}
	return program, nil
}

// openblasSettings are what is tried: each build of the library, and how its
// threads wait and where they run.
func openblasSettings(libraries []string, threads int) (list []setting, library map[string]string) {
	library = map[string]string{}
	for _, lib := range libraries {
		name := filepath.Base(filepath.Dir(lib))
		common := []string{fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads), fmt.Sprintf("OMP_NUM_THREADS=%d", threads)}
		for _, s := range []setting{
			{name, nil},
			{name + ", OMP_WAIT_POLICY=active", []string{"OMP_WAIT_POLICY=active"}},
			{name + ", OMP_WAIT_POLICY=active, OMP_PROC_BIND=true", []string{"OMP_WAIT_POLICY=active", "OMP_PROC_BIND=true"}},
		} {
			if s.Variables != nil && !strings.Contains(lib, "openmp") && runtime.GOOS == "linux" {
				continue // of no meaning to a build with threads of its own
			}
			s.Variables = append(s.Variables, common...)
			list = append(list, s)
			library[s.Name] = lib
		}
	}
	return list, library
}

// fastestOpenBLAS tries every setting on some of the products and starts the
// one with the highest mean.
func fastestOpenBLAS(program string, libraries []string, threads int, probes []perf.Product, say func(string, ...any)) (*worker, hello, setting, error) {
	settings, library := openblasSettings(libraries, threads)
	if len(settings) == 0 {
		return nil, hello{}, setting{}, fmt.Errorf("no OpenBLAS found: name it with --openblas FILE (Debian: libopenblas0-openmp)")
	}
	best, bestMean := 0, 0.0
	for i, s := range settings {
		var h hello
		w, err := start(&h, s.Variables, program, library[s.Name])
		if err != nil {
			return nil, h, s, err
		}
		var rates []float64
		for _, p := range probes {
			var got slice
			if err = w.measure(productLine(p, 300*time.Millisecond), &got); err != nil {
				break
			}
			rates = append(rates, p.FLOP()/got.perCall()/1e9)
		}
		w.close()
		if err != nil {
			return nil, h, s, err
		}
		mean := geometricMean(rates)
		say("  %s: %.0f GFLOP/s (kernels for %s)", s.Name, mean, h.Core)
		if mean > bestMean {
			best, bestMean = i, mean
		}
	}
	var h hello
	w, err := start(&h, settings[best].Variables, program, library[settings[best].Name])
	return w, h, settings[best], err
}
