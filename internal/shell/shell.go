// Package shell writes commands that can be copied into a shell.
package shell

import (
	"runtime"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// Command joins the words of a command line, each quoted if it has to be.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// Quote returns the word as the shell reads it back: as it is if it has no blanks or other
// special characters, else in quotes. On Windows these are double ones, which both of its
// shells understand.
func Quote(word string) string { return quote(word, runtime.GOOS) }

func quote(word, system string) string {
	quoted := shellescape.Quote(word)
	if system != "windows" || quoted == word {
		return quoted
	}
	// A path like C:\runs\a-1 needs no quotes.
	if rest := strings.NewReplacer(`\`, "", ":", "").Replace(word); rest != "" && shellescape.Quote(rest) == rest {
		return word
	}
	return `"` + strings.ReplaceAll(word, `"`, `\"`) + `"`
}
