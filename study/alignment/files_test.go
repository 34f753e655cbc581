package alignment

import (
	"bytes"
	"io"
	"testing"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/expect"
)

// FuzzMeasures: a reward model's results.json is refused, or says what can be.
func FuzzMeasures(f *testing.F) {
	for _, s := range []string{`{"accuracy":0.6,"pairs":3,"deviation":1,"others":{"ceiling":0.7}}`, `{"deviation":-1}`, `{"deviation":1e30}`, `{"deviation":1,"accuracy":-1}`, `{"deviation":1,"others":null}`, `null`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMeasures(text)
		if err != nil {
			expect.OneLine(t, err)
			return
		}
		if !(m.Deviation >= 0 && m.Deviation <= maxDeviation && m.Accuracy >= 0 && m.Accuracy <= 1) {
			t.Errorf("%+v", m)
		}
	})
}

// FuzzSummary: a course's summary.json is refused, or more steps can be noted in it.
func FuzzSummary(f *testing.F) {
	for _, s := range []string{`{"seconds":{"sft":1.5}}`, `{"seconds":null}`, `{"seconds":{}}`, `{"seconds":{"sft":-1}}`, `{"seconds":{"sft":1},"results":[null]}`, `null`, `{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := Summary{Seconds: map[string]float64{}}
		if err := s.parse(text); err != nil {
			expect.OneLine(t, err)
			return
		}
		for step, seconds := range s.Seconds {
			if !(seconds >= 0) {
				t.Errorf("%s took %g seconds", step, seconds)
			}
		}
		s.Seconds["ppo"] = 1
	})
}

// FuzzOveroptimisation: points are refused, or shown and drawn.
func FuzzOveroptimisation(f *testing.F) {
	for _, s := range []string{
		`{"prompts":2,"seed":0,"method":"ppo","step":1,"kl":0.5,"proxy":1,"gold":0.4,"tokens":8,"accuracy":0.6}`,
		`{"prompts":2,"method":"best-of-n","step":1,"kl":-1}`, `{"prompts":-1,"method":"ppo","step":-1,"kl":1e300,"proxy":-1e300,"gold":1e300}`,
		`{"method":"other"}`, `null`, `{}`,
	} {
		f.Add([]byte(s + "\n"))
		f.Add([]byte(s + "\n" + `{"prompts":2,"seed":0,"method":"ppo","step":2,"kl":1.5,"proxy":2,"gold":0.5,"tokens":9,"accuracy":0.6}` + "\n" + `{"prompts":2,"seed":0,"method":"ppo","step":3,"kl":2.5,"proxy":3,"gold":0.1,"tokens":9,"accuracy":0.6}` + "\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		points, err := parsePoints(bytes.NewReader(text), pointsFile)
		if err != nil {
			expect.OneLine(t, err)
			return
		}
		var again bytes.Buffer
		if err := atomicfile.WriteLines(&again, points); err != nil {
			t.Fatal(err)
		}
		if len(points) > 50 {
			return
		}
		ShowOveroptimisation(io.Discard, points)
		dir := t.TempDir()
		if err := DrawOveroptimisation(dir, points); err != nil {
			expect.OneLine(t, err)
			expect.Folder(t, dir)
		}
	})
}
