package ablation

import (
	"path/filepath"
	"slices"
	"testing"

	"tinygpt/internal/expect"
)

var points = []Point{
	{Arm: "n-grams", Examples: 10, Seed: 1, Metric: "matthews", Score: 0.5},
	{Arm: "n-grams", Examples: 10, Seed: 2, Metric: "matthews", Score: 0.7},
	{Arm: "n-grams", Examples: 50, Seed: 1, Metric: "matthews", Score: 0.9},
	{Arm: "pre-trained, λ = 0", Examples: 50, Seed: 1, Metric: "matthews", Score: 0.95},
}

func TestTable(t *testing.T) {
	want := `| matthews, by labelled examples | 10 | 50 |
|---|---|---|
| pre-trained, λ = 0.25 | | |
| pre-trained, λ = 0.25, with n-grams | | |
| pre-trained, λ = 0 | | 0.950 |
| no pre-training | | |
| n-grams | 0.600 ± 0.141 | 0.900 |
`
	if got := table(Arms(0.25), []int{10, 50}, points); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestPicture(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.svg", "a.png"} {
		if err := picture(filepath.Join(dir, name), Arms(0.5), []int{10, 50}, points); err != nil {
			t.Fatal(err)
		}
	}
	expect.SVG(t, filepath.Join(dir, "a.svg"), "n-grams", "labelled examples", "matthews", ">50<")
	expect.PNG(t, filepath.Join(dir, "a.png"), 1280, 720)
}

func TestSizes(t *testing.T) {
	if got := Sizes([]int{300, 100, 1000, 100, 0}, 1000); !slices.Equal(got, []int{100, 300, 1000}) {
		t.Errorf("%v", got)
	}
}
