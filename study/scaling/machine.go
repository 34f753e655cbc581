package scaling

import (
	"fmt"

	"github.com/shirou/gopsutil/v4/mem"
)

// Machine is the memory of a computer, in bytes.
type Machine struct {
	Total     uint64 `json:"total_bytes"`
	Available uint64 `json:"available_bytes"` // without making others swap, now
}

// ThisMachine reads the memory of this computer.
func ThisMachine() (Machine, error) {
	m, err := mem.VirtualMemory()
	if err != nil {
		return Machine{}, fmt.Errorf("reading how much memory this computer has: %w: give it with --memory", err)
	}
	return Machine{m.Total, m.Available}, nil
}
