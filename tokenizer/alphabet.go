package tokenizer

import (
	"fmt"
	"strings"
)

// GPT-2 writes each byte as one visible character: those that are visible in
// Latin-1 as themselves, the other 68 as U+0100 onwards (so the space is Ġ). Its
// vocabulary numbers the bytes by these characters, and so do we: id 0 is '!'.
//
// The order is more than looks. Training breaks a tie between pairs of the same
// count by the lower ids, so merges equal those of other trainers only if the
// bytes are numbered alike. (Hugging Face's trainer puts special tokens before
// the bytes, which moves all ids by the same amount and leaves the order.)

// byteOfID holds the byte of each of the first 256 ids.
var byteOfID = func() (b [256]byte) {
	n := 0
	for _, visible := range []bool{true, false} {
		for v := range 256 {
			if isVisible(v) == visible {
				b[n] = byte(v)
				n++
			}
		}
	}
	return b
}()

// idOfByte is the inverse of byteOfID.
var idOfByte = func() (id [256]int32) {
	for i, b := range byteOfID {
		id[b] = int32(i)
	}
	return id
}()

// visibleBytes is how many bytes are written as themselves.
const visibleBytes = 256 - 68

// isVisible reports whether the byte v is a visible character of Latin-1; the
// soft hyphen, 0xAD, is not.
func isVisible(v int) bool {
	return '!' <= v && v <= '~' || '¡' <= v && v <= '¬' || '®' <= v && v <= 'ÿ'
}

// printable writes bytes in GPT-2's visible characters: " the" is "Ġthe".
func printable(p []byte) string {
	var b strings.Builder
	for _, v := range p {
		if isVisible(int(v)) {
			b.WriteRune(rune(v))
		} else {
			b.WriteRune(0x100 + rune(idOfByte[v]-visibleBytes))
		}
	}
	return b.String()
}

// parsePrintable is the inverse of printable.
func parsePrintable(s string) ([]byte, error) {
	var b []byte
	for _, r := range s {
		switch {
		case r < 0x100 && isVisible(int(r)):
			b = append(b, byte(r))
		case 0x100 <= r && r < 0x100+256-visibleBytes:
			b = append(b, byteOfID[visibleBytes+r-0x100])
		default:
			return nil, fmt.Errorf("%q (U+%04X) does not stand for a byte", r, r)
		}
	}
	return b, nil
}
