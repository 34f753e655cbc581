package commands

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
)

// helpWidth is the width of help in columns, if the terminal has as many; helpColumn is
// where explanations begin.
const helpWidth, helpColumn = 80, 24

func init() {
	cli.HelpPrinter = func(w io.Writer, _ string, of any) {
		columns := helpWidth
		if n := terminal.Width(w); n > 0 {
			columns = min(columns, n)
		}
		h := &help{columns: columns}
		switch of := of.(type) {
		case *cli.App:
			h.section("NAME", of.Name+" - "+of.Usage)
			h.section("USAGE", of.Name+" [options] COMMAND [options] [arguments]")
			h.section("VERSION", of.Version)
			h.commands(withoutHelp(of.VisibleCommands()))
			h.options(of.VisibleFlags())
		case *cli.Command:
			h.section("NAME", of.HelpName+" - "+of.Usage)
			usage, commands := of.HelpName, withoutHelp(of.VisibleCommands())
			switch options := len(of.VisibleFlags()) > 1; { // besides --help
			case len(commands) > 0 && options:
				usage += " [COMMAND]"
			case len(commands) > 0:
				usage += " COMMAND"
			}
			h.section("USAGE", strings.TrimSpace(usage+" [options] "+of.ArgsUsage))
			h.section("DESCRIPTION", of.Description)
			h.commands(commands)
			h.options(of.VisibleFlags())
		}
		io.WriteString(w, h.text.String())
	}
}

// help is the text of a command's help.
type help struct {
	text    strings.Builder
	columns int
}

// section adds a heading with paragraphs below it.
func (h *help) section(name, text string) {
	if text == "" {
		return
	}
	h.heading(name)
	for _, p := range paragraphs(text) {
		h.text.WriteString(strings.TrimRight(terminal.Wrapped("   "+p, h.columns), " ") + "\n")
	}
}

// paragraphs joins the lines of a text, but for those that are indented and the empty ones.
func paragraphs(text string) (all []string) {
	joins := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		plain := line != "" && line[0] != ' '
		if plain && joins {
			all[len(all)-1] += " " + line
		} else {
			all = append(all, line)
		}
		joins = plain
	}
	return all
}

// withoutHelp leaves out the command help, which does what --help does.
func withoutHelp(list []*cli.Command) []*cli.Command {
	return slices.DeleteFunc(slices.Clone(list), func(c *cli.Command) bool { return c.Name == "help" })
}

func (h *help) heading(name string) {
	if h.text.Len() > 0 {
		h.text.WriteByte('\n')
	}
	h.text.WriteString(name + ":\n")
}

// entry adds what is explained, and the explanation next to it, or below it if there is no
// room.
func (h *help) entry(name, explanation string) {
	indent := strings.Repeat(" ", helpColumn)
	lines := strings.Split(terminal.Wrapped(indent+explanation, h.columns), "\n")
	if left := "   " + name; terminal.Columns(left)+2 <= helpColumn {
		lines[0] = terminal.Pad(left, helpColumn) + strings.TrimPrefix(lines[0], indent)
	} else {
		h.text.WriteString(left + "\n")
	}
	h.text.WriteString(strings.Join(lines, "\n") + "\n")
}

func (h *help) commands(list []*cli.Command) {
	if len(list) == 0 {
		return
	}
	h.heading("COMMANDS")
	for _, c := range list {
		h.entry(c.Name, c.Usage)
	}
}

func (h *help) options(flags []cli.Flag) {
	if len(flags) == 0 {
		return
	}
	h.heading("OPTIONS")
	for _, f := range flags {
		if f, ok := f.(cli.DocGenerationFlag); ok {
			h.entry(optionName(f), optionText(f))
		}
	}
}

// placeholder is the part of a flag's usage that names its value.
var placeholder = regexp.MustCompile("`([^`]*)`")

// optionName is a flag as one types it, with what its value is called.
func optionName(f cli.DocGenerationFlag) string {
	var names []string
	for _, n := range f.Names() {
		if len(n) == 1 {
			names = append([]string{dashed(n)}, names...)
		} else {
			names = append(names, dashed(n))
		}
	}
	name := strings.Join(names, ", ")
	if !f.TakesValue() {
		return name
	}
	if m := placeholder.FindStringSubmatch(f.GetUsage()); m != nil {
		return name + " " + m[1]
	}
	switch f.(type) {
	case *cli.IntFlag, *cli.Int64Flag, *cli.Uint64Flag, *cli.IntSliceFlag, *cli.Float64Flag:
		return name + " N"
	}
	return name + " VALUE"
}

// optionText is what a flag does, and what it is without being set.
func optionText(f cli.DocGenerationFlag) string {
	text := placeholder.ReplaceAllString(f.GetUsage(), "$1")
	standard := f.GetDefaultText()
	if plain := strings.Trim(standard, `"`); !strings.ContainsAny(plain, ` \`) {
		standard = plain
	}
	if !f.TakesValue() || standard == "" || standard == "0" {
		return text
	}
	return fmt.Sprintf("%s (default: %s)", text, standard)
}
