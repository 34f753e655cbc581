//go:build linux

package reliability

import (
	"encoding/binary"
	"maps"
	"path/filepath"
	"slices"
)

// smallFile is the size of a file, in bytes, up to which it is cut off at every length.
const smallFile = 4 << 10

// cuts returns the lengths that a file is cut off at. A small file is cut off at every length.
// A large one is cut off where a field ends, a byte before and a byte after that, and at
// further lengths, evenly spaced, of which there are as many as times says. A file in a
// subfolder is cut off only at these: it belongs to a run of another kind.
func cuts(name string, text []byte, times int) []int {
	chosen := map[int]bool{}
	for i := range times {
		chosen[len(text)*i/times] = true
	}
	if filepath.Dir(name) != "." {
		return slices.Sorted(maps.Keys(chosen))
	}
	if len(text) <= smallFile {
		return upTo(len(text))
	}
	add := func(n int) {
		for _, n := range []int{n - 1, n, n + 1} {
			if n >= 0 && n < len(text) {
				chosen[n] = true
			}
		}
	}
	fields := text
	switch filepath.Ext(name) {
	case ".safetensors":
		// Eight bytes with the length of the header, the header, the tensors.
		header := 8 + int(min(binary.LittleEndian.Uint64(text), uint64(len(text)-8)))
		for _, n := range upTo(9) {
			add(n)
		}
		fields = text[:header]
		add(header)
	case ".json", ".jsonl", ".yaml", ".txt", ".tsv":
	default:
		fields = nil
	}
	for i, c := range fields {
		if c == ',' || c == '\n' {
			add(i + 1)
		}
	}
	return slices.Sorted(maps.Keys(chosen))
}

// upTo returns 0, 1, … n−1.
func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
