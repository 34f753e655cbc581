package main

import (
	"testing"

	"tinygpt/internal/expect"
)

// What is generated is what the comments in the source say now.
func TestFresh(t *testing.T) {
	const root = "../../.."
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		found := expect.File(t, root, name)
		if string(found) != string(text) {
			t.Errorf("%s isn't what its generator writes now: run go generate ./configs/manual", name)
		}
	}
}

func TestExplained(t *testing.T) {
	keys := map[string]string{"MinCount": "min_count", "Words": "words", "Head": "head"}
	expect.Texts(t, map[string]string{
		"MinCount is how often a word\n\toccurs at least.\n": "how often a word occurs at least",
		"Words of MinCount or more. See Head.\n":             "words of min_count or more. See head",
		"A word's Header.\n":                                 "A word's Header",
	}, func(comment string) string { return explained("MinCount", comment, keys) })
}
