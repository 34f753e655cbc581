package commands

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"tinygpt/internal/expect"
)

// courseFolder has the pages of the course, and chineseFolder the same in Chinese.
var (
	courseFolder  = filepath.Join("..", "..", "docs", "lecture")
	chineseFolder = filepath.Join(courseFolder, "zh")
)

// The course says the same in both languages: each page has its twin, to which its switch
// leads, with blocks of the same kinds, the same commands, formulas and files.
func TestCourseLanguages(t *testing.T) {
	pages := namesOf(t, courseFolder)
	if chinese := namesOf(t, chineseFolder); !slices.Equal(pages, chinese) {
		t.Fatalf("pages in English %q, in Chinese %q", pages, chinese)
	}
	for _, name := range pages {
		t.Run(name, func(t *testing.T) {
			english, chinese := pageText(t, courseFolder, name), pageText(t, chineseFolder, name)
			if want := "English · [中文](zh/" + name + ")"; !strings.Contains(firstLines(english), want) {
				t.Errorf("the English page has no switch %q", want)
			}
			if want := "[English](../" + name + ") · 中文"; !strings.Contains(firstLines(chinese), want) {
				t.Errorf("the Chinese page has no switch %q", want)
			}
			for _, c := range []struct {
				what string
				of   func(string) []string
			}{
				{"blocks", blockKinds},
				{"commands", neutralCommands},
				{"formulas", formulas},
				{"files", filesOf},
			} {
				e, z := c.of(english), c.of(chinese)
				for i := range max(len(e), len(z)) {
					if i >= len(e) || i >= len(z) || e[i] != z[i] {
						t.Errorf("%s differ from number %d on:\n%q\n%q", c.what, i+1, e[min(i, len(e)):], z[min(i, len(z)):])
						break
					}
				}
			}
		})
	}
}

func namesOf(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal("no pages in ", folder)
	}
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

func pageText(t *testing.T, folder, name string) string {
	t.Helper()
	text := expect.File(t, folder, name)
	return string(text)
}

func firstLines(page string) string {
	lines := strings.SplitN(page, "\n", 5)
	return strings.Join(lines[:min(4, len(lines))], "\n")
}

// blockKinds are what the blocks of a page are marked as, in order.
func blockKinds(page string) (kinds []string) {
	open := false
	for _, line := range strings.Split(page, "\n") {
		if kind, ok := strings.CutPrefix(strings.TrimSpace(line), "```"); ok {
			if open = !open; open {
				kinds = append(kinds, "```"+kind)
			}
		}
	}
	return kinds
}

// neutralCommands are the commands of a page without what may differ by language: the
// preset and the run that begin with it, and words in quotation marks or in Chinese, of
// which their number counts.
func neutralCommands(page string) (commands []string) {
	quoted := regexp.MustCompile(`"[^"]*"|'[^']*'`)
	for _, command := range commandsOf(page) {
		command = quoted.ReplaceAllStringFunc(command, func(text string) string {
			if strings.Contains(text, "=") {
				return text // a setting
			}
			return "TEXT"
		})
		command = strings.ReplaceAll(command, " --language zh", "")
		command = strings.ReplaceAll(command, "-zh", "")
		words := strings.Fields(command)
		for i, w := range words {
			if strings.ContainsFunc(w, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || slices.Contains(examples, w) {
				words[i] = "TEXT"
			}
		}
		commands = append(commands, strings.Join(words, " "))
	}
	return commands
}

// examples are words of the English pages' commands without quotation marks.
var examples = []string{"cake", "dog", "barked", "cat", "kitchen"}

// formulas are those that stand alone, but for the words in them.
func formulas(page string) (all []string) {
	words := regexp.MustCompile(`\\text\{[^}]*\}`)
	for i, part := range strings.Split(page, "$$") {
		if i%2 == 1 {
			all = append(all, words.ReplaceAllString(part, `\text`))
		}
	}
	return all
}

// filesOf are the files that a page links to, each once, in alphabetical order.
func filesOf(page string) []string {
	links := regexp.MustCompile(`\]\((?:\.\./)+([a-z][^)#]*)\)`)
	var files []string
	for _, m := range links.FindAllStringSubmatch(page, -1) {
		if f := m[1]; filepath.Ext(f) != ".md" {
			files = append(files, f)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}
