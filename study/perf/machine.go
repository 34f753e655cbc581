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

// Machine is what the figures depend on.
type Machine struct {
	CPU string `json:"cpu"`
	// Cores are physical, as far as the system tells; 0 if it doesn't.
	Cores   int    `json:"cores"`
	Logical int    `json:"logical_cores"`
	Threads int    `json:"threads"` // that kernels use
	SIMD    string `json:"simd"`    // level of the kernels: portable, avx2 or avx512
	System  string `json:"system"`  // as in linux/amd64
	Go      string `json:"go"`
	Program string `json:"program"` // version and commit of this program
	Date    string `json:"date"`
}

// ThisMachine describes the computer that this runs on.
func ThisMachine() Machine {
	m := Machine{
		CPU: strings.Join(strings.Fields(cpuid.CPU.BrandName), " "), Cores: cpuid.CPU.PhysicalCores, Logical: runtime.NumCPU(),
		Threads: kernel.Threads(), SIMD: kernel.Level(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Program: build.Read().String(), Date: time.Now().Format("2 January 2006"),
	}
	if m.CPU == "" {
		m.CPU = "unknown " + runtime.GOARCH + " processor"
	}
	// A virtual machine may be told of fewer or more cores than it has.
	if m.Cores > m.Logical {
		m.Cores = 0
	}
	return m
}

// String is one line for a reader.
func (m Machine) String() string {
	cores := fmt.Sprintf("%d logical cores", m.Logical)
	if m.Cores > 0 && m.Cores != m.Logical {
		cores += fmt.Sprintf(" (%d physical)", m.Cores)
	}
	return fmt.Sprintf("%s, %s, %d threads, %s, %s, %s", m.CPU, cores, m.Threads, m.SIMD, m.System, m.Go)
}

// Peak is the most float32 operations a second that all threads reach together
// on registers alone: the best of several short runs.
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

// bandwidthFloats is the size of the memory that Bandwidth reads: larger than
// any cache.
const bandwidthFloats = 128 << 20

// Bandwidth is the most bytes a second that all threads read together from
// memory: the best of several passes over 512 MiB.
func Bandwidth(length time.Duration) float64 {
	slab := make([]float32, bandwidthFloats)
	for i := range slab {
		slab[i] = 1 // pages that were never written are one page of zeros
	}
	best := 0.0
	for start := time.Now(); best == 0 || time.Since(start) < length; {
		began := time.Now()
		kernel.Read(slab)
		best = max(best, 4*bandwidthFloats/time.Since(began).Seconds())
	}
	return best
}
