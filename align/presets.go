package align

import (
	"embed"
	"io/fs"

	"tinygpt/configs"
)

//go:embed *.yaml
var presets embed.FS

// PresetFiles returns the configurations of alignment that come with the program.
func PresetFiles() fs.FS { return presets }

// Presets lists the files of PresetFiles.
func Presets() []string {
	names, _ := fs.Glob(presets, "*.yaml")
	return names
}

// Load reads the configuration of that name, a file or else a preset; keys that it doesn't have
// are as in Default. source says in words which of the two it was.
func Load(name string) (c Config, source string, err error) {
	c = Default()
	text, source, err := configs.Find(presets, name)
	if err == nil {
		err = configs.Decode(text, name, &c)
	}
	return c, source, err
}
