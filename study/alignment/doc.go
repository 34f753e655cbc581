// Package alignment does the steps of package align on runs: it opens the run that a step
// starts from, makes the step's data from the built-in world or from files, and creates its
// run; then it compares the resulting models. Only this package knows the gold score: it judges
// evaluations and simulates labelers with it, and uses it as a reward only on request.
package alignment
