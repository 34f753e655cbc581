package userfile

import (
	"path/filepath"
	"testing"

	"tinygpt/internal/fixture"
)

// A link may lead to a file in the folder, and in a hub's cache to its blobs, but not out.
func TestCheckLinks(t *testing.T) {
	dir := t.TempDir()
	snapshot := filepath.Join(dir, "models--a--b", "snapshots", "0123")
	fixture.Write(t, filepath.Join(dir, "secret"), "x")
	fixture.Write(t, filepath.Join(dir, "models--a--b", "blobs", "abc"), "x")
	fixture.Write(t, filepath.Join(snapshot, "config.json"), "{}")
	fixture.Write(t, filepath.Join(dir, "plain", "weights.bin"), "x")
	for _, c := range []struct{ folder, name, to, says string }{
		{snapshot, "model.safetensors", "../../blobs/abc", ""},
		{snapshot, "other.json", "config.json", ""},
		{snapshot, "vocab.json", "../../../secret", "vocab.json leads out of the folder"},
		{filepath.Join(dir, "plain"), "model.safetensors", "weights.bin", ""},
		{filepath.Join(dir, "plain"), "model.safetensors", filepath.Join(dir, "secret"), "model.safetensors leads out of the folder"},
		{filepath.Join(dir, "plain"), "parts", "..", "parts leads out of the folder"},
		{filepath.Join(dir, "plain"), "model.safetensors", "missing", "leads to nothing"},
	} {
		link := filepath.Join(c.folder, c.name)
		fixture.Link(t, c.to, link)
		err := CheckLinks(c.folder)
		if c.says != "" {
			check(t, "CheckLinks", c.name, err, c.says)
		} else if err != nil {
			t.Error(err)
		}
		fixture.Remove(t, link)
	}
	// The folder itself may be a link.
	link := filepath.Join(dir, "link")
	fixture.Link(t, snapshot, link)
	if err := CheckLinks(link); err != nil {
		t.Error(err)
	}
}

// Files that are to be written may be links within the folder, and other folders may be links.
func TestCheckWritten(t *testing.T) {
	dir := t.TempDir()
	run := filepath.Join(dir, "run")
	fixture.Write(t, filepath.Join(dir, "secret"), "x")
	fixture.Write(t, filepath.Join(run, "samples.txt"), "x")
	for _, c := range []struct{ name, to, says string }{
		{"metrics.jsonl", "samples.txt", ""},
		{"metrics.jsonl", filepath.Join(dir, "secret"), "the link metrics.jsonl leads out of the folder"},
		{"loss.svg", "../secret", "the link loss.svg leads out of the folder"},
		{"last.safetensors", filepath.Join(dir, "new"), "the link last.safetensors leads to nothing"},
		{"sft", "..", ""},
	} {
		link := filepath.Join(run, c.name)
		fixture.Link(t, c.to, link)
		for _, names := range [][]string{nil, {c.name}, {"missing", c.name}} {
			err := CheckWritten(run, names...)
			if c.says != "" {
				check(t, "CheckWritten", c.name, err, c.says)
			} else if err != nil {
				t.Error(err)
			}
		}
		if err := CheckWritten(run, "samples.txt"); err != nil {
			t.Error(err)
		}
		fixture.Remove(t, link)
	}
}
