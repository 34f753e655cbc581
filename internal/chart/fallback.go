package chart

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Font has the letters of European languages. Chinese is drawn with a font that is built in,
// other characters with fonts that are found on the computer. In an SVG picture such
// characters are outlines, since the program that shows it may have no font for them.

func init() { plot.DefaultTextHandler = handler{text.Plain{Fonts: font.DefaultCache}} }

// handler is gonum's plain text with a fallback font for characters that Font lacks.
type handler struct{ text.Plain }

// part is a piece of a text that one font has.
type part struct {
	text string
	face font.Face
}

// parts divides a line by the fonts that have its characters.
func (h handler) parts(line string, f font.Font) (list []part) {
	main := h.Fonts.Lookup(f, f.Size)
	begin := 0 // of the last part
	for i, r := range line {
		face := main
		if !has(main.Face, r) {
			if other, ok := fallback(r); ok {
				face = h.Fonts.Lookup(other, f.Size)
			}
		}
		if n := len(list); n > 0 && list[n-1].face == face {
			list[n-1].text = line[begin : i+utf8.RuneLen(r)]
			continue
		}
		begin = i
		list = append(list, part{line[i : i+utf8.RuneLen(r)], face})
	}
	return list
}

// width returns the width of a line.
func (h handler) width(line string, f font.Font) (w vg.Length) {
	for _, p := range h.parts(line, f) {
		w += p.face.Width(p.text)
	}
	return w
}

// longest is more bytes of text than a picture has room for.
const longest = 2000

// legible returns a text without what is more than longest, and without bytes that are no
// characters.
func legible(txt string) string {
	if len(txt) > longest {
		txt = txt[:longest] + "…"
	}
	return strings.ToValidUTF8(txt, "\ufffd")
}

// Box implements text.Handler.
func (h handler) Box(txt string, f font.Font) (width, height, depth vg.Length) {
	txt = legible(txt)
	_, height, depth = h.Plain.Box(txt, f)
	return h.width(txt, f), height, depth
}

// Draw implements text.Handler.
func (h handler) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	txt = strings.TrimRight(legible(txt), "\n")
	if txt == "" {
		return
	}
	svg := isSVG(c)
	main := h.Fonts.Lookup(sty.Font, sty.Font.Size)
	c.SetColor(sty.Color)
	if sty.Rotation != 0 {
		c.Push()
		defer c.Pop()
		c.Rotate(sty.Rotation)
	}
	sin, cos := math.Sincos(sty.Rotation)
	pt.X, pt.Y = pt.Y*vg.Length(sin)+pt.X*vg.Length(cos), pt.Y*vg.Length(cos)-pt.X*vg.Length(sin)
	lines := h.Lines(txt)
	pt.Y += sty.Height(txt)*vg.Length(sty.YAlign) - main.Extents().Ascent
	for i, line := range lines {
		at := pt.Add(vg.Point{X: vg.Length(sty.XAlign) * h.width(line, sty.Font), Y: vg.Length(len(lines)-i) * sty.Font.Size})
		for _, p := range h.parts(line, sty.Font) {
			switch {
			case svg && p.face != main:
				c.Fill(outline(p.face, at, p.text))
			case svg: // which leaves out spaces at the ends
				inner := strings.TrimLeft(p.text, " ")
				start := at.Add(vg.Point{X: p.face.Width(p.text) - p.face.Width(inner)})
				if inner = strings.TrimRight(inner, " "); inner != "" {
					c.FillString(p.face, start, inner)
				}
			default:
				c.FillString(p.face, at, p.text)
			}
			at.X += p.face.Width(p.text)
		}
	}
}

// isSVG says whether a canvas, or the one that it is a part of, is an SVG picture.
func isSVG(c vg.Canvas) bool {
	switch c := c.(type) {
	case *draw.Canvas:
		return isSVG(c.Canvas)
	case draw.Canvas:
		return isSVG(c.Canvas)
	case *vgsvg.Canvas:
		return true
	}
	return false
}

// Unreadable names the characters of texts that no font here has: in a picture they are
// blank. It is empty if there are none.
func Unreadable(texts ...string) string {
	main := font.DefaultCache.Lookup(Font, 12)
	var missing []string
	seen := map[rune]bool{}
	for _, t := range texts {
		for _, r := range t {
			if seen[r] || has(main.Face, r) || r < ' ' {
				continue
			}
			seen[r] = true
			if _, ok := fallback(r); !ok {
				missing = append(missing, string(r))
			}
		}
	}
	const shown = 12
	if len(missing) > shown {
		return fmt.Sprintf("%s … (%d in all)", strings.Join(missing[:shown], ""), len(missing))
	}
	return strings.Join(missing, "")
}

// has says whether a font has a glyph for the character.
func has(f *opentype.Font, r rune) bool {
	var b sfnt.Buffer
	i, err := f.GlyphIndex(&b, r)
	return err == nil && i != 0
}

