package fewshot

import (
	"bytes"
	"path/filepath"

	"tinygpt/internal/atomicfile"
)

// Save writes the summary into a folder: table.md, points.json, and the pictures shots
// and sizes as SVG and PNG, whose SVGs are returned.
func (s *Summary) Save(dir string) (pictures []string, err error) {
	for name, format := range map[string]string{"table.md": "markdown", "points.json": "json"} {
		var b bytes.Buffer
		if err := s.Write(&b, format); err != nil {
			return nil, err
		}
		if err := atomicfile.WriteFile(filepath.Join(dir, name), b.Bytes()); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"shots", "sizes"} {
		draw := s.DrawShots
		if name == "sizes" {
			draw = s.DrawSizes
		}
		path := filepath.Join(dir, name)
		if err := draw(path + ".png"); err != nil {
			return nil, err
		}
		if err := draw(path + ".svg"); err != nil {
			return nil, err
		}
		pictures = append(pictures, path+".svg")
	}
	return pictures, nil
}
