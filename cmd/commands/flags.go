package commands

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/configs/manual"
	"tinygpt/data"
	"tinygpt/run"
)

// The flags that several commands have.

// configFlag names a configuration for one of the commands of, which are Command of a kind
// of configuration; without it a preset is taken.
func configFlag(usage, preset string, of ...string) cli.Flag {
	return &cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: usage, Value: preset, Action: func(_ *cli.Context, name string) error {
		if err := manual.CheckKind(name, of...); err != nil {
			return usageError{err}
		}
		return nil
	}}
}

// yamlFile is what most of these flags name.
const yamlFile = "YAML `FILE` or preset"

// setFlag changes settings of the configuration, like the one in the example.
func setFlag(usage, example string) cli.Flag {
	return &cli.StringSliceFlag{Name: "set", Usage: usage + ", as in --set `" + example + "` (repeatable)"}
}

// set changes the settings that into points to as setFlag says.
func set(c *cli.Context, into any) error {
	for _, assignment := range c.StringSlice("set") {
		if err := configs.SetIn(into, assignment); err != nil {
			return err
		}
	}
	return nil
}

// forceFlag lets mayWrite write over a file.
func forceFlag() cli.Flag {
	return &cli.BoolFlag{Name: "force", Usage: "write over what is there"}
}

// mayWrite refuses to write over a file without --force.
func mayWrite(c *cli.Context, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) && !c.Bool("force") {
		return fmt.Errorf("%s is there already: name another place, or add --force", path)
	}
	return nil
}

// resultsFolder is where the results of a study go without --to: a folder among the runs
// named after the study's configuration.
func resultsFolder(c *cli.Context, study string) string {
	name := filepath.Base(c.String("config"))
	return filepath.Join(run.Root, strings.TrimSuffix(name, filepath.Ext(name))+"-"+study)
}

// textsFlag names the texts that a command works on. do says what it does with them,
// without what it takes if the flag isn't there.
func textsFlag(do, without string) cli.Flag {
	return &cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: do + " `FILE`, folder, glob or - (repeatable)", DefaultText: without}
}

// runFlag names the run that a command opens.
func runFlag() cli.Flag {
	return &cli.StringFlag{Name: "run", Usage: "the run's `FOLDER`", DefaultText: "the latest"}
}

// newRunFlag names the run that a command makes, or goes on with.
func newRunFlag() cli.Flag {
	return &cli.StringFlag{Name: "run", Usage: "the run's `FOLDER`"}
}

// resumeFlag is for commands that can go on with what was stopped.
func resumeFlag() cli.Flag {
	return &cli.BoolFlag{Name: "resume", Usage: "go on with the run (the latest, or --run) from its last checkpoint"}
}

// startOrResume is the action of a command that has resumeFlag.
func startOrResume(start, resume cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Bool("resume") {
			return resume(c)
		}
		return start(c)
	}
}

// checkpointFlag chooses among the weights of a run.
func checkpointFlag() cli.Flag {
	return choice("checkpoint", "best or last", "", "best", "last").by("best if there is one")
}

// headerFlag says of files with labels what their first row is.
func headerFlag(files string) cli.Flag {
	return choice("header", "yes or no: whether the first row of "+files+" has the columns' names", "", "yes", "no").by("what the rows look like")
}

// encodingFlag is for commands that read texts.
func encodingFlag() cli.Flag {
	return &cli.StringFlag{Name: "encoding", Usage: "the character encoding `NAME` of the texts: gb18030, shift_jis, windows-1252, …", DefaultText: "utf-8"}
}

// readOptions are how the command line says that texts are read.
func readOptions(c *cli.Context) (data.Options, error) {
	o := data.Options{Encoding: c.String("encoding")}
	if err := data.CheckEncoding(o.Encoding); err != nil {
		return o, usageError{fmt.Errorf("--encoding: %w", err)}
	}
	return o, nil
}

// readTexts reads files as the command line says.
func readTexts(c *cli.Context, files []string) (data.Corpus, error) {
	o, err := readOptions(c)
	if err != nil {
		return data.Corpus{}, err
	}
	return data.Load(files, o)
}

// mostSeeds is the maximum number of repetitions, more than any mean needs.
const mostSeeds = 1000

// seedsFlag says how often a command repeats what it does, each time with another seed.
func seedsFlag(usage string, without int) cli.Flag {
	return &cli.IntFlag{Name: "seeds", Usage: usage, Value: without, Action: func(_ *cli.Context, n int) error {
		if n < 1 || n > mostSeeds {
			return usageError{fmt.Errorf("--seeds is %d: expected 1 to %d", n, mostSeeds)}
		}
		return nil
	}}
}