// fallbackFonts are the fonts that were needed so far, and the files of which none was.
type fallbackFonts struct {
	sync.Mutex
	fonts  []font.Font
	known  map[rune]int // index in fonts, or -1
	listed bool
	unused []string
}

var fallbacks fallbackFonts

// add makes a font usable.
func (s *fallbackFonts) add(f *opentype.Font) {
	name := font.Font{Typeface: font.Typeface(fmt.Sprintf("fallback %d", len(s.fonts))), Variant: "Sans"}
	font.DefaultCache.Add(font.Collection{{Font: name, Face: f}})
	s.fonts = append(s.fonts, name)
}

//go:embed font/NotoSansSC.ttf.gz
var chineseFont []byte

// chinese is the font for Chinese that is built in; see font/README.md.
func chinese() *opentype.Font {
	z, err := gzip.NewReader(bytes.NewReader(chineseFont))
	if err != nil {
		return nil
	}
	content, err := io.ReadAll(z)
	if err != nil {
		return nil
	}
	f, err := opentype.Parse(content)
	if err != nil {
		return nil
	}
	return f
}

// fallback returns a font that has the character: the built-in one, or one of the computer's.
func fallback(r rune) (font.Font, bool) {
	s := &fallbacks
	s.Lock()
	defer s.Unlock()
	if s.known == nil {
		s.known = map[rune]int{}
	}
	i, ok := s.known[r]
	if !ok {
		i = find(r)
		s.known[r] = i
	}
	if i < 0 {
		return font.Font{}, false
	}
	return s.fonts[i], true
}

// find looks for a character in the fonts that are in use, then in the other files.
func find(r rune) int {
	s := &fallbacks
	for i, f := range s.fonts {
		if face := font.DefaultCache.Lookup(f, 12); has(face.Face, r) {
			return i
		}
	}
	if len(s.fonts) == 0 {
		if f := chinese(); f != nil {
			s.add(f)
			if has(f, r) {
				return 0
			}
		}
	}
	if !s.listed {
		s.unused, s.listed = fontFiles(), true
	}
	for i, path := range s.unused {
		f := parse(path)
		if f == nil || !has(f, r) {
			continue
		}
		s.add(f)
		s.unused = slices.Delete(s.unused, i, i+1)
		return len(s.fonts) - 1
	}
	return -1
}

// parse reads a font, or the first one of a collection; nil if it can't be read.
func parse(path string) *opentype.Font {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	if c, err := opentype.ParseCollection(content); err == nil && c.NumFonts() > 0 {
		if f, err := c.Font(0); err == nil {
			return f
		}
	}
	return nil
}

// preferred are parts of the names of fonts with many scripts, the best first.
var preferred = []string{
	"notosanscjk", "notosanssc", "notosanstc", "notosansjp", "notosanskr", "sourcehansans", "pingfang", "hiragino", "msyh", "yahei", "simhei", "wqy", "droidsansfallback",
	"stheiti", "yugoth", "msgothic", "malgun", "applesdgothic", "arialunicode", "arial unicode", "notosans", "dejavusans", "freesans", "unifont",
}

// maxFonts is the number of font files that are looked into.
const maxFonts = 400

// fontFiles lists the font files of the computer, preferred ones first.
func fontFiles() (files []string) {
	for _, dir := range fontFolders() {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // a folder that can't be read has no fonts for us
			}
			if ending := strings.ToLower(filepath.Ext(path)); ending == ".ttf" || ending == ".otf" || ending == ".ttc" || ending == ".otc" {
				files = append(files, path)
			}
			return nil
		})
	}
	rank := func(path string) int {
		name := strings.ToLower(filepath.Base(path))
		for i, p := range preferred {
			if strings.Contains(name, p) {
				return i
			}
		}
		return len(preferred)
	}
	// Of a family the plainest, which has the shortest name.
	slices.SortFunc(files, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(filepath.Base(a)), len(filepath.Base(b))), cmp.Compare(a, b))
	})
	return files[:min(len(files), maxFonts)]
}

// fontFolders are where the system and its user keep fonts.
func fontFolders() []string {
	home, _ := os.UserHomeDir()
	switch runtime.GOOS {
	case "windows":
		return []string{filepath.Join(os.Getenv("WINDIR"), "Fonts"), filepath.Join(os.Getenv("LOCALAPPDATA"), "Microsoft", "Windows", "Fonts")}
	case "darwin":
		return []string{"/System/Library/Fonts", "/Library/Fonts", filepath.Join(home, "Library", "Fonts")}
	}
	return []string{filepath.Join(home, ".fonts"), filepath.Join(home, ".local", "share", "fonts"), "/usr/share/fonts", "/usr/local/share/fonts"}
}
