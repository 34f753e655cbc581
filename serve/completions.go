package serve

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// completion is the answer of /v1/completions, or a chunk of it.
type completion struct {
	ID          string             `json:"id"`
	Object      string             `json:"object"`
	Created     int64              `json:"created"`
	Model       string             `json:"model"`
	Fingerprint string             `json:"system_fingerprint"`
	Choices     []completionChoice `json:"choices"`
	Usage       any                `json:"usage,omitempty"`
}

type completionChoice struct {
	Index        int                 `json:"index"`
	Text         string              `json:"text"`
	LogProbs     *completionLogProbs `json:"logprobs"`
	FinishReason *string             `json:"finish_reason"`
	Steps        []*sample.View      `json:"steps,omitempty"` // ours; see "candidates"
}

type completionLogProbs struct {
	Tokens        []string             `json:"tokens"`
	TokenLogProbs []*float64           `json:"token_logprobs"`
	TopLogProbs   []map[string]float64 `json:"top_logprobs"`
	TextOffset    []int                `json:"text_offset"` // in characters, from the start of the text
}

// unsupportedCompletion is for this endpoint what unsupportedChat is for the other.
var unsupportedCompletion = map[string][]string{
	"suffix": {`""`}, "messages": nil, "tools": {"[]"}, "response_format": {`{"type":"text"}`, `{"type": "text"}`},
}

// completions answers /v1/completions.
func (s *Server) completions(w http.ResponseWriter, r *http.Request) *apiError {
	f, err := s.fieldsOf(r)
	if err != nil {
		return err
	}
	g := s.generationOf(f)
	g.logProbs = f.has("logprobs")
	g.top = int(f.whole("logprobs", 0, 0, maxLegacyTop))
	echo := f.boolean("echo", false)
	bestOf := int(f.whole("best_of", int64(g.n), 1, maxBestOf))
	if f.has("best_of") && bestOf < g.n {
		f.fail(invalid("best_of", "best_of is %d: expected n (%d) or more", bestOf, g.n))
	}
	if g.stream && bestOf > g.n {
		f.fail(invalid("best_of", "best_of can't be streamed, since the best texts are known only at the end: leave out stream or best_of"))
	}
	f.refuse(unsupportedCompletion)
	if f.err == nil && !g.model.generates() {
		f.fail(invalid("model", "the model %q gives rewards and no texts", g.model.Name))
	}
	prompts := promptsOf(f, g.model)
	if len(prompts) > maxChoices/bestOf {
		f.fail(invalid("prompt", "%d prompts with %d texts each are asked for: expected up to %d texts", len(prompts), bestOf, maxChoices))
	}
	asked := int(f.whole("max_tokens", -1, 0, 1<<31))
	if asked == 0 && !echo {
		f.fail(invalid("max_tokens", "max_tokens is 0: expected 1 or more, or echo: true"))
	}
	var requests []sample.Request
	var trackers []*echoTracker
	for i, p := range prompts {
		if f.err != nil {
			break // before memory is taken for many texts
		}
		if asked == 0 {
			g.budget(f, "prompt", 1, len(p.ids)-1, 0) // a token is drawn and left out
		} else {
			g.budget(f, "prompt", asked, len(p.ids), defaultMaxToken)
		}
		list := g.requests(p.ids, bestOf, i*bestOf)
		for k := range list {
			e := &echoTracker{g: &g}
			if trackers = append(trackers, e); echo && g.logProbs {
				list[k].OnPrompt = e.next
			}
		}
		requests = append(requests, list...)
	}
	g.bound(f, requests, echo)
	if err := s.finish(w, f); err != nil {
		return err
	}
	answer := completion{
		ID: "cmpl-" + rand.Text(), Object: "text_completion", Created: time.Now().Unix(),
		Model: g.model.Name, Fingerprint: g.model.Fingerprint,
	}
	c := &completing{Server: s, r: r, g: &g, prompts: prompts, each: bestOf, echo: echo, none: asked == 0, report: g.logProbs, echoes: trackers}
	if g.stream {
		return c.stream(w, requests, answer)
	}
	return c.whole(w, requests, answer)
}

// prompt is one of a request's prompts.
type prompt struct {
	ids  []int32
	text string
	skip int // tokens before those of text: 1 for a token that begins texts
}

