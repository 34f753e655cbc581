package commands

import (
	"os"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// trainVectors are flags of a small training on the built-in stories.
var trainVectors = []string{"vectors", "train", "--set", "data.stories_bytes=150000", "--dim", "16", "--epochs", "2"}

func TestVectorsTrain(t *testing.T) {
	t.Chdir(t.TempDir())
	out := succeed(t, append(trainVectors, "--model", "cbow", "--window", "3", "--negative", "8", "--min-count", "3", "--sample", "0", "--seed", "7")...)
	contains(t, out, "min_count 3 removed", "keeps 100.0 % of the text", "held out", "vectors of 16 numbers", "runs/vectors-1")
	config := expect.File(t, "runs/vectors-1/config.yaml")
	contains(t, string(config), "kind: vectors", "model: cbow", "window: 3", "negative: 8", "min_count: 3", "sample: 0", "seed: 7")
	contains(t, succeed(t, "vectors", "neighbours", "--run", "runs/vectors-1", "mia"), "tom")
	contains(t, succeed(t, "vectors", "score", "--run", "runs/vectors-1", "--analogies", "stories"), "dish-ingredient", "gram-past-tense")

	// All steps are made: there is nothing to resume.
	contains(t, succeed(t, "vectors", "train", "--resume"), "is finished: it has made all its 2 epochs")
	contains(t, refused(t, 2, "vectors", "train", "--resume", "--dim", "20"), "leave out --dim")
	contains(t, refused(t, 2, "vectors", "train", "--dim", "many"), `--dim: found "many", expected a whole number`)
	contains(t, refused(t, 1, "vectors", "train", "--model", "bert"), "expected sgns, cbow or glove")
	contains(t, refused(t, 1, "vectors", "train", "--run", "runs/vectors-1"), "holds a run already")
}

func TestVectorsTrainText(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Write(t, "few.txt", strings.Repeat("a b c d\n", 4))
	contains(t, refused(t, 1, "vectors", "train", "--data", "few.txt"), "the vocabulary has 0 words with min_count 5", "min_count 1 keeps 4 words (16 tokens), 2 keeps 4 words (16 tokens), 5 keeps 0 words", "; lower it, give more text, or go on with --force")
	contains(t, refused(t, 1, "vectors", "train", "--data", "few.txt", "--min-count", "1"), "the vocabulary has 4 words with min_count 1", "; give more text, or go on with --force")
	contains(t, succeed(t, "vectors", "train", "--data", "few.txt", "--min-count", "1", "--force", "--model", "glove"), "co-occurrences that aren't 0")
	contains(t, succeed(t, "vectors", "train", "--resume"), "is finished") // without --force, as the hint of a stopped run has it
	expect.File(t, "runs", "vectors-1", "vectors.safetensors")
	if entries, _ := os.ReadDir("runs"); len(entries) != 1 {
		t.Errorf("%d folders in runs, want the one of the training that worked", len(entries))
	}
}

// Texts that come through a pipe are noted as such, and aren't waited for at a resume.
func TestVectorsFromPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	fixture.Stdin(t, strings.Repeat("the cat sat on the mat\n", 20))
	contains(t, succeed(t, "vectors", "train", "--data", "-", "--min-count", "1", "--force", "--epochs", "1", "--run", "piped words"), "configuration: preset vectors.yaml\n               with data.files [\"-\"] (not [])\n", "               with vectors.epochs 1 (not 15)\n", "files:       1 file, 1 document, 460 bytes")
	text := expect.File(t, "piped words/config.yaml")
	contains(t, string(text), "files:\n  - ")
	contains(t, refused(t, 1, "vectors", "train", "--resume", "--run", "piped words"), "came through a pipe and can't be read again")
}

func TestVectorsExplain(t *testing.T) {
	contains(t, succeed(t, "vectors", "explain", "A dog ran home.", "--part", "windows", "--part", "step", "--window", "1"),
		"dog home → ran", "(dog, a) (dog, ran)", "One-hot · W", "The same after ten steps")
	contains(t, refused(t, 2, "vectors", "explain", "--part", "all"), "expected onehot, windows")
}
