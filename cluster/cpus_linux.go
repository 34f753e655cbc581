package cluster

import "golang.org/x/sys/unix"

// cpus returns the CPUs that a process may run on, 0 meaning this one; none if that isn't
// known.
func cpus(pid int) (list []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(pid, &set) != nil {
		return nil
	}
	for cpu, left := 0, set.Count(); left > 0; cpu++ {
		if set.IsSet(cpu) {
			list, left = append(list, cpu), left-1
		}
	}
	return list
}
