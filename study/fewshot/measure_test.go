package fewshot

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

func points() (all []Point) {
	for seed, right := range map[uint64][4]int{1: {25, 50, 26, 90}, 2: {25, 50, 26, 98}} {
		for i, r := range right {
			p := Point{Model: "small", Parameters: 70_000, Seed: seed, Task: "sums", Shots: 4 * (i % 2), Trials: 100, Right: r, Chance: 0.25, Ideal: []float64{1. / 3, 1}[i%2]}
			if i >= 2 {
				p.Model, p.Parameters = "large", 2_500_000
			}
			all = append(all, p)
		}
	}
	return all
}

func TestSummary(t *testing.T) {
	s := Summarise(points())
	if len(s.Models) != 2 || s.Models[0].Name != "small" || len(s.Shots) != 2 || s.Shots[1] != 4 {
		t.Fatalf("%+v", s)
	}
	// Seeds that agree have the error of 200 answers, 102 of 204 being right by Agresti
	// and Coull's rule.
	c, ok := s.Cell(s.Models[0], "sums", 4)
	if want := 2 * math.Sqrt(0.25/102/2); !ok || c.Accuracy != 0.5 || math.Abs(c.Margin-want) > 1e-12 || c.Seeds != 2 {
		t.Errorf("%+v, margin expected %v", c, want)
	}
	// The standard error of those that don't is that of their mean: 0.04.
	if c, _ = s.Cell(s.Models[1], "sums", 4); math.Abs(c.Accuracy-0.94) > 1e-12 || math.Abs(c.Margin-0.08) > 1e-12 {
		t.Errorf("%+v", c)
	}
	if _, ok := s.Cell(s.Models[0], "sums", 16); ok {
		t.Error("a cell that wasn't measured")
	}
	var text, markdown, csv bytes.Buffer
	for format, w := range map[string]*bytes.Buffer{"text": &text, "markdown": &markdown, "csv": &csv} {
		if err := s.Write(w, format); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"accuracy, %   parameters  0 shots  4 shots\n", "sums              70,000   25 ± 6   50 ± 7\n", "chance       25       25\n", "best reader       33      100\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if !strings.Contains(markdown.String(), "|  | 2,500,000 | 26 ± 6 | 94 ± 8 |") {
		t.Error(markdown.String())
	}
	if !strings.Contains(csv.String(), "sums,2500000,4,0.9400,0.0800,0.2500,1.0000,2\n") {
		t.Error(csv.String())
	}
	if got := s.Rises(); got != "sums: 0 to 4 shots +68 ± 14 (a rise), smallest to largest model +44 ± 15 (a rise)\n" {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"a.svg", "a.png"} {
		path := fixture.NewPath(t, name)
		if err := s.DrawShots(path); err != nil {
			t.Fatal(err)
		}
		if err := s.DrawSizes(path); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); err != nil || len(text) < 1000 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
	}
}
