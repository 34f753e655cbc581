package ladder

import (
	"fmt"
	"math"

	"tinygpt/model"
)

// Shape is the size of a model of the ladder.
type Shape struct {
	Layers int `json:"layers" yaml:"layers"`
	Width  int `json:"width" yaml:"width"`
	Heads  int `json:"heads" yaml:"heads"`
}

// headWidth is the columns of a head: GPT-2 has 64 in all of its models, these have a
// quarter of that.
const headWidth = 16

// ShapeAt is the shape of that many layers by GPT-2's rule of depth and width, scaled
// down. GPT-2's models of 12, 24 and 36 layers lie on a line,
//
//	D = 64/3 · (L + 24)
//
// and the one of 48 layers is 4 % wider (Radford et al. 2019, table 2). Scaled by 1/24
// in both directions it is D = 64/3 · (L + 1), rounded to whole heads.
func ShapeAt(layers int) Shape {
	heads := int(math.Round(64.0 / 3 * float64(layers+1) / headWidth))
	return Shape{layers, heads * headWidth, heads}
}

// Of is c in that shape.
func (s Shape) Of(c model.Config) model.Config {
	c.Layers, c.Width, c.Heads = s.Layers, s.Width, s.Heads
	return c
}

// String is layers × width.
func (s Shape) String() string { return fmt.Sprintf("%d × %d", s.Layers, s.Width) }
