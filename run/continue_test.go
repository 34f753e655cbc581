package run

import (
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/train"
)

// A run that begins with another's weights has all their layers: it doesn't grow.
func TestContinueStages(t *testing.T) {
	c := config(t)
	c.Train.Stages = []train.Stage{{Until: 0.3, Layers: 1, Context: 16}}
	parent := &Run{Dir: t.TempDir(), Config: c}
	next := parent.Continue(c)
	if s := next.Train.Stages; len(s) != 1 || s[0].Layers != 0 || s[0].Context != 16 {
		t.Errorf("stages %+v", s)
	}
	if c.Train.Stages[0].Layers != 1 {
		t.Error("the parent's configuration was changed")
	}
	if err := parent.CheckContinued(next); err != nil {
		t.Error(err)
	}
	next.Train.Stages[0].Layers = 1
	expect.Error(t, parent.CheckContinued(next), "train.stages has layers")
}
