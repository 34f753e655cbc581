package sample

import (
	"strings"
	"testing"
)

// stopRef is the definition: the text before the stop whose end comes first, of
// several that end there the longest; the whole text if there is none.
func stopRef(text string, stops []string) (before string, found bool) {
	for end := range len(text) + 1 {
		longest := 0
		for _, s := range stops {
			if strings.HasSuffix(text[:end], s) {
				longest = max(longest, len(s))
			}
		}
		if longest > 0 {
			return text[:end-longest], true
		}
	}
	return text, false
}

// pieces gives text in pieces of the given sizes, over and over.
func pieces(text string, sizes []byte) (out []string) {
	for i := 0; len(text) > 0; i++ {
		n := 1
		if len(sizes) > 0 {
			n = min(len(text), 1+int(sizes[i%len(sizes)]%5))
		}
		out, text = append(out, text[:n]), text[n:]
	}
	return out
}

// checkStops runs pieces through a stopSearch: what comes out is the definition's, and at
// any time no more than is certain, and no less.
func checkStops(t *testing.T, parts, stops []string) {
	t.Helper()
	whole := strings.Join(parts, "")
	want, wantFound := stopRef(whole, stops)
	s := newStopSearch(stops)
	got, read, found := "", "", false
	for _, part := range parts {
		read += part
		var text string
		if text, found = s.Next(part); found {
			got += text
			break
		}
		got += text
		// Held back is exactly the longest end that a stop may begin with.
		held := read[len(got):]
		longest := ""
		for _, stop := range stops {
			for n := range len(stop) {
				if strings.HasSuffix(read, stop[:n]) && n > len(longest) {
					longest = stop[:n]
				}
			}
		}
		if held != longest {
			t.Fatalf("after %q, stops %q: held back %q, want %q", read, stops, held, longest)
		}
	}
	if !found {
		got += s.Rest()
	}
	if got != want || found != wantFound {
		t.Fatalf("%q, stops %q: %q (%v), want %q (%v)", parts, stops, got, found, want, wantFound)
	}
	if text, _ := s.Next("more"); found && text != "" {
		t.Fatalf("after the stop comes %q", text)
	}
}

func TestStops(t *testing.T) {
	for _, k := range []struct {
		parts []string
		stops []string
		want  string
	}{
		{[]string{"Hello", " wor", "ld"}, nil, "Hello world"},
		{[]string{"one\n", "\ntwo"}, []string{"\n\n"}, "one"},
		{[]string{"User", ": hi\nUs", "er", ": more"}, []string{"\nUser:"}, "User: hi"},
		{[]string{"a", "b", "c", "d"}, []string{"bcd", "c"}, "ab"},
		{[]string{"xabcy"}, []string{"abc", "bc", "c"}, "x"},
		{[]string{"aab", "aac"}, []string{"aac"}, "aab"},
		{[]string{"aaab"}, []string{"aab"}, "a"},
		{[]string{"ends in the st"}, []string{"stop"}, "ends in the st"},
		{[]string{"stop"}, []string{"stop"}, ""},
		{[]string{"naï", "ve", " café"}, []string{"é"}, "naïve caf"},
	} {
		if got, _ := stopRef(strings.Join(k.parts, ""), k.stops); got != k.want {
			t.Errorf("the definition says %q of %q, want %q", got, k.parts, k.want)
		}
		checkStops(t, k.parts, k.stops)
		whole := strings.Join(k.parts, "")
		for size := range byte(5) {
			checkStops(t, pieces(whole, []byte{size}), k.stops)
		}
	}
}

func FuzzStops(f *testing.F) {
	f.Add("one two three two", "two", "wo t", []byte{0, 3, 1})
	f.Add("aaaaabaaab", "aab", "aaab", []byte{1})
	f.Fuzz(func(t *testing.T, text, a, b string, sizes []byte) {
		var stops []string
		for _, s := range []string{a, b} {
			if s != "" {
				stops = append(stops, s)
			}
		}
		if len(text) < 1000 && len(a)+len(b) < 100 {
			checkStops(t, pieces(text, sizes), stops)
		}
	})
}
