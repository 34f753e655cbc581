package verify

import "testing"

func TestEmbeddedCases(t *testing.T) {
	for _, dir := range Embedded() {
		checks, err := Run(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range checks {
			if !c.Pass {
				t.Errorf("%s: absolute error %.2e, relative %.2e, bound %s", c.Name, c.Absolute, c.Relative, c.Bound)
			}
		}
	}
}
