package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Bounds of the relative errors (see Check) of the losses of alignment.
const (
	oracleBound   = 1e-6 // computed in float64
	oracleBound32 = 1e-5 // computed as in training, from logits in float32
)

// oracleCases are the cases that a file of losses may have, with the method that recomputes
// each.
var oracleCases = []struct {
	name string
	run  func(*oracle, oracleCase) error
}{
	{"ppo", (*oracle).ppo}, {"ppo_first_pass", (*oracle).ppoFirstPass}, {"kl_loss_k3", (*oracle).klLoss},
	{"reward", (*oracle).reward}, {"reward_extreme", (*oracle).rewardExtreme}, {"dpo", (*oracle).dpo},
	{"grpo", (*oracle).grpo}, {"sft", (*oracle).sft}, {"optimum", (*oracle).optimum}, {"best_of_n", (*oracle).bestOf},
}

// RunLosses recomputes a file of reference values of the losses of alignment, in the form of
// testdata/losses.json: a JSON object of cases (ppo, reward, dpo, …), each with inputs and
// expected values. A file may leave cases out, but not all of them. An error names the case
// and the key.
func RunLosses(r io.Reader) ([]Check, error) {
	var cases map[string]json.RawMessage
	if err := json.NewDecoder(r).Decode(&cases); err != nil {
		return nil, fmt.Errorf("not a JSON object of cases: %w", err)
	}
	o := &oracle{}
	for _, c := range oracleCases {
		text, ok := cases[c.name]
		if !ok {
			continue
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.name, err)
		}
		o.first = cases["ppo"]
		if err := o.guard(func() error { return c.run(o, oracleCase{c.name, fields}) }); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.name, err)
		}
	}
	if len(o.checks) == 0 {
		var names []string
		for _, c := range oracleCases {
			names = append(names, c.name)
		}
		return nil, fmt.Errorf("it has no known case: expected one of %s", strings.Join(names, ", "))
	}
	return o.checks, nil
}

// oracle collects the checks of a file of losses. Of its reference it uses only the checks.
type oracle struct {
	reference
	first json.RawMessage // the case ppo, whose inputs others share
}

// guard runs a case and turns its panic into an error: inputs whose shapes don't fit together
// lead to an index out of range.
func (o *oracle) guard(run func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("its inputs don't fit together: %v", r)
		}
	}()
	return run()
}

// oracleCase is a case, or an object in it, by its keys.
type oracleCase struct {
	name   string
	fields map[string]json.RawMessage
}

// part returns the object under a key.
func (c oracleCase) part(key string) (oracleCase, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(c.fields[key], &fields); err != nil {
		return c, fmt.Errorf("key %q: expected an object", key)
	}
	return oracleCase{c.name, fields}, nil
}

// open returns the case's inputs and expected values, the objects "in" and "out".
func (c oracleCase) open() (in, out oracleCase, err error) {
	if in, err = c.part("in"); err == nil {
		out, err = c.part("out")
	}
	return in, out, err
}

// read decodes a key into v.
func (c oracleCase) read(key string, v any) error {
	text, ok := c.fields[key]
	if !ok {
		return fmt.Errorf("key %q is missing", key)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("key %q: %w", key, err)
	}
	return nil
}

// flat returns the numbers in lists of any depth under a key, one after another.
func (c oracleCase) flat(key string) ([]float64, error) {
	var v any
	if err := c.read(key, &v); err != nil {
		return nil, err
	}
	var out []float64
	var walk func(any) error
	walk = func(v any) error {
		switch v := v.(type) {
		case float64:
			out = append(out, v)
		case []any:
			for _, x := range v {
				if err := walk(x); err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("key %q has %v: expected a number", key, v)
		}
		return nil
	}
	return out, walk(v)
}

// sameAll does what same does for several quantities that are computed in float64.
func (o *oracle) sameAll(out oracleCase, got map[string][]float64) error {
	for key, x := range got {
		if err := o.same(out, key, oracleBound, x...); err != nil {
			return err
		}
	}
	return nil
}

// same adds a check of an expected quantity, if the case has it.
func (o *oracle) same(out oracleCase, key string, bound float64, got ...float64) error {
	if _, ok := out.fields[key]; !ok {
		return nil
	}
	want, err := out.flat(key)
	if err != nil {
		return err
	}
	name := out.name + " " + key
	if bound == oracleBound32 {
		name += " (float32)"
	}
	if slices.ContainsFunc(got, math.IsNaN) {
		got = slices.Repeat([]float64{math.Inf(1)}, len(want))
	}
	o.compare(name, got, want, fmt.Sprintf("relative %g", bound), func(c Check) bool {
		return c.Relative <= bound || c.Absolute <= bound*1e-6
	})
	return nil
}
