package verify

import (
	"encoding/json"
	"math"
	"strings"
)

// Kind returns the kind of quantity that a check compares: gradients of all parameters are
// of one kind, as are the parameters after ten steps, and the quantities of one case of
// losses.
func (c Check) Kind() string {
	if kind, _, ok := strings.Cut(c.Name, " "); ok {
		return kind
	}
	parts := strings.SplitN(c.Name, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// Summary summarises the checks of a kind.
type Summary struct {
	Kind          string
	Count, Passed int
	// Absolute and Relative are the largest errors of any of them.
	Absolute, Relative float64
	// Worst is the check with the largest relative error, of those that don't pass if there
	// are any.
	Worst Check
}

// Summarise groups checks by kind, in the order of the kinds' first checks.
func Summarise(checks []Check) (list []*Summary) {
	byKind := map[string]*Summary{}
	for _, c := range checks {
		s := byKind[c.Kind()]
		if s == nil {
			s = &Summary{Kind: c.Kind(), Worst: c}
			byKind[c.Kind()] = s
			list = append(list, s)
		}
		s.Count++
		s.Absolute, s.Relative = max(s.Absolute, c.Absolute), max(s.Relative, c.Relative) // NaN too
		if c.Pass {
			s.Passed++
		}
		if worse(c, s.Worst) {
			s.Worst = c
		}
	}
	return list
}

// worse reports whether a is further off than b; see Summary.Worst.
func worse(a, b Check) bool {
	if a.Pass != b.Pass {
		return b.Pass
	}
	return !(a.Relative <= b.Relative) // NaN too
}

// MarshalJSON returns the check as JSON, with null for errors that aren't finite.
func (c Check) MarshalJSON() ([]byte, error) {
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	return json.Marshal(struct {
		Name     string   `json:"name"`
		Absolute *float64 `json:"absolute"`
		Relative *float64 `json:"relative"`
		Bound    string   `json:"bound"`
		Pass     bool     `json:"pass"`
	}{c.Name, finite(c.Absolute), finite(c.Relative), c.Bound, c.Pass})
}
