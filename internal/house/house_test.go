package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// root is the project's folder, module what its import paths begin with.
const root, module = "../..", "tinygpt"

// source is a parsed file; folder is its path below root.
type source struct {
	folder, name string
	file         *ast.File
	set          *token.FileSet
}

// sources parses all Go files of the project's module.
func sources(t *testing.T) (list []source) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, err := os.Stat(filepath.Join(name, "go.mod"))
			if other := err == nil && name != root; other || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != root {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(name))
		list = append(list, source{filepath.ToSlash(folder), d.Name(), file, set})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Fatalf("%d Go files found: expected the whole project", len(list))
	}
	return list
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// TestImports checks that arrows between packages go one way: what is in study and cmd
// is used by study and cmd alone, and internal uses nothing of the project, apart from
// other packages of internal. Tests are no exception.
func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.file.Imports {
			imported, _ := strconv.Unquote(i.Path.Value)
			imported, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			from, _, _ := strings.Cut(s.folder, "/")
			to, _, _ := strings.Cut(imported, "/")
			switch {
			case to == "cmd" && from != "cmd", to == "study" && from != "study" && from != "cmd", from == "internal" && to != "internal":
				t.Errorf("%s/%s imports %s", s.folder, s.name, imported)
			}
		}
	}
}

// place is where a package is in the diagram of docs/architecture.md: a line, a group of names
// on it that arrows join, and the number of arrows before it.
type place struct{ line, group, arrows int }

