package corpus

import (
	"slices"
	"testing"
)

// What is packed comes out again, as a whole, in parts and in blocks, whatever the size of
// the numbers.
func TestSequence(t *testing.T) {
	r := NewRandom(3)
	list := []int32{LineEnd, 0, escape - 2, escape - 1, escape, 1 << 16, 1 << 30, LineEnd}
	for len(list) < 3*segmentTokens {
		list = append(list, int32(r.Below(70_000))-1)
	}
	s := Pack(list)
	if s.Len() != len(list) || !slices.Equal(s.All(), list) {
		t.Fatalf("%d tokens come out as %d others", len(list), s.Len())
	}
	for range 200 {
		from := r.Below(len(list))
		end := from + r.Below(len(list)-from+1)
		part := s.Part(from, end)
		a := r.Below(part.Len() + 1)
		b := a + r.Below(part.Len()-a+1)
		if got := part.AppendTo([]int32{7}, a, b); got[0] != 7 || !slices.Equal(got[1:], list[from+a:from+b]) {
			t.Fatalf("tokens %d to %d of those from %d to %d are others", a, b, from, end)
		}
		var all []int32
		part.Blocks(func(tokens []int32) bool {
			all = append(all, tokens...)
			return true
		})
		if !slices.Equal(all, list[from:end]) {
			t.Fatalf("the blocks of tokens %d to %d are others", from, end)
		}
	}
	if (Sequence{}).Len() != 0 || (Sequence{}).All() != nil {
		t.Error("an empty sequence has tokens")
	}
}
