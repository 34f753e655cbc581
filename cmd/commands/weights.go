package commands

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/number"
	"tinygpt/model"
	"tinygpt/run"
)

// weightsFlag is how a command asks for smaller weights.
func weightsFlag(more string) cli.Flag {
	return choice("weights", "hold the matrices in float32, bfloat16 or int8: smaller is faster and less exact"+more, model.Float32, model.Precisions...)
}

// openRun opens the run that --run names, and reads --weights.
func openRun(c *cli.Context) (*run.Run, model.Precision, error) {
	r, err := run.Open(c.String("run"))
	return r, model.Precision(c.String("weights")), err
}

// trainedWeights loads the weights of --checkpoint to write with; see trainedModel.
func trainedWeights(c *cli.Context, r *run.Run, p model.Precision) (*model.Weights, error) {
	m, err := trainedModel(c.App.ErrWriter, r, c.String("checkpoint"))
	if err != nil {
		return nil, err
	}
	return m.Weights(p)
}

// trainedModel loads the weights of a checkpoint to write with. It says so on stderr if they
// were trained on a part of their context so far, which the model then keeps to.
func trainedModel(stderr io.Writer, r *run.Run, checkpoint string) (*model.Model, error) {
	m, state, err := r.Trained(checkpoint)
	if err == nil && m.Config.Context < r.Config.Model.Context {
		fmt.Fprintf(stderr, "gpt: the checkpoint of step %s was trained on contexts of %s tokens so far: the model's context is cut to them, from %s\n",
			number.Thousands(state.Step), number.Thousands(m.Config.Context), number.Thousands(r.Config.Model.Context))
	}
	return m, err
}
