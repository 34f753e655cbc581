package launcher

import "testing"

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want Job
		ok   bool
		err  bool
	}{
		{name: "none"},
		{name: "Open MPI", env: map[string]string{"OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_RANK": "1", "PMIX_RANK": "5"},
			want: Job{"OMPI_COMM_WORLD_RANK", 5, 8, false}, ok: true},
		{name: "MPICH", env: map[string]string{"PMI_RANK": "4", "PMI_SIZE": "8", "MPI_LOCALRANKID": "0"},
			want: Job{"PMI_RANK", 4, 8, true}, ok: true},
		{name: "srun --mpi=pmi2", env: map[string]string{"PMI_RANK": "0", "PMI_SIZE": "2", "SLURM_NTASKS": "2", "SLURM_PROCID": "0"},
			want: Job{"PMI_RANK", 0, 2, true}, ok: true},
		{name: "srun --mpi=pmix -n 2 in a job of 16", env: map[string]string{"PMIX_RANK": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_NTASKS": "16", "SLURM_LOCALID": "0"},
			want: Job{"PMIX_RANK", 1, 2, true}, ok: true},
		{name: "Open MPI 5", env: map[string]string{"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "0", "PMIX_RANK": "2", "PRTE_LAUNCHED": "1"},
			want: Job{"OMPI_COMM_WORLD_RANK", 2, 4, true}, ok: true},
		{name: "Open MPI's mpirun in a batch job of Slurm", env: map[string]string{"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "SLURM_LOCALID": "0"},
			want: Job{"OMPI_COMM_WORLD_RANK", 3, 4, false}, ok: true},
		{name: "MPICH's mpiexec in a batch job of Slurm", env: map[string]string{"PMI_RANK": "3", "PMI_SIZE": "4", "MPI_LOCALRANKID": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "SLURM_LOCALID": "0"},
			want: Job{"PMI_RANK", 3, 4, false}, ok: true},
		{name: "Intel MPI", env: map[string]string{"PMI_RANK": "1", "PMI_SIZE": "2", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "2", "I_MPI_HYDRA_TOPOLIB": "hwloc"},
			want: Job{"PMI_RANK", 1, 2, false}, ok: true},
		{name: "a worker of a Kubernetes MPIJob", env: map[string]string{"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_RANK": "0", "KUBERNETES_SERVICE_HOST": "10.0.0.1"},
			want: Job{"OMPI_COMM_WORLD_RANK", 1, 2, true}, ok: true},
		{name: "PMIx of another launcher", env: map[string]string{"PMIX_RANK": "1"}, want: Job{"PMIX_RANK", 1, 0, false}, ok: true},
		{name: "srun without MPI", env: map[string]string{"SLURM_STEP_NUM_TASKS": "2", "SLURM_NTASKS": "4", "SLURM_PROCID": "1", "SLURM_LOCALID": "1"},
			want: Job{"SLURM_PROCID", 1, 2, false}, ok: true, err: true},
		{name: "a batch script's shell", env: map[string]string{"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}},
		{name: "srun -n 1", env: map[string]string{"SLURM_STEP_NUM_TASKS": "1", "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}},
		{name: "nonsense", env: map[string]string{"PMI_RANK": "first", "OMPI_COMM_WORLD_RANK": "-1"}},
	} {
		got, ok, err := find(func(name string) string { return c.env[name] })
		if got != c.want || ok != c.ok || err != nil != c.err {
			t.Errorf("%s: %+v, %v, %v; want %+v, %v", c.name, got, ok, err, c.want, c.ok)
		}
	}
}
