package perf

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"

	"tinygpt/internal/build"
	"tinygpt/model/kernel"
)

// Machine describes the computer and the program that the figures depend on.
type Machine struct {
	CPU string `json:"cpu"`
	// Cores is the number of physical cores; 0 if the system doesn't say.
	Cores   int    `json:"cores"`
	Logical int    `json:"logical_cores"`
	Threads int    `json:"threads"` // used by the kernels
	SIMD    string `json:"simd"`    // level of the kernels: portable, avx2 or avx512
	System  string `json:"system"`  // as in linux/amd64
	Go      string `json:"go"`
	Program string `json:"program"` // version and commit of this program
	Date    string `json:"date"`
}

// ThisMachine describes the computer that this process runs on.
func ThisMachine() Machine {
	m := Machine{
		CPU: strings.Join(strings.Fields(cpuid.CPU.BrandName), " "), Cores: cpuid.CPU.PhysicalCores, Logical: runtime.NumCPU(),
		Threads: kernel.Threads(), SIMD: kernel.InstructionSet(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Program: build.Read().String(), Date: time.Now().Format("2 January 2006"),
	}
	if m.CPU == "" {
		m.CPU = "unknown " + runtime.GOARCH + " processor"
	}
	// In a virtual machine the CPU may report fewer or more cores than there are.
	if m.Cores > m.Logical {
		m.Cores = 0
	}
	return m
}

// String returns one line for a reader.
func (m Machine) String() string {
	cores := fmt.Sprintf("%d logical cores", m.Logical)
	if m.Cores > 0 && m.Cores != m.Logical {
		cores += fmt.Sprintf(" (%d physical)", m.Cores)
	}
	return fmt.Sprintf("%s, %s, %d threads, %s, %s, %s", m.CPU, cores, m.Threads, m.SIMD, m.System, m.Go)
}

// Peak measures how many float32 operations per second all threads together reach on
// registers alone: the best of several short runs.
func Peak(length time.Duration) float64 {
	rounds := 1 << 10
	best := 0.0
	for start := time.Now(); best == 0 || time.Since(start) < length; {
		began := time.Now()
		flop := kernel.MultiplyAdds(rounds)
		took := time.Since(began)
		if took < 10*time.Millisecond {
			rounds *= 2
			continue
		}
		best = max(best, flop/took.Seconds())
	}
	return best
}

// bandwidthFloats is the size of the memory that Bandwidth reads. It is larger than any
// cache.
const bandwidthFloats = 128 << 20

// Bandwidth measures how many bytes per second all threads together read from memory: the
// best of several passes over 512 MiB.
func Bandwidth(length time.Duration) float64 {
	slab := make([]float32, bandwidthFloats)
	for i := range slab {
		slab[i] = 1 // the system maps all pages that were never written to one page of zeros
	}
	best := 0.0
	for start := time.Now(); best == 0 || time.Since(start) < length; {
		began := time.Now()
		kernel.Read(slab)
		best = max(best, 4*bandwidthFloats/time.Since(began).Seconds())
	}
	return best
}
