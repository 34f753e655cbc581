package fewshot

import (
	"bytes"
	"encoding/json"
	"path/filepath"

	"tinygpt/internal/atomicfile"
)

// Save writes the summary into a folder: table.md, points.json, and the pictures shots and sizes
// as SVG and PNG. It returns the paths of the SVG ones.
func (s *Summary) Save(dir string) (pictures []string, err error) {
	var table bytes.Buffer
	if err := s.Write(&table, "markdown"); err != nil {
		return nil, err
	}
	points, err := json.MarshalIndent(s.points, "", "  ")
	if err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{"table.md": table.Bytes(), "points.json": append(points, '\n')} {
		if err := atomicfile.WriteFile(filepath.Join(dir, name), text); err != nil {
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
