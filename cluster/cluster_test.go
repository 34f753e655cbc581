package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/model/kernel"
)

func TestAlike(t *testing.T) {
	a := process{Host: "one", System: "linux/amd64", File: "1", Build: "devel, commit 1"}
	b, c := a, a
	b.Host, b.System = "two", "linux/arm64"
	c.Host, c.File, c.Build = "three", "2", "devel, commit 2"
	if err := alike([]process{a, a, a}); err != nil {
		t.Error(err)
	}
	for want, others := range map[string][]process{
		"process 1 on linux/arm64 (two)":                                               {a, b},
		"process 2 on three run different programs (devel, commit 1; devel, commit 2)": {a, a, c},
	} {
		if err := alike(others); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestCommon(t *testing.T) {
	old := process{Sets: []string{"portable", "avx2"}}
	modern := process{Sets: []string{"portable", "avx2", "avx512"}}
	if set, note := common([]process{modern, modern}); set != "avx512" || note != "" {
		t.Errorf("%s, %q", set, note)
	}
	for _, all := range [][]process{{modern, old}, {old, modern}} {
		if set, note := common(all); set != "avx2" || !strings.Contains(note, "avx512") {
			t.Errorf("%s, %q", set, note)
		}
	}
}

func TestThreads(t *testing.T) {
	four, eight := []int{0, 1, 2, 3}, []int{0, 1, 2, 3, 4, 5, 6, 7}
	for _, c := range []struct {
		all  []process
		want []int
	}{
		{[]process{{CPUs: eight}}, []int{8}},
		{[]process{{CPUs: eight}, {CPUs: eight}}, []int{4, 4}},
		{[]process{{CPUs: four}, {CPUs: []int{4, 5, 6, 7}}}, []int{4, 4}},
		{[]process{{CPUs: []int{0}}, {CPUs: []int{0}}}, []int{1, 1}},
		{[]process{{Host: "one", CPUs: four}, {Host: "two", CPUs: four}}, []int{4, 4}},
		{[]process{{CPUs: four}, {CPUs: four}, {CPUs: four}}, []int{1, 1, 1}},
	} {
		for i, want := range c.want {
			if got := threads(c.all, i); got != want {
				t.Errorf("process %d of %v: %d threads, want %d", i, c.all, got, want)
			}
		}
	}
}

func TestIdle(t *testing.T) {
	bound := process{Host: "node1", CPUs: []int{3}, Around: 16}
	if note := idle([]process{bound, bound}); !strings.Contains(note, "node1 are bound to 1 of 16 cores") {
		t.Error(note)
	}
	free := process{Host: "node1", CPUs: []int{0, 1}, Around: 2}
	unknown := process{Host: "node2", CPUs: []int{0, 1}}
	if note := idle([]process{free, free, unknown}); note != "" {
		t.Error(note)
	}
}

// What a process says of itself is read by the others as it was said; without an account of
// its CPUs it has a thread for each of the computer's.
func TestSelf(t *testing.T) {
	me, err := self()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(me)
	if err != nil {
		t.Fatal(err)
	}
	var read process
	if err := read.parse(string(text)); err != nil || !reflect.DeepEqual(read, me) {
		t.Errorf("%+v is read as %+v: %v", me, read, err)
	}
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(expect.File(t, name)); me.File != hex.EncodeToString(sum[:]) || me.Host == "" || !slices.Contains(me.Sets, kernel.InstructionSet()) {
		t.Errorf("%+v", me)
	}
	if runtime.GOOS == "linux" && len(me.CPUs) != runtime.NumCPU() {
		t.Errorf("it may run on %v, which are not %d CPUs", me.CPUs, runtime.NumCPU())
	}
	if n := threads([]process{{}}, 0); n != runtime.NumCPU() {
		t.Errorf("%d threads", n)
	}
	me.CPUs = make([]int, mostCPUs+1)
	if text, err = json.Marshal(me); err != nil || read.parse(string(text)) == nil || read.parse("{}") == nil {
		t.Error("too many CPUs, or a process without instruction sets, are taken")
	}
}

// FuzzProcess: what another process says of itself is refused, or this one can come to terms
// with it.
func FuzzProcess(f *testing.F) {
	for _, s := range []string{`{"Host":"one","System":"linux/amd64","Sets":["portable","avx2"],"CPUs":[0,1]}`, `{"Sets":[]}`, `{"Sets":["avx2"],"CPUs":null}`, `{"Sets":["x"],"CPUs":[-1,-1]}`, `null`, `[]`, `{"Around":-1,"Sets":[""]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p process
		if p.parse(text) != nil {
			return
		}
		me := process{System: p.System, File: p.File, Host: p.Host, Sets: []string{"portable"}, CPUs: []int{0, 1}}
		all := []process{me, p}
		if err := alike(all); err != nil {
			t.Error(err)
		}
		common(all)
		for rank := range all {
			if threads(all, rank) < 1 {
				t.Errorf("%d threads", threads(all, rank))
			}
		}
	})
}
