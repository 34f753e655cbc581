//go:build mpi

package main

import (
	"tinygpt/cluster"
	"tinygpt/internal/launcher"
)

func init() {
	join = func(j launcher.Job) (processes, error) {
		c, err := cluster.Join(j)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}
