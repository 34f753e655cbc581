package capacity

import (
	"math"
	"os"
	"testing"

	"tinygpt/internal/expect"
)

// The lowest limit of a control group and those around it counts, in both of Linux's forms.
func TestLimit(t *testing.T) {
	files := map[string]string{
		"/sys/fs/cgroup/a/b/memory.max":                   "max\n",
		"/sys/fs/cgroup/a/memory.max":                     "2000\n",
		"/sys/fs/cgroup/memory.max":                       "3000\n",
		"/sys/fs/cgroup/memory/c/memory.limit_in_bytes":   "500\n",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes":     "9223372036854771712\n",
		"/sys/fs/cgroup/cpu/d/memory.limit_in_bytes":      "1\n",
		"/sys/fs/cgroup/memory/odd/memory.limit_in_bytes": "\n",
	}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}
	for _, c := range []struct {
		own  string
		want float64
	}{
		{"0::/a/b\n", 2000},
		{"0::/other\n", 3000},
		{"0::/\n", 3000},
		{"0::/../a\n", 2000},
		{"4:memory:/c\n3:cpu:/d\n", 500},
		{"4:memory:/odd\n", 9223372036854771712},
		{"3:cpu:/d\n", math.Inf(1)},
		{"", math.Inf(1)},
		{"nothing of the kind\n", math.Inf(1)},
	} {
		if got := limit(c.own, read); got != c.want {
			t.Errorf("%q: %v, expected %v", c.own, got, c.want)
		}
	}
}

func TestFits(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		need, times float64
		refused     bool
	}{{gib, 1, false}, {2 * gib, 1, true}, {4 * gib, 4, false}, {5 * gib, 4, true}, {1e40, 4, true}} {
		err := Fits("a thing", c.need, c.times, gib, "lower it")
		if (err != nil) != c.refused {
			t.Errorf("%v bytes, %v times: %v", c.need, c.times, err)
		}
	}
	expect.Error(t, Fits("a thing", 3*gib, 1, gib, "lower it"), "a thing needs about 3.0 GiB of memory, and this computer has 1.0 GiB: lower it")
	restore := Pretend(gib)
	expect.Error(t, Check("a thing", 3*gib, 1, "lower it"), "this computer has 1.0 GiB")
	if err := Check("a thing", gib, 1, "lower it"); err != nil {
		t.Error(err)
	}
	restore()
	if m, err := Memory(); err == nil && !(m > 0 && m < 1e18) {
		t.Errorf("this computer has %v bytes", m)
	}
}
