// Package manual explains the settings of every kind of configuration. What it says of a
// setting is the comment on the field in the source that holds it, which the generator in
// generate collects.
package manual

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"tinygpt/align"
	"tinygpt/configs"
	"tinygpt/embedding/training"
	"tinygpt/embedding/transfer"
	"tinygpt/internal/shell"
	"tinygpt/internal/userfile"
)

//go:generate go run ./generate

// Kind is a kind of configuration.
type Kind struct {
	// Name says what is configured, Command what takes such a configuration.
	Name, Command string
	// Default returns a pointer to the settings that a file's keys are laid over.
	Default func() any
	// Presets are the embedded configurations of this kind.
	Presets []string

	files fs.FS
	// decode lays a text over what Default returns.
	decode func(text []byte, name string) (any, error)
	// has says whether a key, like "train.steps", is a setting of this kind; nil: all are.
	has func(key string) bool
}

// Kinds lists the kinds of configurations.
func Kinds() []*Kind {
	tasks := configs.Finetuning()
	texts := slices.DeleteFunc(configs.Presets(), func(name string) bool { return slices.Contains(tasks, name) })
	whole := func(text []byte, name string) (any, error) {
		c, err := configs.Parse(text, name)
		return &c, err
	}
	return []*Kind{{
		Name: "a language model", Command: "train", Presets: texts, files: configs.PresetFiles(), decode: whole,
		Default: func() any { c := configs.Default(); return &c },
		has:     func(key string) bool { return !strings.HasPrefix(key, "finetune.") },
	}, {
		Name: "a fine-tuning", Command: "finetune", Presets: tasks, files: configs.PresetFiles(), decode: whole,
		Default: func() any { c := configs.DefaultFinetune(); return &c },
		has:     configs.OfFinetuning,
	}, {
		Name: "word vectors", Command: "vectors train", Presets: training.PresetNames(), files: training.Presets,
		Default: func() any { c := training.Default(); return &c },
		decode: func(text []byte, name string) (any, error) {
			c := training.Default()
			return &c, configs.Decode(text, name, &c)
		},
	}, {
		Name: "names found with word vectors", Command: "vectors ner",
		Default: func() any { return &transfer.File{NER: transfer.Default()} },
		decode: func(text []byte, name string) (any, error) {
			c := transfer.File{NER: transfer.Default()}
			return &c, configs.Decode(text, name, &c)
		},
	}, {
		Name: "an alignment", Command: "align", Presets: align.Presets(), files: align.PresetFiles(),
		Default: func() any { c := align.Default(); return &c },
		decode: func(text []byte, name string) (any, error) {
			c := align.Default()
			return &c, configs.Decode(text, name, &c)
		},
	}}
}

// Presets lists the embedded configurations of all kinds.
func Presets() (names []string) {
	for _, k := range Kinds() {
		names = append(names, k.Presets...)
	}
	return names
}

// Load reads the configuration of that name: that of a run's folder, a file, or a preset.
// It returns a pointer to the settings.
func Load(name string) (*Kind, any, error) {
	path := name
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		path = filepath.Join(name, "config.yaml")
	}
	kinds := Kinds()
	text, err := userfile.Read(path)
	if err == nil {
		k := kindOf(kinds, text)
		config, err := k.decode(text, path)
		return k, config, err
	}
	if path != name || !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for _, k := range kinds {
		if !slices.Contains(k.Presets, name) {
			continue
		}
		text, err := fs.ReadFile(k.files, name)
		if err != nil {
			return nil, nil, err
		}
		config, err := k.decode(text, name)
		return k, config, err
	}
	return nil, nil, configs.NoConfiguration(name, Presets())
}

// CheckKind says for which command the configuration of that name is, a preset or a file,
// if it is for none of those named. What can't be read is left to them.
func CheckKind(name string, commands ...string) error {
	kinds := Kinds()
	var is *Kind
	if text, err := userfile.ReadRegularUpTo(name, configs.MaxSize); err == nil { // a pipe is read once
		is = mainKind(kinds, text)
	} else if i := slices.IndexFunc(kinds, func(k *Kind) bool { return slices.Contains(k.Presets, name) }); i >= 0 {
		is = kinds[i]
	}
	if is == nil || slices.Contains(commands, is.Command) {
		return nil
	}
	command := is.Command
	if command == "align" {
		command = "align all"
	}
	return fmt.Errorf("%s configures %s: did you mean `%s`?", name, is.Name, shell.Command(append([]string{"gpt"}, append(strings.Fields(command), "--config", name)...)...))
}

// mainKind returns the only kind that a file's sections are for; nil if several could be.
func mainKind(kinds []*Kind, text []byte) *Kind {
	var sections map[string]any
	if configs.Peek(text, "", &sections) != nil {
		return nil
	}
	k := kindOf(kinds, text)
	if _, own := sections["tokenizer"]; own && k.Command == "finetune" {
		return nil // it has all that a language model needs, too
	}
	if k == kinds[0] && sections["model"] == nil && sections["tokenizer"] == nil && sections["train"] == nil {
		return nil
	}
	return k
}

// kindOf returns the kind of a text's configuration: the one whose sections it has.
func kindOf(kinds []*Kind, text []byte) *Kind {
	var sections map[string]any
	if configs.Peek(text, "", &sections) != nil {
		return kinds[0] // which says what is wrong with it
	}
	if _, tuned := sections["finetune"]; tuned {
		return kinds[1]
	}
	for _, k := range kinds[2:] {
		for _, f := range configs.Fields(reflect.TypeOf(k.Default()).Elem()) {
			if _, has := sections[configs.Tag(f)]; has && configs.Tag(f) != "data" {
				return k
			}
		}
	}
	return kinds[0]
}
