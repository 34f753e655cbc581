package alignment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"

	"tinygpt/model"
	"tinygpt/run"
)

// inputs has the checksums of a step's inputs that the step can't make again: files of examples,
// and the weights of the reference and the reward model. A step is resumed only if they are the
// same.
type inputs struct {
	examples, weights hash.Hash // nil: the step has none
}

// addExamples adds examples that were read from files.
func (in *inputs) addExamples(list any) error {
	if in.examples == nil {
		in.examples = sha256.New()
	}
	return json.NewEncoder(in.examples).Encode(list)
}

// addWeights adds a model's weights.
func (in *inputs) addWeights(m *model.Model) {
	if in.weights == nil {
		in.weights = sha256.New()
	}
	m.WriteValues(in.weights) // a hash takes all
}

// check compares the checksums with those in r.Found, which it sets if there are none yet. set
// says that it has set one, so that the run must be saved.
func (in *inputs) check(r *run.Run) (set bool, err error) {
	for _, c := range []struct {
		sum   hash.Hash
		found *string
		what  string
	}{
		{in.examples, &r.Found.Examples.SHA256, "the examples are"},
		{in.weights, &r.Found.ReferenceSHA256, "the weights that the step starts from or is rewarded by are"},
	} {
		if c.sum == nil {
			continue
		}
		now := hex.EncodeToString(c.sum.Sum(nil))
		switch *c.found {
		case now:
		case "":
			*c.found, set = now, true
		default:
			return false, fmt.Errorf("%s: %s not those that the run began with (sha256 %.12s…, now %.12s…): restore them, or start a new run", r.Dir, c.what, *c.found, now)
		}
	}
	return set, nil
}
