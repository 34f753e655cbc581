package userfile

import "bytes"

// ByteOrderMark is what some editors put at the beginning of a UTF-8 file.
const ByteOrderMark = "\ufeff"

// UTF16 says whether a text begins with a byte order mark of UTF-16.
func UTF16(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff"))
}
