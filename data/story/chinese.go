package story

import (
	"embed"
	"strings"
	"unicode/utf8"
)

//go:embed chinese/*.txt
var chineseFiles embed.FS

// Chinese is Mandarin in simplified characters.
var Chinese = newLanguage("zh", chineseFiles, "chinese", &speech{
	unspaced:     true,
	pronounForms: []string{"he", "boy"},
	pronouns: map[string][]string{
		"m": {"他", "男孩"},
		"f": {"她", "女孩"},
	},
	feelings: [2][]string{
		{"高兴", "自豪", "满意", "平静", "兴奋", "感激"},
		{"难过", "生气", "害怕", "惭愧", "孤单", "担心"},
	},
	sentences: chineseSentences,
	refer:     func(word string) string { return word },
	who:       func(thing string) string { return "最后" + thing + "在谁那里？" },
	where:     func(what string, _ Kind) string { return "最后" + what + "在哪里？" },
	feels:     func(person string) string { return "最后" + person + "的心情怎么样？" },
	why:       func(person, feeling string) string { return person + "为什么" + feeling + "？" },
	pairs: []pairs{
		{"food-ingredient", "food", "word", "part"},
		{"animal-home", "animal", "word", "home"},
		{"animal-cry", "animal", "word", "cry"},
		{"thing-measure", "thing", "word", "m"},
	},
})

// chineseSentences splits after 。！ and ？, with the closing quotation mark that follows.
func chineseSentences(text string) []Span {
	var out []Span
	start := 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		if r != '。' && r != '！' && r != '？' {
			continue
		}
		if strings.HasPrefix(text[i:], "”") {
			i += len("”")
		}
		out = append(out, Span{start, i})
		start = i
	}
	if start < len(text) {
		out = append(out, Span{start, len(text)})
	}
	return out
}
