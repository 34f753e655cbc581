package train

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
)

// sampleHead begins the block of a sample in the file of samples; the step follows.
const sampleHead = "--- step "

// addSample appends a text that the model wrote after an update, and waits until it is on
// the disk.
func addSample(path string, step int, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s%d\n%s\n\n", sampleHead, step, text)
	return errors.Join(err, f.Sync(), f.Close())
}

// cutSamples removes the samples of a run that goes on after step, from the first one of a
// later step on: they are written again.
func cutSamples(path string, step int) error {
	text, err := userfile.ReadRegular(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	keep := 0
	for line := range bytes.Lines(text) {
		if number, ok := bytes.CutPrefix(line, []byte(sampleHead)); ok {
			if n, err := strconv.Atoi(string(bytes.TrimSuffix(number, []byte("\n")))); err == nil && n > step {
				return atomicfile.WriteFile(path, text[:keep])
			}
		}
		keep += len(line)
	}
	return nil
}
