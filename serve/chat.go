package serve

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// chatAnswer is the answer of /v1/chat/completions, or a chunk of it.
type chatAnswer struct {
	ID          string       `json:"id"`
	Object      string       `json:"object"`
	Created     int64        `json:"created"`
	Model       string       `json:"model"`
	Fingerprint string       `json:"system_fingerprint"`
	Choices     []chatChoice `json:"choices"`
	Usage       any          `json:"usage,omitempty"`
}

type chatChoice struct {
	Index        int            `json:"index"`
	Message      *chatMessage   `json:"message,omitempty"`
	Delta        *chatDelta     `json:"delta,omitempty"`
	LogProbs     *chatLogProbs  `json:"logprobs"`
	FinishReason *string        `json:"finish_reason"`
	Steps        []*sample.View `json:"steps,omitempty"` // ours; see "candidates"
}

type chatMessage struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"`
}

type chatDelta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type chatLogProbs struct {
	Content []chatToken  `json:"content"`
	Refusal *[]chatToken `json:"refusal"`
}

type chatToken struct {
	namedToken
	TopLogProbs []namedToken `json:"top_logprobs"`
}

// namedToken is a token with its log-probability. Bytes is nil for a special token.
type namedToken struct {
	Token   string  `json:"token"`
	LogProb float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

// nameToken describes a token, which stands for bytes. JSON has no −Inf: a log-probability is
// at least −9999, as in OpenAI's API.
func nameToken(t tokenizer.Tokenizer, id int32, bytes []byte, logProb float64) namedToken {
	name, special := tokenName(t, id)
	n := namedToken{Token: name, LogProb: max(logProb, -9999)}
	if !special {
		n.Bytes = make([]int, len(bytes))
		for i, b := range bytes {
			n.Bytes[i] = int(b)
		}
		n.Token = string(toValid(bytes))
	}
	return n
}

// toValid replaces what isn't UTF-8 by U+FFFD.
func toValid(b []byte) []byte { return bytes.ToValidUTF8(b, []byte("\ufffd")) }

// chatLogProbsOf describes tokens; it returns nil if the client doesn't want log-probabilities.
func (g *generation) chatLogProbsOf(tokens []tokenInfo) *chatLogProbs {
	if !g.logProbs {
		return nil
	}
	t := g.model.Tokenizer
	l := &chatLogProbs{Content: []chatToken{}}
	for _, info := range tokens {
		c := chatToken{nameToken(t, info.id, info.bytes, info.logProb), []namedToken{}}
		for _, a := range info.top {
			c.TopLogProbs = append(c.TopLogProbs, nameToken(t, a.id, t.Bytes(a.id), a.logProb))
		}
		l.Content = append(l.Content, c)
	}
	return l
}

// views returns what each of the tokens was drawn from, if the client asked for candidates.
func views(tokens []tokenInfo) (list []*sample.View) {
	for _, info := range tokens {
		if info.view != nil {
			list = append(list, info.view)
		}
	}
	return list
}

// unsupportedChat lists parameters of OpenAI's API that this server lacks, each with the values,
// as JSON, that are accepted because they ask for what it does anyway.
var unsupportedChat = map[string][]string{
	"tools": {"[]"}, "tool_choice": {`"none"`, `"auto"`}, "functions": {"[]"}, "function_call": {`"none"`, `"auto"`},
	"parallel_tool_calls": {"true", "false"}, "response_format": {`{"type":"text"}`, `{"type": "text"}`},
	"modalities": {`["text"]`}, "audio": nil, "prediction": nil, "reasoning_effort": nil, "verbosity": nil,
	"store": {"false"}, "metadata": {"{}"}, "web_search_options": nil, "moderation": nil, "prompt_cache_options": nil,
	"suffix": nil, "best_of": {"1"}, "echo": {"false"}, "prompt": nil,
}

// chat answers /v1/chat/completions.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) *apiError {
	f, err := s.fieldsOf(r)
	if err != nil {
		return err
	}
	g := s.generationOf(f)
	g.logProbs = f.boolean("logprobs", false)
	g.top = int(f.whole("top_logprobs", 0, 0, maxTopLogProbs))
	if f.has("top_logprobs") && !g.logProbs {
		f.fail(invalid("top_logprobs", "top_logprobs is only allowed with logprobs: true"))
	}
	f.refuse(unsupportedChat)
	messages := messagesOf(f)
	asked := int(f.whole("max_completion_tokens", f.whole("max_tokens", -1, 1, 1<<31), 1, 1<<31))
	if f.has("max_tokens") && f.has("max_completion_tokens") && f.err == nil && f.whole("max_tokens", 0, 1, 1<<31) != int64(asked) {
		f.fail(invalid("max_tokens", "max_tokens and max_completion_tokens differ: give one of them"))
	}
	if f.err == nil && !g.model.generates() {
		f.fail(invalid("model", "the model %q gives rewards and no texts", g.model.Name))
	}
	var prompt []int32
	if f.err == nil {
		prompt = g.model.render(f, messages)
	}
	if f.err == nil {
		g.budget(f, "messages", asked, len(prompt), g.model.context())
		g.lead, g.ends = g.model.Template.Lead(), g.model.Template.End()
		g.options.Stop = append(g.options.Stop, g.model.Template.Stop()...)
	}
	requests := g.requests(prompt, g.n, 0)
	g.bound(f, requests, false)
	if err := s.finish(w, f); err != nil {
		return err
	}
	answer := chatAnswer{
		ID: "chatcmpl-" + rand.Text(), Object: "chat.completion", Created: time.Now().Unix(),
		Model: g.model.Name, Fingerprint: g.model.Fingerprint,
	}
	if g.stream {
		answer.Object = "chat.completion.chunk"
		return s.streamChat(w, r, &g, requests, answer)
	}
	results, err := s.collect(r, &g, requests)
	if err != nil {
		return err
	}
	drawn := 0
	for i, t := range results {
		reason := finishReason(t.finish)
		answer.Choices = append(answer.Choices, chatChoice{
			Index: i, Message: &chatMessage{Role: "assistant", Content: t.text},
			LogProbs: g.chatLogProbsOf(t.tokens), FinishReason: &reason, Steps: views(t.tokens),
		})
		drawn += t.drawn
	}
	answer.Usage = newUsage(len(prompt), results[0].cached, drawn)
	return reply(w, answer)
}

