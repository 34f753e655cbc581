package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/model"
)

// weightsFlag is how a command asks for smaller weights.
func weightsFlag(more string) cli.Flag {
	return &cli.StringFlag{Name: "weights", Usage: "hold the matrices in float32, bfloat16 or int8: smaller is faster and less exact" + more, Value: string(model.Float32)}
}

func precisionOf(c *cli.Context) (model.Precision, error) {
	p := model.Precision(c.String("weights"))
	if !slices.Contains(model.Precisions, p) {
		var names []string
		for _, p := range model.Precisions {
			names = append(names, string(p))
		}
		return "", usageError{fmt.Errorf("--weights is %q: expected %s", p, strings.Join(names, ", "))}
	}
	return p, nil
}
