package ablation

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	svg, err := os.ReadFile(filepath.Join(dir, "a.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"n-grams", "labelled examples", "matthews", ">50<"} {
		if !strings.Contains(string(svg), text) {
			t.Errorf("no %q in the picture", text)
		}
	}
	f, err := os.Open(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Error(err)
	}
}

func TestSizes(t *testing.T) {
	if got := Sizes([]int{300, 100, 1000, 100, 0}, 1000); !slices.Equal(got, []int{100, 300, 1000}) {
		t.Errorf("%v", got)
	}
}
