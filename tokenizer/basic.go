package tokenizer

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// appendWords appends to words the words of text as BERT's BasicTokenizer splits
// it (Devlin et al. 2018), which is what transformers and tokenizers put before
// GPT-1's merges: control characters vanish, white space separates, a Chinese
// character and a punctuation mark are words of their own. With fold, letters lose
// their accents and become lower case. Each word is followed by endOfWord.
//
// The original GPT-1 code used spaCy's English rules instead, which differ for
// contractions and hyphens. Apart from tokenizers 0.23.3, on which transformers' own
// class rests, 825 of Unicode's 1,112,064 characters give other ids:
//   - 569 punctuation marks, accents and format characters that came, or changed
//     their class, after the library's tables were made (about 2015). Go's know them.
//   - the 256 Chinese characters U+2B820 to U+2B91F, which BERT counts among the
//     words of one character, and so does this; the library begins at U+2B920.
func appendWords(words []byte, text string, fold bool) []byte {
	start := len(words)
	finish := func() {
		if len(words) > start {
			words = append(words, endOfWord)
			start = len(words)
		}
	}
	add := func(r rune) {
		if fold {
			r = unicode.ToLower(r)
		}
		if isPunctuation(r) {
			finish()
			words = utf8.AppendRune(words, r)
			finish()
			return
		}
		words = utf8.AppendRune(words, r)
	}
	for _, r := range text {
		switch {
		case isRemoved(r):
		case unicode.IsSpace(r):
			finish()
		case r < utf8.RuneSelf || !fold && !isChinese(r):
			add(r)
		case isChinese(r):
			finish()
			if fold {
				words = append(words, norm.NFD.String(string(r))...)
			} else {
				words = utf8.AppendRune(words, r)
			}
			finish()
		default:
			// Decomposing one by one is enough: the order of marks, which
			// depends on neighbours, goes with the marks.
			for _, d := range norm.NFD.String(string(r)) {
				if !unicode.Is(unicode.Mn, d) {
					add(d)
				}
			}
		}
	}
	finish()
	return words
}

// isRemoved reports whether r is a control or format character, or private.
func isRemoved(r rune) bool {
	switch r {
	case '\t', '\n', '\r':
		return false
	case unicode.ReplacementChar:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co)
}

// isPunctuation counts all of ASCII that is neither letter, digit nor space.
func isPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return '!' <= r && r <= '/' || ':' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
	}
	return unicode.IsPunct(r)
}

// isChinese reports whether r is in the blocks of CJK ideographs that BERT lists.
func isChinese(r rune) bool {
	return 0x4E00 <= r && r <= 0x9FFF || 0x3400 <= r && r <= 0x4DBF ||
		0x20000 <= r && r <= 0x2A6DF || 0x2A700 <= r && r <= 0x2B73F ||
		0x2B740 <= r && r <= 0x2B81F || 0x2B820 <= r && r <= 0x2CEAF ||
		0xF900 <= r && r <= 0xFAFF || 0x2F800 <= r && r <= 0x2FA1F
}