// places reads the diagram: the place of each folder that it names.
func places(t *testing.T) map[string]place {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```")
	found := map[string]place{}
	for line, names := range strings.Split(blocks[1], "\n") {
		for group, names := range strings.Split(names, "    ") {
			before := ""
			for arrows, names := range strings.Split(names, "←") {
				for _, name := range strings.FieldsFunc(names, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",*", r) }) {
					name = strings.TrimSuffix(name, "/")
					for _, folder := range []string{name, path.Join(path.Dir(before), name)} { // "data/quiz, world"
						if _, err := os.Stat(filepath.Join(root, folder)); err == nil {
							found[folder] = place{line, group, arrows}
							before = folder
							break
						}
					}
				}
			}
		}
	}
	return found
}

// TestLayers checks that the packages use one another as the diagram of docs/architecture.md
// says.
func TestLayers(t *testing.T) {
	found := places(t)
	if len(found) < 20 {
		t.Fatalf("the diagram names %d folders: %v", len(found), found)
	}
	of := func(folder string) place {
		for f := folder; f != "."; f = path.Dir(f) {
			if p, ok := found[f]; ok {
				return p
			}
		}
		t.Errorf("%s isn't in the diagram", folder)
		return place{}
	}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		from := of(s.folder)
		for _, i := range s.file.Imports {
			imported, _ := strconv.Unquote(i.Path.Value)
			imported, ours := strings.CutPrefix(imported, module+"/")
			if !ours || strings.HasPrefix(imported, "internal/") {
				continue
			}
			to := of(imported)
			if to.line > from.line || to.line == from.line && (to.group != from.group || to.arrows > from.arrows) {
				t.Errorf("%s/%s imports %s, against the diagram", s.folder, s.name, imported)
			}
		}
	}
}

// TestConfigurations checks that configuration flows one way: a configuration is handed on by
// value, and whoever needs another one makes it of a copy. Only what reads one, by flags or by
// assignments like those of --set, has a pointer to it; and no field is set of a configuration
// that something else holds, apart from the shape that package model keeps of a model.
func TestConfigurations(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				reads := strings.HasPrefix(strings.ToLower(n.Name.Name), "set") || strings.HasPrefix(n.Name.Name, "read")
				for _, list := range []*ast.FieldList{n.Recv, n.Type.Params} {
					if list == nil || reads {
						continue
					}
					for _, f := range list.List {
						if star, ok := f.Type.(*ast.StarExpr); ok && nameOf(star.X) == "Config" {
							t.Errorf("%s: %s takes a pointer to a configuration", s.set.Position(f.Pos()), n.Name.Name)
						}
					}
				}
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					if held(left) && s.folder != "model" {
						t.Errorf("%s: a field of a configuration in use is set", s.set.Position(left.Pos()))
					}
				}
			}
			return true
		})
	}
}

// nameOf is the name of a type, without its package.
func nameOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

// held says whether an expression is a field of a configuration that is itself a field, such
// as run.Config.Model.
func held(x ast.Expr) bool {
	for {
		selector, ok := x.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		inner, ok := selector.X.(*ast.SelectorExpr)
		if ok && inner.Sel.Name == "Config" {
			return true
		}
		x = selector.X
	}
}

// TestPackageComments checks that each package says what it is, and only once.
func TestPackageComments(t *testing.T) {
	comments := map[string]int{}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		comments[s.folder] += 0
		if s.file.Doc != nil && !ast.IsGenerated(s.file) {
			comments[s.folder]++
			begin := "Package " + s.file.Name.Name + " "
			if text := s.file.Doc.Text(); s.file.Name.Name != "main" && !strings.HasPrefix(text, begin) {
				t.Errorf("%s/%s: the package's comment begins with %.30q: expected %q", s.folder, s.name, text, begin)
			}
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(comments)) {
		if n := comments[folder]; n != 1 {
			t.Errorf("%s has %d package comments: expected 1", folder, n)
		}
	}
}

// TestDocComments checks that a comment begins with the name that it documents, and
// that whatever is exported has one.
func TestDocComments(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || ast.IsGenerated(s.file) {
			continue
		}
		check := func(name *ast.Ident, doc *ast.CommentGroup, exported bool) {
			at := s.set.Position(name.Pos())
			place := path.Join(s.folder, s.name) + ":" + strconv.Itoa(at.Line)
			if doc == nil || doc.Text() == "" {
				if exported && name.IsExported() {
					t.Errorf("%s: %s has no comment", place, name.Name)
				}
				return
			}
			words := strings.Fields(doc.Text())
			if slices.Contains([]string{"A", "An", "The"}, words[0]) && len(words) > 1 {
				words = words[1:]
			}
			word := strings.TrimRight(words[0], ",.:;")
			misspelt := word != name.Name && strings.EqualFold(word, name.Name)
			if word, _, _ = strings.Cut(word, "'"); misspelt || name.IsExported() && exported && word != name.Name {
				t.Errorf("%s: the comment on %s begins with %q", place, name.Name, words[0])
			}
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				check(d.Name, d.Doc, receiverExported(d))
			case *ast.GenDecl:
				if d.Tok == token.IMPORT || d.Lparen.IsValid() {
					continue // a group has a comment of its own
				}
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						check(spec.Name, d.Doc, true)
						ast.Inspect(spec.Type, func(n ast.Node) bool {
							if f, ok := n.(*ast.Field); ok && len(f.Names) == 1 {
								check(f.Names[0], f.Doc, false)
							}
							return true
						})
					case *ast.ValueSpec:
						if len(spec.Names) == 1 {
							check(spec.Names[0], d.Doc, true)
						}
					}
				}
			}
		}
	}
}

// receiverExported says whether a function is one that other packages see: none of a
// method of an unexported type.
func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if p, ok := typ.(*ast.StarExpr); ok {
		typ = p.X
	}
	if i, ok := typ.(*ast.IndexExpr); ok {
		typ = i.X
	}
	name, ok := typ.(*ast.Ident)
	return ok && name.IsExported()
}

// TestCharacters checks that no text file of the project has a character for private use:
// what such a character looks like depends on the font, and most have none for it.
func TestCharacters(t *testing.T) {
	for path, text := range textFiles(t) {
		for i, line := range strings.Split(text, "\n") {
			for _, r := range line {
				if unicode.Is(unicode.Co, r) {
					t.Errorf("%s:%d has the private character %U", path, i+1, r)
				}
			}
		}
	}
}

// textFiles reads the project's files that are UTF-8 text, apart from test data.
func textFiles(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "testdata" || base == "runs" || base == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := d.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 {
			return err
		}
		text, err := os.ReadFile(name)
		if err == nil && utf8.Valid(text) {
			texts[filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestLibraries checks that bars are drawn in one place, and that no library whose bars
// depend on the font or the width comes back.
func TestLibraries(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.file.Imports {
			if imported, _ := strconv.Unquote(i.Path.Value); strings.Contains(imported, "progressbar") {
				t.Errorf("%s/%s imports %s: bars are internal/terminal's", s.folder, s.name, imported)
			}
		}
	}
}

// TestParsers checks that YAML is parsed in one place, where its size and depth are limited:
// the library needs minutes for 100 kB of brackets.
func TestParsers(t *testing.T) {
	for _, s := range sources(t) {
		if s.folder == "configs" || strings.HasSuffix(s.name, "_test.go") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if x, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := x.X.(*ast.Ident); ok && of.Name == "yaml" && (strings.HasPrefix(x.Sel.Name, "Unmarshal") || x.Sel.Name == "NewDecoder") {
					t.Errorf("%s/%s calls yaml.%s: configs.Decode and configs.Peek read YAML", s.folder, s.name, x.Sel.Name)
				}
			}
			return true
		})
	}
}
