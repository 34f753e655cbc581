package align

import (
	"embed"
	"io/fs"

	"tinygpt/configs"
)

//go:embed *.yaml
var presets embed.FS

// PresetFiles has the embedded configurations.
func PresetFiles() fs.FS { return presets }

// Presets lists the embedded configurations.
func Presets() []string {
	names, _ := fs.Glob(presets, "*.yaml")
	return names
}

// Load reads the configuration of that name over Default: of the file if there is one,
// else of the preset. source says in words which it was.
func Load(name string) (c Config, source string, err error) {
	c = Default()
	text, source, err := configs.Find(presets, name)
	if err == nil {
		err = configs.Decode(text, name, &c)
	}
	return c, source, err
}
