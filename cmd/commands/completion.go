package commands

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"

	"tinygpt/configs/manual"
	"tinygpt/internal/suggest"
	"tinygpt/run"
)

// completeCommand is what the scripts call: gpt complete WORD..., the last word being
// the one that the user is at. It isn't in the help.
const completeCommand = "complete"

// completionScripts are the scripts of each shell. Without a candidate of ours a shell
// completes names of files.
var completionScripts = map[string]string{
	"bash": `_gpt() {
	local IFS=$'\n'
	COMPREPLY=($(gpt ` + completeCommand + ` -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _gpt gpt
`,
	"zsh": `#compdef gpt
_gpt() {
	local -a candidates
	candidates=("${(@f)$(gpt ` + completeCommand + ` -- "${(@)words[2,CURRENT]}" 2>/dev/null | sed -e 's/:/\\:/g' -e 's/\t/:/')}")
	if [[ -n "${candidates[1]}" ]]; then
		_describe gpt candidates
	else
		_files
	fi
}
compdef _gpt gpt
`,
	"fish": `function __gpt_complete
	set -l words (commandline --tokenize --cut-at-cursor) (commandline --current-token --cut-at-cursor)
	gpt ` + completeCommand + ` -- $words[2..-1] 2>/dev/null
end
complete --command gpt --condition '__gpt_complete | string length --quiet' --no-files --arguments '(__gpt_complete)'
`,
}

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes commands, flags and names in a shell",
		ArgsUsage: "bash|zsh|fish",
		Description: `For a gpt in your PATH (go install ./cmd/gpt). Now, in this shell:

   bash:  source <(gpt completion bash)
   zsh:   source <(gpt completion zsh)
   fish:  gpt completion fish | source

For good: that line at the end of ~/.bashrc, of ~/.zshrc (after compinit), or of
~/.config/fish/config.fish.`,
		Action: func(c *cli.Context) error {
			words := strings.Join(c.Args().Slice(), " ")
			script, ok := completionScripts[c.Args().First()]
			if !ok || c.Args().Len() != 1 {
				return usageError{fmt.Errorf("completion takes the name of a shell, found %q: %s", words, suggest.Expected(words, "bash", "zsh", "fish"))}
			}
			_, err := io.WriteString(c.App.Writer, script)
			return err
		},
	}
}

func completeCommandFor(app *cli.App) *cli.Command {
	return &cli.Command{
		Name:   completeCommand,
		Hidden: true,
		Action: func(c *cli.Context) error {
			for _, candidate := range candidates(app, c.Args().Slice()) {
				if _, err := fmt.Fprintln(c.App.Writer, candidate); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// candidates are what the last of the words of a command line may become: each with a
// tab and what it is, where there is something to say. None: the name of a file.
func candidates(app *cli.App, words []string) (found []string) {
	if len(words) == 0 {
		words = []string{""}
	}
	before, word := words[:len(words)-1], words[len(words)-1]
	commands, flags := app.Commands, app.Flags
	var path []string // the names of the command
	for len(before) > 0 {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(before[0]) })
		if i < 0 {
			break
		}
		path = append(path, commands[i].Name)
		commands, flags, before = commands[i].Subcommands, commands[i].Flags, before[1:]
	}
	offer := func(name, usage string) {
		if strings.HasPrefix(name, word) && !strings.ContainsFunc(name, special) {
			usage, _, _ = strings.Cut(usage, "\n")
			found = append(found, strings.TrimSuffix(name+"\t"+usage, "\t"))
		}
	}
	if len(before) > 0 && strings.HasPrefix(before[len(before)-1], "-") {
		if last := before[len(before)-1]; takesValue(flags, last) {
			for _, v := range values(strings.Join(path, " "), flags, strings.TrimLeft(last, "-"), word) {
				offer(v, "")
			}
			return found
		}
	}
	if strings.HasPrefix(word, "-") {
		for _, f := range flags {
			name := f.Names()[0]
			usage := ""
			if d, ok := f.(cli.DocGenerationFlag); ok {
				usage = strings.ReplaceAll(d.GetUsage(), "`", "")
			}
			repeatable := false
			if _, ok := f.(*cli.StringSliceFlag); ok {
				repeatable = true
			}
			if repeatable || !slices.Contains(before, dashed(name)) {
				offer(dashed(name), usage)
			}
		}
		offer("--help", "show help")
		return found
	}
	for _, c := range commands {
		if !c.Hidden {
			offer(c.Name, c.Usage)
		}
	}
	if slices.Equal(path, []string{"config"}) {
		for _, v := range slices.Concat(values("config", nil, "config", word), run.Names()) {
			offer(v, "")
		}
	}
	return found
}

// special says that a character may mean something to a shell or a terminal. A shell puts what is
// completed into the command line as it is: a folder from somebody else can have any name.
func special(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("-_./+,:=@%", r)
}

// values lists values that a command's flag can have: its choices, names of runs for
// --run, presets and YAML files for --config. None: a file.
func values(command string, flags []cli.Flag, flag, word string) (names []string) {
	for _, f := range flags {
		if c, ok := f.(*choiceFlag); ok && c.Name == flag {
			return c.choices
		}
	}
	switch flag {
	case "run", "from":
		if names, _ = filepath.Glob(filepath.Join(run.Root, "*")); strings.Contains(word, string(os.PathSeparator)) && !strings.HasPrefix(word, run.Root) {
			return nil
		}
	case "config", "c":
		names, _ = filepath.Glob("*.y*ml")
		for _, preset := range presetsFor(command) {
			if !slices.Contains(names, preset) {
				names = append(names, preset)
			}
		}
	}
	return names
}

// presetsFor lists the presets that a command takes: those of its kind of configuration,
// or if it has none of its own all of them.
func presetsFor(command string) []string {
	if k := kindOf(command); k != nil {
		return k.Presets
	}
	return manual.Presets()
}

// kindOf is the kind of configuration that a command takes, nil if it has none of its own.
func kindOf(command string) *manual.Kind {
	for _, k := range manual.Kinds() {
		if command == k.Command || strings.HasPrefix(command, k.Command+" ") {
			return k
		}
	}
	return nil
}
