package build

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestString(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	revision := setting("vcs.revision", "592f759d6e0b1122334455667788990011223344")
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "devel, commit not recorded, go"},
		{&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "devel, commit not recorded, go"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v1.2.0"}, Settings: []debug.BuildSetting{revision, setting("vcs.modified", "false")}}, "v1.2.0, commit 592f759d6e0b, go"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20261129164831-592f759d6e0b"}, Settings: []debug.BuildSetting{revision}}, "v0.0.0-20261129164831-592f759d6e0b, go"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20261129164831-592f759d6e0b+dirty"}, Settings: []debug.BuildSetting{revision, setting("vcs.modified", "true")}}, "v0.0.0-20261129164831-592f759d6e0b+dirty, go"},
		{&debug.BuildInfo{Settings: []debug.BuildSetting{revision, setting("vcs.modified", "true")}}, "devel, commit 592f759d6e0b (modified), go"},
	} {
		if got := read(c.info).String(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q doesn't begin with %q", got, c.want)
		}
	}
}
