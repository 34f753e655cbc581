package chart

import (
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// outline is a text as a path that begins at a point of its baseline. In an SVG picture it
// looks the same whatever fonts there are.
func outline(face font.Face, at vg.Point, text string) (path vg.Path) {
	var b sfnt.Buffer
	for _, r := range text {
		i, err := face.Face.GlyphIndex(&b, r)
		if err != nil {
			continue
		}
		// In units of the font, so that nothing is rounded.
		units := face.Face.UnitsPerEm()
		scale := face.Font.Size / vg.Length(units)
		segments, err := face.Face.LoadGlyph(&b, i, fixed.I(int(units)), nil)
		if err != nil {
			continue
		}
		point := func(p fixed.Point26_6) vg.Point {
			return at.Add(vg.Point{X: vg.Length(p.X) / 64 * scale, Y: -vg.Length(p.Y) / 64 * scale})
		}
		for n, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if n > 0 {
					path.Close()
				}
				path.Move(point(s.Args[0]))
			case sfnt.SegmentOpLineTo:
				path.Line(point(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(point(s.Args[0]), point(s.Args[1]))
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(point(s.Args[0]), point(s.Args[1]), point(s.Args[2]))
			}
		}
		if len(segments) > 0 {
			path.Close()
		}
		at.X += face.Width(string(r))
	}
	return path
}
