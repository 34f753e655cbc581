package ladder

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzAnalyse: whatever losses the metrics of a ladder's runs hold, the analysis is one that
// results.json can hold and the report can say, or is refused in one line.
func FuzzAnalyse(f *testing.F) {
	for _, s := range []string{
		`[{"shape":{"layers":1},"seed":1,"non_embedding_parameters":30000,"flop":1e9,"bits_per_byte":3.1},{"shape":{"layers":2},"seed":1,"non_embedding_parameters":90000,"flop":3e9,"bits_per_byte":2.5},
		  {"shape":{"layers":3},"seed":1,"non_embedding_parameters":200000,"flop":7e9,"bits_per_byte":2.2},{"shape":{"layers":4},"seed":1,"non_embedding_parameters":500000,"flop":2e10,"bits_per_byte":2.0}]`,
		`[{"shape":{"layers":1},"non_embedding_parameters":1,"flop":1,"bits_per_byte":1e300},{"shape":{"layers":2},"non_embedding_parameters":2,"flop":2,"bits_per_byte":1e-300},
		  {"shape":{"layers":3},"non_embedding_parameters":3,"flop":3,"bits_per_byte":1e-301},{"shape":{"layers":4},"non_embedding_parameters":4,"flop":4,"bits_per_byte":1e-302}]`,
		`[{"shape":{"layers":1},"non_embedding_parameters":1,"flop":1e308,"bits_per_byte":2},{"shape":{"layers":2},"non_embedding_parameters":9223372036854775807,"flop":1e-308,"bits_per_byte":1},
		  {"shape":{"layers":3},"non_embedding_parameters":-9223372036854775808,"flop":5e-324,"bits_per_byte":0.5},{"shape":{"layers":4},"non_embedding_parameters":4,"flop":4,"bits_per_byte":0.4}]`,
		`[{"bits_per_byte":1},{"bits_per_byte":1},{"bits_per_byte":1},{"bits_per_byte":1}]`,
		`[{"shape":{"layers":1},"non_embedding_parameters":1,"flop":1,"bits_per_byte":3},{"shape":{"layers":2},"non_embedding_parameters":2,"flop":2,"bits_per_byte":2},
		  {"shape":{"layers":3},"non_embedding_parameters":3,"flop":3,"bits_per_byte":2},{"shape":{"layers":4},"non_embedding_parameters":4,"flop":4,"bits_per_byte":2}]`,
		`[{}]`, `[null]`, `null`,
	} {
		f.Add([]byte(s), 0.1)
		f.Add([]byte(s), 0.0)
	}
	f.Fuzz(func(t *testing.T, text []byte, floor float64) {
		var results []Result
		if json.Unmarshal(text, &results) != nil || len(results) == 0 || len(results) > 50 || !(floor >= 0) {
			return
		}
		a, err := Analyse(results, floor)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %v", err)
			}
			return
		}
		if _, err := json.Marshal(a); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if a.Text() == "" || a.Markdown() == "" {
			t.Error("no report")
		}
	})
}
