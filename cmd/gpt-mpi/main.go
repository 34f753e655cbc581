// Command gpt-mpi is gpt for several processes that mpirun starts: they train one model
// together.
package main

import (
	"os"

	"tinygpt/cluster"
	"tinygpt/cmd/commands"
	"tinygpt/internal/launcher"
)

func main() {
	os.Exit(commands.Main(os.Args, join))
}

// join joins the processes of a job by their MPI library.
func join(j launcher.Job) (commands.Processes, error) {
	c, err := cluster.Join(j)
	if err != nil {
		return nil, err
	}
	return c, nil
}
