// Package capacity says whether this computer has the memory for something, before any of it
// is taken.
package capacity

import (
	"fmt"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"

	"tinygpt/internal/number"
)

// Memory returns how much memory this process may have, in bytes: the computer's, or less if
// a control group of Linux limits it.
func Memory() (float64, error) { return memory() }

// Pretend makes Memory return bytes, for a test, until restore is called.
func Pretend(bytes float64) (restore func()) {
	before := memory
	memory = func() (float64, error) { return bytes, nil }
	return func() { memory = before }
}

var memory = func() (float64, error) {
	m, err := mem.VirtualMemory()
	if err != nil {
		return 0, err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return float64(m.Total), nil // no Linux
	}
	return min(float64(m.Total), limit(string(own), os.ReadFile)), nil
}

// limit returns the lowest limit of the control groups that own, a /proc/self/cgroup, names,
// and of those that they are in.
func limit(own string, read func(name string) ([]byte, error)) float64 {
	lowest := math.Inf(1)
	for line := range strings.Lines(own) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(fields) < 3 {
			continue
		}
		root, file := "/sys/fs/cgroup", "memory.max"
		switch {
		case fields[1] == "memory":
			root, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case fields[1] != "":
			continue
		}
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			if text, err := read(path.Join(root, group, file)); err == nil {
				if n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64); err == nil { // not "max"
					lowest = min(lowest, n)
				}
			}
			if group == "/" {
				break
			}
		}
	}
	return lowest
}

// Check returns an error if what needs more than times the memory there is: one line that
// says what to do. A computer that doesn't tell how much it has is given the benefit of the
// doubt.
func Check(what string, need, times float64, do string) error {
	total, err := Memory()
	if err != nil {
		return nil
	}
	return Fits(what, need, times, total, do)
}

// Fits is Check for a computer with total bytes of memory.
func Fits(what string, need, times, total float64, do string) error {
	if need <= times*total {
		return nil
	}
	return fmt.Errorf("%s needs about %s of memory, and this computer has %s: %s", what, number.Bytes(int64(min(need, 1e18))), number.Bytes(int64(total)), do)
}
