// Package launcher says whether this process is one of several that a launcher of parallel
// programs started: mpirun, mpiexec, or Slurm's srun.
package launcher

import (
	"fmt"
	"os"
	"strconv"
)

// Job is what the launcher put into the environment of this process.
type Job struct {
	// By is the variable that has the number of this process.
	By         string
	Rank, Size int // this process' number, from 0, and how many there are; Size 0: unknown
	// First says that this is the first process of the job on its computer.
	First bool
}

// variables are the ones that launchers set, in the order in which they are looked for.
// Open MPI's launcher also sets PMIx's.
var variables = []struct {
	rank, local string
	size        []string
}{
	{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", []string{"OMPI_COMM_WORLD_SIZE"}},
	// MPICH's and Intel's mpiexec, srun --mpi=pmi2.
	{"PMI_RANK", "MPI_LOCALRANKID", []string{"PMI_SIZE"}},
	// srun --mpi=pmix.
	{"PMIX_RANK", "SLURM_LOCALID", []string{"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}},
}

// Find returns the job that this process is part of; ok is false if no launcher started it.
// It returns an error if the launcher gives the processes no means to find each other.
func Find() (j Job, ok bool, err error) { return find(os.Getenv) }

func find(get func(string) string) (j Job, ok bool, err error) {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(get(name))
		return n, err == nil && n >= 0
	}
	for _, v := range variables {
		rank, ok := number(v.rank)
		if !ok {
			continue
		}
		j := Job{By: v.rank, Rank: rank, First: rank == 0}
		for _, name := range v.size {
			if n, ok := number(name); ok && j.Size == 0 {
				j.Size = n
			}
		}
		if local, ok := number(v.local); ok {
			j.First = local == 0
		}
		return j, true, nil
	}
	// srun sets the number of tasks of the step; a batch script's own shell has only that of
	// the whole job.
	if n, ok := number("SLURM_STEP_NUM_TASKS"); ok && n > 1 {
		rank, _ := number("SLURM_PROCID")
		local, _ := number("SLURM_LOCALID")
		return Job{By: "SLURM_PROCID", Rank: rank, Size: n, First: local == 0}, true,
			fmt.Errorf("srun started %d processes that can't find each other: add --mpi=pmix or --mpi=pmi2, whichever `srun --mpi=list` has for your MPI, or -n 1", n)
	}
	return Job{}, false, nil
}
