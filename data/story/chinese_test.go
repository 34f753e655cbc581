package story

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The text is of Chinese characters and Chinese punctuation, without spaces; quotation
// marks come in pairs, nobody is of both sexes, and nothing that the pieces of the grammar
// could form at their seams is wrong.
func TestChinese(t *testing.T) {
	for i := range 3000 {
		s := Chinese.Generate(3, i)
		for _, r := range s.Text {
			if !unicode.Is(unicode.Han, r) && !strings.ContainsRune("，。！？：、“”‘’", r) {
				t.Fatalf("story %d holds %q:\n%s", i, r, s.Text)
			}
		}
		for _, wrong := range []string{"，，", "。。", "，。", "。，", "、、", "的的", "了了", "在在", "一一", "个个", "她他", "他她", "和和", "“”", "：。", "里里"} {
			if strings.Contains(s.Text, wrong) {
				t.Errorf("story %d holds %q:\n%s", i, wrong, s.Text)
			}
		}
		if strings.Count(s.Text, "“") != strings.Count(s.Text, "”") || !strings.HasSuffix(strings.TrimSuffix(s.Text, "”"), "。") {
			t.Errorf("story %d: quotation marks, or its end:\n%s", i, s.Text)
		}
		if len(s.Text) < 120 || len(s.Text) > 1500 {
			t.Errorf("story %d is %d bytes", i, len(s.Text))
		}
	}
}

// Each name has the pronoun of its sex, in the first sentence that has both.
func TestChinesePronouns(t *testing.T) {
	names, sexes := Chinese.Words("person", "word"), Chinese.Words("person", "sex")
	checked := 0
	for i := range 2000 {
		s := Chinese.Generate(5, i)
		l := s.Labels()
		sex := sexes[slices.Index(names, l.Hero)]
		first := s.Text[l.Sentences[0].Start:l.Sentences[0].End]
		for noun, of := range map[string]string{"男孩": "m", "女孩": "f", "他": "m", "她": "f"} {
			if strings.Contains(first, noun) {
				checked++
				if sex != of {
					t.Errorf("story %d: %s in %q", i, noun, first)
				}
			}
		}
	}
	if checked < 1000 {
		t.Errorf("only %d sentences have a pronoun", checked)
	}
}

// Words divide the text and leave nothing out.
func TestWords(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		for i := range 500 {
			s := lang.Generate(6, i)
			var joined strings.Builder
			end := 0
			for _, w := range s.Words() {
				if w.Start < end || w.End <= w.Start || strings.TrimSpace(s.Text[end:w.Start]) != "" {
					t.Fatalf("story %d: word %v after %d", i, w, end)
				}
				joined.WriteString(s.Text[w.Start:w.End])
				end = w.End
			}
			if want := strings.ReplaceAll(s.Text, " ", ""); joined.String() != strings.ReplaceAll(want, "\n", "") {
				t.Fatalf("story %d: %q, want %q", i, joined.String(), want)
			}
		}
	})
	s := Chinese.Generate(1, 0)
	var words []string
	for _, w := range s.Words()[:7] {
		words = append(words, s.Text[w.Start:w.End])
	}
	if got := strings.Join(words, " "); got != "在 山谷 里 的 石头 房子 里" {
		t.Errorf("%q begins with the words %q", s.Text, got)
	}
}

func TestChineseSentences(t *testing.T) {
	text := "小明问：“在哪里？”没有人回答。“快看！”她说“好”。完"
	var got []string
	for _, s := range chineseSentences(text) {
		got = append(got, text[s.Start:s.End])
	}
	want := []string{"小明问：“在哪里？”", "没有人回答。", "“快看！”", "她说“好”。", "完"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A question in Chinese, and where its answer comes from.
func TestChineseQuestions(t *testing.T) {
	seen := map[QuestionKind]bool{}
	for i := range 300 {
		for _, q := range Chinese.Generate(8, i).Labels().Questions {
			seen[q.Kind] = true
			end := map[QuestionKind]string{Who: "在谁那里？", Where: "在哪里？", Feels: "的心情怎么样？", Why: "？"}[q.Kind]
			if !strings.HasSuffix(q.Text, end) || strings.Contains(q.Text+q.Answer, " ") {
				t.Errorf("%+v", q)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("kinds of questions: %v", seen)
	}
}
