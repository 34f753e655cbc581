package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/suggest"
)

// Every command that prints results has --format: with json each result is a JSON value on
// standard output, an object or a list, in a line of its own, and nothing else is there.

// formatFlag is --format, which takes text, json, and the formats named. Other values
// are refused before the command does anything.
func formatFlag(more ...string) cli.Flag {
	formats := slices.Concat([]string{"text"}, more, []string{"json"})
	return choice("format", suggest.List(formats)+", which has a line for each result", "text", formats...)
}

// wantsJSON says whether --format asks for JSON.
func wantsJSON(c *cli.Context) bool { return c.String("format") == "json" }

// narration is where a command says what it does: standard output, or with --format json
// standard error.
func narration(c *cli.Context) io.Writer {
	if wantsJSON(c) {
		return c.App.ErrWriter
	}
	return c.App.Writer
}

// report prints a result: with --format json as JSON, else as a text.
func report(c *cli.Context, result any, text string, args ...any) error {
	if wantsJSON(c) {
		return printJSON(c, result)
	}
	_, err := fmt.Fprintf(c.App.Writer, text, args...)
	return err
}

// printJSON writes a result in one line.
func printJSON(c *cli.Context, v any) error {
	return writeJSON(c.App.Writer, v)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
