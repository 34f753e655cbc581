package commands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/internal/userfile"
)

// prompt is where a prompt comes from.
type prompt struct {
	text string
	file string // "-" is standard input; "" none
	set  bool

	options data.Options // of the file
}

// promptOf finds the prompt on the command line, where it may be given once; otherwise
// it is what is piped to standard input.
func promptOf(c *cli.Context) (p prompt, err error) {
	var given []string
	if c.NArg() > 1 {
		return p, usageError{fmt.Errorf("%s takes one prompt, found %d arguments: put it in quotes", c.Command.Name, c.NArg())}
	}
	if c.NArg() == 1 {
		given = append(given, "an argument")
		p = prompt{text: c.Args().First(), set: true}
		if p.text == "-" {
			p.file = "-"
		}
	}
	if c.IsSet("prompt") {
		given = append(given, "--prompt")
		p = prompt{text: c.String("prompt"), set: true}
	}
	if c.IsSet("prompt-file") {
		given = append(given, "--prompt-file")
		p = prompt{file: c.String("prompt-file"), set: true}
		if p.file == "" {
			return p, usageError{errors.New("--prompt-file is empty: expected a file, or - for standard input")}
		}
	}
	if len(given) > 1 {
		return p, usageError{fmt.Errorf("the prompt is given more than once: found %s", strings.Join(given, " and "))}
	}
	if p.options, err = readOptions(c); err != nil {
		return p, err
	}
	if len(given) == 0 && isPiped(c.App.Reader) {
		p.file, p.set = "-", true
	}
	return p, nil
}

// isPiped reports whether a stream is a pipe or a file: neither a terminal nor
// /dev/null.
func isPiped(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && (info.Mode().IsRegular() || info.Mode()&os.ModeNamedPipe != 0)
}

// read returns the prompt, cleaned as a text of training is; a file's or standard
// input's last line end isn't part of it.
func (p prompt) read(stdin io.Reader) (string, error) {
	var text string
	var err error
	switch p.file {
	case "":
		return data.Clean(p.text), nil
	case "-":
		text, err = readStdin(stdin, p.options)
	default:
		text, err = data.ReadText(p.file, p.options)
	}
	if err != nil {
		return "", fmt.Errorf("prompt: %w", err)
	}
	return strings.TrimSuffix(text, "\n"), nil
}

// readStdin returns the text that standard input holds; none is no error.
func readStdin(stdin io.Reader, o data.Options) (string, error) {
	raw, err := userfile.ReadAll(stdin)
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	return data.Decode("standard input", raw, o)
}
