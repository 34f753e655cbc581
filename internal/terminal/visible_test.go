package terminal

import (
	"bytes"
	"testing"
)

func TestVisible(t *testing.T) {
	const given = "a\x08b\x13c\x1b[31md\x00\x7f\u009b\u202e é日🎉\n\tz\r"
	const want = "a␈b␓c␛[31md␀␡\ufffd\ufffd é日🎉\n\tz␍"
	if got := Visible(given); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for size := 1; size < len(given); size++ {
		var b bytes.Buffer
		w := Writer(&b)
		for at := 0; at < len(given); at += size {
			piece := given[at:min(at+size, len(given))]
			if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		if b.String() != want {
			t.Errorf("in pieces of %d bytes: %q, want %q", size, b.String(), want)
		}
	}
}
