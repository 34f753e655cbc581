//go:build linux

package reliability

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

// A soak whose training takes more and more memory and gets slower says so in its table;
// its lines are read as they were written, and drawn.
func TestSoakTable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, SoakFile)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := json.NewEncoder(f)
	work := 0.0
	for i := range 200 {
		seconds := 10 * float64(i+1)
		work += 10 - float64(i)/40
		for _, m := range []Soaked{
			{Seconds: seconds, Name: "train", Resident: int64(50+i) * 1e6, Goroutines: 11, Files: 10, Work: work, CPU: seconds / 4},
			{Seconds: seconds, Name: "serve", Resident: 40e6, Goroutines: 14, Files: 12, Work: 8 * seconds, CPU: seconds / 10},
		} {
			if err := lines.Encode(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.Close()
	all, err := ReadSoak(path)
	if err != nil || len(all) != 400 {
		t.Fatalf("%d lines, %v", len(all), err)
	}
	table := SoakTable(all)
	for _, want := range []string{"| 79.0 → 226.0 | 11 → 11 | 10 → 10 | 3.", "| 40.0 → 40.0 | 14 → 14 | 12 → 12 | 80 → 80 |"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	picture := filepath.Join(dir, SoakPicture)
	if err := PlotSoak(picture, all); err != nil {
		t.Fatal(err)
	}
	expect.Says(t, picture, "File handles")
}

// The list of goroutines that Go's runtime writes is counted, those that are dead apart.
func TestCountGoroutines(t *testing.T) {
	s := &soakedProcess{}
	s.count(strings.NewReader("SCHED 0ms: gomaxprocs=1\n  P0: status=0\n  G1: status=4(chan receive) m=nil\n  G2: status=1() m=nil\n  G3: status=6() m=nil\nepoch 1\nSCHED 10ms: gomaxprocs=1\n"))
	if n := s.goroutines.Load(); n != 2 {
		t.Errorf("%d goroutines, want 2", n)
	}
}