// promptsOf reads the parameter prompt: a text, several texts, a list of token ids, or several
// such lists.
func promptsOf(f *fields, m *Model) (list []prompt) {
	const expected = "a string, a list of strings, a list of token ids, or a list of lists of token ids"
	if !f.has("prompt") {
		f.raw["prompt"] = json.RawMessage(`""`) // OpenAI's default: a text from its beginning
	}
	var texts []string
	var ids []int32
	var lists [][]int32
	v := f.raw["prompt"]
	switch {
	case f.err != nil || m == nil:
		return nil
	case hasNull(v):
		f.fail(invalid("prompt", "prompt: expected %s, found null in it", expected))
		return nil
	case v[0] == '"':
		texts = f.texts("prompt")
	case json.Unmarshal(v, &texts) == nil:
	case json.Unmarshal(v, &ids) == nil:
		texts, lists = nil, [][]int32{ids}
	case json.Unmarshal(v, &lists) == nil:
		texts = nil
	default:
		texts, lists = nil, nil
		f.fail(invalid("prompt", "prompt: expected %s, found %s", expected, raw(v)))
	}
	for _, text := range texts {
		ids, err := sample.Prompt(m.Tokenizer, text)
		if err != nil {
			f.fail(invalid("prompt", "%v", err))
			return nil
		}
		p := prompt{ids: ids, text: text}
		if text == "" || tokenizer.Begin(m.Tokenizer) >= 0 {
			p.skip = 1
		}
		list = append(list, p)
	}
	for _, ids := range lists {
		for _, id := range ids {
			if id < 0 || int(id) >= m.Tokenizer.VocabSize() {
				f.fail(invalid("prompt", "prompt holds token %d: expected 0 to %d", id, m.Tokenizer.VocabSize()-1))
				return nil
			}
		}
		text, err := m.Tokenizer.Decode(ids)
		if err != nil || len(ids) == 0 {
			f.fail(invalid("prompt", "prompt has an empty list of tokens: expected at least one token"))
			return nil
		}
		list = append(list, prompt{ids: ids, text: string(toValid([]byte(text)))})
	}
	if len(list) == 0 && f.err == nil {
		f.fail(invalid("prompt", "prompt is an empty list: expected %s", expected))
	}
	return list
}

// echoTracker collects the log-probabilities of a prompt's tokens.
type echoTracker struct {
	g      *generation
	tokens []tokenInfo // all but the first
}

func (e *echoTracker) next(s *sample.Step) {
	k := tracker{wanted: e.g.wanted, tokenizer: e.g.model.Tokenizer}
	e.tokens = append(e.tokens, k.describe(s))
}

// completing answers a request of /v1/completions.
type completing struct {
	*Server
	r       *http.Request
	g       *generation
	prompts []prompt
	each    int // texts drawn for each prompt
	echo    bool
	none    bool           // max_tokens is 0: only the echo is wanted
	report  bool           // log-probabilities are wanted
	echoes  []*echoTracker // one for each text
}

// offset is where in a text the next token begins, in characters.
type offset int

// logProbs appends a description of tokens to l, which is nil at first, and moves at past them.
// first says that the first of them begins the text, so that it has no log-probability. It
// returns nil if the client doesn't want log-probabilities.
func (c *completing) logProbs(l *completionLogProbs, at *offset, tokens []tokenInfo, first bool) *completionLogProbs {
	if !c.report {
		return nil
	}
	if l == nil {
		l = &completionLogProbs{Tokens: []string{}, TokenLogProbs: []*float64{}, TopLogProbs: []map[string]float64{}, TextOffset: []int{}}
	}
	t := c.g.model.Tokenizer
	for i, info := range tokens {
		l.Tokens = append(l.Tokens, legacyName(t, info.id, info.bytes))
		l.TextOffset = append(l.TextOffset, int(*at))
		*at += offset(utf8.RuneCount(toValid(info.bytes)))
		if first && i == 0 {
			l.TokenLogProbs, l.TopLogProbs = append(l.TokenLogProbs, nil), append(l.TopLogProbs, nil)
			continue
		}
		p := max(info.logProb, -9999)
		l.TokenLogProbs = append(l.TokenLogProbs, &p)
		top := map[string]float64{legacyName(t, info.id, info.bytes): p}
		for _, a := range info.top {
			top[legacyName(t, a.id, t.Bytes(a.id))] = max(a.logProb, -9999)
		}
		l.TopLogProbs = append(l.TopLogProbs, top)
	}
	return l
}

// legacyName returns a token as this endpoint shows it: bytes that aren't UTF-8 as
// "bytes:\xe2\x82".
func legacyName(t tokenizer.Tokenizer, id int32, bytes []byte) string {
	if name, special := tokenName(t, id); special {
		return name
	}
	if utf8.Valid(bytes) {
		return string(bytes)
	}
	name := []byte("bytes:")
	for _, b := range bytes {
		name = fmt.Appendf(name, `\x%02x`, b)
	}
	return string(name)
}

