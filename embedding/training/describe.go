package training

import (
	"fmt"
	"io"

	"tinygpt/embedding/corpus"
	"tinygpt/embedding/glove"
	"tinygpt/embedding/word2vec"
	"tinygpt/internal/number"
)

// fewKept is a number of words up to which subsampling leaves too few to learn from.
const fewKept = 1000

// Describe writes what a training is about to do: how large the text is, what the minimum count
// and subsampling take away, how large the model is.
func (s *Session) Describe(out io.Writer) {
	voc, v := s.Text.Vocabulary, s.Config.Vectors
	all := voc.Total + voc.Removed
	fmt.Fprintf(out, "text:        %s words, %s different\n", number.Thousands(int(all)), number.Thousands(len(voc.Words)+voc.RemovedWords))
	fmt.Fprintf(out, "vocabulary:  %s words; min_count %d", number.Thousands(len(voc.Words)), voc.MinCount)
	if s.Config.Data.MaxWords > 0 {
		fmt.Fprintf(out, " and max_words %s", number.Thousands(s.Config.Data.MaxWords))
	}
	fmt.Fprintf(out, " removed %s, %.2f %% of the text\n", number.Thousands(voc.RemovedWords), 100*float64(voc.Removed)/float64(all))
	switch l := s.learner.(type) {
	case *word2vec.Trainer:
		kept, largest := voc.ExpectedKept(v.Sample)
		fmt.Fprintf(out, "subsampling: keeps %.1f %% of the text", 100*kept/float64(voc.Total))
		if v.Sample > 0 {
			fmt.Fprintf(out, ", %.1f %% of %q, the most frequent word", 100*corpus.Keep(voc, 0, v.Sample), voc.Words[0])
		}
		if v.Sample > 0 && kept < fewKept {
			fmt.Fprintf(out, "\nnote: that leaves about %.0f words of an epoch to learn from; --set vectors.sample=0 keeps all", kept)
		}
		fmt.Fprintf(out, "\nblocks:      %d targets between two updates; the most frequent word is %.2f %% of them\n", l.BlockSize(), 100*largest)
	case *glove.Trainer:
		trained, heldOut := l.Cells()
		where := "in memory"
		if !l.InMemory() {
			where = fmt.Sprintf("in a temporary file (vectors.memory_mb is %d)", v.MemoryMB)
		}
		fmt.Fprintf(out, "matrix:      %s co-occurrences that aren't 0, %.2f %% of all pairs; %s are held out; %s\n",
			number.Thousands(trained+heldOut), 100*float64(trained+heldOut)/float64(len(voc.Words))/float64(len(voc.Words)), number.Thousands(heldOut), where)
	}
	fmt.Fprintf(out, "parameters:  2 × %s × %d\n", number.Thousands(len(voc.Words)), v.Dim)
}