// streamChat answers with server-sent events, a chunk each.
func (s *Server) streamChat(w http.ResponseWriter, r *http.Request, g *generation, requests []sample.Request, chunk chatAnswer) *apiError {
	j, release, err := s.start(r, g, requests)
	if err != nil {
		return err
	}
	defer release()
	out := newStream(w)
	if g.includeUsage {
		chunk.Usage = json.RawMessage("null")
	}
	send := func(c chatChoice) *apiError {
		chunk.Choices = []chatChoice{c}
		return out.send(chunk)
	}
	begun := make([]bool, len(requests))
	drawn, cached := 0, 0
	err = j.each(func(e event) *apiError {
		if e.ending != nil && e.err != nil {
			return s.broken(r, e.err)
		}
		if !begun[e.index] {
			begun[e.index] = true
			if err := send(chatChoice{Index: e.index, Delta: &chatDelta{"assistant", new(string)}}); err != nil {
				return err
			}
		}
		if e.ending != nil {
			drawn += e.drawn
			if e.index == 0 {
				cached = e.cached
			}
			reason := finishReason(e.finish)
			return send(chatChoice{Index: e.index, Delta: &chatDelta{}, FinishReason: &reason})
		}
		if e.text == "" && len(e.tokens) == 0 {
			return nil
		}
		return send(chatChoice{
			Index: e.index, Delta: &chatDelta{Content: &e.text}, LogProbs: g.chatLogProbsOf(e.tokens), Steps: views(e.tokens),
		})
	}, out.idle)
	if err != nil {
		return out.fail(err)
	}
	if g.includeUsage {
		chunk.Choices, chunk.Usage = []chatChoice{}, newUsage(len(requests[0].Prompt), cached, drawn)
		if err := out.send(chunk); err != nil {
			return err
		}
	}
	return out.done()
}

// mustJSON returns v as JSON in one line. It panics if that fails.
func mustJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // all answers are of this package's types
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