// promptTokens returns the tokens of a text's echo. first says that the first one has no
// log-probability, since nothing comes before it.
func (c *completing) promptTokens(text int) (tokens []tokenInfo, first bool) {
	if !c.report {
		return nil, false
	}
	p := c.prompts[text/c.each]
	tokens = c.echoes[text].tokens
	if p.skip == 0 {
		head := tokenInfo{id: p.ids[0], bytes: c.g.model.Tokenizer.Bytes(p.ids[0])}
		return append([]tokenInfo{head}, tokens...), true
	}
	return tokens[p.skip-1:], false
}

// whole answers with all texts when they have ended.
func (c *completing) whole(w http.ResponseWriter, requests []sample.Request, answer completion) *apiError {
	if c.each > c.g.n {
		c.g.logProbs = true // to find the best
	}
	results, err := c.collect(c.r, c.g, requests)
	if err != nil {
		return err
	}
	drawn, prompt, cached := 0, 0, 0
	for i, p := range c.prompts {
		list := results[i*c.each : (i+1)*c.each]
		for _, t := range list {
			drawn += t.drawn
		}
		prompt += len(p.ids)
		cached += list[0].cached
		if c.each > c.g.n {
			slices.SortStableFunc(list, func(a, b *result) int { return cmp.Compare(b.meanLogProb(), a.meanLogProb()) })
		}
		for _, t := range list[:c.g.n] {
			choice := completionChoice{Index: len(answer.Choices)}
			var at offset
			if c.echo {
				choice.Text = p.text
				tokens, first := c.promptTokens(i * c.each)
				choice.LogProbs = c.logProbs(nil, &at, tokens, first)
			}
			if c.none {
				reason := "length"
				choice.FinishReason = &reason
			} else {
				choice.Text += t.text
				choice.LogProbs = c.logProbs(choice.LogProbs, &at, t.tokens, false)
				reason := finishReason(t.finish)
				choice.FinishReason, choice.Steps = &reason, views(t.tokens)
			}
			answer.Choices = append(answer.Choices, choice)
		}
	}
	if c.none {
		drawn = 0
	}
	answer.Usage = newUsage(prompt, cached, drawn)
	return reply(w, answer)
}

// meanLogProb returns the mean log-probability of the text's tokens.
func (t *result) meanLogProb() float64 {
	sum := 0.0
	for _, info := range t.tokens {
		sum += info.logProb
	}
	return sum / float64(max(1, len(t.tokens)))
}

// stream answers with server-sent events, a chunk of a text each.
func (c *completing) stream(w http.ResponseWriter, requests []sample.Request, chunk completion) *apiError {
	j, release, err := c.start(c.r, c.g, requests)
	if err != nil {
		return err
	}
	defer release()
	out := newStream(w)
	send := func(choice completionChoice) *apiError {
		chunk.Choices = []completionChoice{choice}
		return out.send(chunk)
	}
	begun := make([]bool, len(requests))
	at := make([]offset, len(requests))
	drawn, cached, prompt := 0, 0, 0
	for _, p := range c.prompts {
		prompt += len(p.ids)
	}
	err = j.each(func(e event) *apiError {
		if e.ending != nil && e.err != nil {
			return c.broken(c.r, e.err)
		}
		i := e.index / c.each
		if c.echo && !begun[e.index] {
			begun[e.index] = true
			tokens, first := c.promptTokens(e.index)
			choice := completionChoice{Index: e.index, Text: c.prompts[i].text}
			choice.LogProbs = c.logProbs(nil, &at[e.index], tokens, first)
			if err := send(choice); err != nil {
				return err
			}
		}
		if e.ending != nil {
			if !c.none {
				drawn += e.drawn
			}
			if e.index%c.each == 0 {
				cached += e.cached
			}
			reason := finishReason(e.finish)
			return send(completionChoice{Index: e.index, FinishReason: &reason})
		}
		if c.none || e.text == "" && len(e.tokens) == 0 {
			return nil
		}
		choice := completionChoice{Index: e.index, Text: e.text, Steps: views(e.tokens)}
		choice.LogProbs = c.logProbs(nil, &at[e.index], e.tokens, false)
		return send(choice)
	}, out.idle)
	if err != nil {
		return out.fail(err)
	}
	if c.g.includeUsage {
		chunk.Choices, chunk.Usage = []completionChoice{}, newUsage(prompt, cached, drawn)
		if err := out.send(chunk); err != nil {
			return err
		}
	}
	return out.done()
}
