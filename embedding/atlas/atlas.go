// Package atlas draws words at their places in a plane: as an SVG picture whose labels
// don't overlap, and as an HTML page to search and zoom in, which needs no network.
package atlas

import (
	"math"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"tinygpt/embedding/project"
	"tinygpt/internal/chart"
)

// Map is a map of words: what WriteSVG and WriteHTML draw.
type Map struct {
	Title string
	// Note is a line below the title that says how the places were computed.
	Note string
	// Words are in order of importance: of labels that would overlap, the first is kept.
	Words []Word
	// Lines join words by their numbers, like a country and its capital.
	Lines [][2]int
	// Groups are the names of the words' groups; each group has its colour.
	Groups []string
}

// Word is a word at its place.
type Word struct {
	Text  string
	Place project.Point
	// Group is the index of the word's group in Map.Groups; −1: none.
	Group int
	// Count is how often it occurs in the training text, 0 if unknown.
	Count int64
	// Near are its nearest words by cosine, drawn or not, best first.
	Near []Neighbour
}

// Neighbour is a near word and its cosine.
type Neighbour struct {
	Text   string  `json:"text"`
	Cosine float64 `json:"cosine"`
}

// Families are the fonts of labels: those of all pictures, then what Linux, Windows and
// macOS have for Chinese, Japanese and Korean.
const Families = chart.Families + ",'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','Hiragino Sans GB','WenQuanYi Micro Hei','Malgun Gothic','Meiryo'"

// color returns a group's colour as #rrggbb.
func color(group int) string {
	if group < 0 {
		return hex(chart.Blue.R, chart.Blue.G, chart.Blue.B)
	}
	c := chart.Colors[group%len(chart.Colors)]
	return hex(c.R, c.G, c.B)
}

func hex(parts ...uint8) string {
	const digits = "0123456789abcdef"
	s := []byte{'#'}
	for _, p := range parts {
		s = append(s, digits[p>>4], digits[p&15])
	}
	return string(s)
}

// visible returns text as a picture can show it: U+FFFD replaces what isn't UTF-8 or can't
// be seen, like control characters and marks that turn the direction of writing; a text with
// blanks at its ends is put in quotation marks.
func visible(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8Error || unicode.Is(unicode.C, r) || r == '\u2028' || r == '\u2029' {
			return utf8Error
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8Error)))
	if trimmed := strings.TrimSpace(text); trimmed != text || text == "" {
		return "“" + text + "”"
	}
	return text
}

const utf8Error = '\ufffd'

// width returns the width of a label in ems. Characters that the typeface lacks are taken to
// be one em wide if they are full-width, else 0.65 em.
func width(text string) float64 {
	var sum float64
	for _, r := range text {
		switch {
		case r < 0x250: // Latin, which Liberation Sans has
			sum += chart.TextWidth(string(r), 1, false)
		case uniseg.StringWidth(string(r)) == 2:
			sum++
		case uniseg.StringWidth(string(r)) == 0:
		default:
			sum += 0.65
		}
	}
	return sum
}

// frame maps places to a picture of the given size, with the same scale along both axes.
type frame struct{ scale, x, y float64 }

// fit returns the frame that maps the words' places into a rectangle as large as possible.
func fit(words []Word, left, top, width, height float64) frame {
	low, high := project.Point{X: math.Inf(1), Y: math.Inf(1)}, project.Point{X: math.Inf(-1), Y: math.Inf(-1)}
	for _, w := range words {
		low.X, low.Y = min(low.X, w.Place.X), min(low.Y, w.Place.Y)
		high.X, high.Y = max(high.X, w.Place.X), max(high.Y, w.Place.Y)
	}
	scale := min(width/max(high.X-low.X, 1e-9), height/max(high.Y-low.Y, 1e-9))
	return frame{scale, left + width/2 - scale*(low.X+high.X)/2, top + height/2 + scale*(low.Y+high.Y)/2}
}

// at returns where a place is in the picture, whose y grows downwards.
func (f frame) at(p project.Point) (x, y float64) { return f.x + f.scale*p.X, f.y - f.scale*p.Y }
