package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"tinygpt/train"
)

// session continues one line after another, until read returns io.EOF. Each answer has
// seeds of its own, and a context that ends when the user stops it.
func (w *sampleWriter) session(ctx context.Context, read func() (string, error), stoppable func(context.Context) (context.Context, context.CancelFunc)) error {
	fmt.Fprint(w.out, "Begin a text; Enter lets the model go on. Ctrl-C stops an answer, Ctrl-D ends.\n\n")
	for {
		line, err := read()
		if err == io.EOF {
			fmt.Fprintln(w.out)
			return nil
		}
		if err != nil {
			return err
		}
		answer, stop := stoppable(ctx)
		err = w.write(answer, strings.TrimRight(line, "\r\n"))
		stop()
		if ctx.Err() != nil {
			return train.ErrInterrupted
		}
		if err != nil && !errors.Is(err, train.ErrInterrupted) { // a character that isn't in the vocabulary, say
			fmt.Fprintln(w.out, lines(err))
		}
		fmt.Fprintln(w.out)
		w.seed += uint64(w.samples)
	}
}
