package ladder

import (
	"fmt"

	"tinygpt/model"
)

// Shape is the size of a model of the ladder.
type Shape struct {
	Layers int `json:"layers"`
	Width  int `json:"width"`
	Heads  int `json:"heads"`
}

// shapeAt returns the shape of a model with that many layers by GPT-2's rule of depth and
// width, scaled down: a layer for each twelve of GPT-2, a head for each four, and heads of
// headWidth columns where GPT-2's have 64. GPT-2's models of 12, 24 and 36 layers follow
//
//	heads = 4 · (layers/12 + 2), width = 64 · heads
//
// and that of 48 layers has one head more (Radford et al. 2019, table 2).
func shapeAt(layers, headWidth int) Shape {
	heads := layers + 2
	return Shape{layers, heads * headWidth, heads}
}

// maxLayers bounds the layers of a shape, and with them its width.
const maxLayers = 1000

// ShapesAt returns the shapes of models with these numbers of layers, which must rise from 1
// to 1000.
func ShapesAt(layers []int, headWidth int) (shapes []Shape, err error) {
	for i, n := range layers {
		if n < 1 || n > maxLayers || i > 0 && n <= layers[i-1] {
			return nil, fmt.Errorf("layers %v: expected numbers from 1 to %d that rise", layers, maxLayers)
		}
		shapes = append(shapes, shapeAt(n, headWidth))
	}
	return shapes, nil
}

// Of returns c with that shape.
func (s Shape) Of(c model.Config) model.Config {
	c.Layers, c.Width, c.Heads = s.Layers, s.Width, s.Heads
	return c
}

// String returns layers × width.
func (s Shape) String() string { return fmt.Sprintf("%d × %d", s.Layers, s.Width) }
