package commands

import "io"

// output is standard output that remembers the first error of writing to it, so that a
// command whose results were lost on a full disk doesn't end with status 0, whether or
// not it looks at each error.
type output struct {
	io.Writer
	err error
}

// Write writes p, and keeps the first error.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// Unwrap is standard output itself.
func (o *output) Unwrap() io.Writer { return o.Writer }
