package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"tinygpt/train"
)

// session continues one line after another, until the input ends. Each answer has
// seeds of its own. An interrupt stops the answer that is being written.
func (w *sampleWriter) session(ctx context.Context, in io.Reader, interrupts <-chan os.Signal) error {
	fmt.Fprintln(w.out, "Begin a text; Enter lets the model go on. Ctrl-C stops an answer, Ctrl-D ends.")
	var mu sync.Mutex
	var stop context.CancelFunc // of the present answer; nil while the user types
	go func() {
		for range interrupts {
			mu.Lock()
			if stop != nil {
				stop()
			} else {
				fmt.Fprint(w.out, "\n> ")
			}
			mu.Unlock()
		}
	}()
	set := func(f context.CancelFunc) {
		mu.Lock()
		defer mu.Unlock()
		if stop = f; f == nil {
			fmt.Fprint(w.out, "\n> ")
		}
	}
	for input := bufio.NewReader(in); ; {
		set(nil)
		line, err := input.ReadString('\n')
		if err == io.EOF && line == "" {
			fmt.Fprintln(w.out)
			return nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		answer, cancel := context.WithCancel(ctx)
		set(cancel)
		err = w.write(answer, strings.TrimRight(line, "\r\n"))
		cancel()
		if ctx.Err() != nil {
			return train.ErrInterrupted
		}
		if err != nil && !errors.Is(err, train.ErrInterrupted) { // a character that isn't in the vocabulary, say
			fmt.Fprintf(w.out, "\n%s\n", lines(err))
		}
		w.seed += uint64(w.samples)
	}
}
