package serve

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	"tinygpt/internal/number"
	"tinygpt/sample"
)

// Limits of OpenAI's API (its OpenAPI description, version 2.3.0).
const (
	maxChoices      = 128
	maxBestOf       = 20
	maxStops        = 4
	maxTopLogProbs  = 20
	maxLegacyTop    = 5
	maxCandidates   = 50
	defaultMaxToken = 16
)

// Limits of this server: what a stop text may have in bytes, and how many tokens a bias, so that a
// request costs about as much as the texts that it asks for.
const (
	maxStop = 1000
	maxBias = 1000
)

// An answer is in memory, as a whole, until the client has read it; if it is streamed, its texts
// are. maxAnswer is how many bytes that may be at most, rowBytes what an alternative or a candidate
// takes besides its token's own bytes.
const (
	maxAnswer = 1 << 29
	rowBytes  = 512
	// byteOfRow is what each byte of an alternative takes, as a number in a list and in JSON.
	byteOfRow = 16
)

// generation is what a request of either endpoint asks for, apart from its prompt.
type generation struct {
	model        *Model
	options      sample.Options // MaxTokens is 0 if the request leaves it open
	bias         map[int32]float32
	seed         uint64
	n            int
	stream       bool
	includeUsage bool
	ends         []int32 // tokens that end a text
	lead         string  // is cut off the beginning of a text; see chat.Template
	wanted
}

// generationOf reads the parameters that both endpoints have in common.
func (s *Server) generationOf(f *fields) (g generation) {
	g.model = s.modelOf(f)
	if g.model != nil {
		g.ends = g.model.ends()
	}
	o := sample.Default()
	o.Temperature = sample.Temperature(f.number("temperature", 1, 0, 2))
	if o.Temperature.Validate() != nil {
		o.Temperature = 0 // too small to divide by
	}
	if p := f.number("top_p", 1, 0, 1); p == 0 {
		o.Temperature = 0
	} else {
		o.TopP = sample.TopP(p)
	}
	o.TopK = sample.TopK(f.whole("top_k", 0, -1, 1<<31))
	if o.TopK < 0 {
		o.TopK = 0 // vLLM's way to say all
	}
	o.MinP = sample.MinP(f.number("min_p", 0, 0, 1))
	o.RepetitionPenalty = sample.RepetitionPenalty(f.number("repetition_penalty", 1, 0.001, 1000))
	o.PresencePenalty = sample.PresencePenalty(f.number("presence_penalty", 0, -2, 2))
	o.FrequencyPenalty = sample.FrequencyPenalty(f.number("frequency_penalty", 0, -2, 2))
	o.Stop = f.texts("stop")
	if len(o.Stop) > maxStops {
		f.fail(invalid("stop", "stop has %d texts: expected up to %d", len(o.Stop), maxStops))
	}
	for _, stop := range o.Stop {
		if stop == "" {
			f.fail(invalid("stop", "stop has an empty text: expected one character or more"))
		}
		if len(stop) > maxStop {
			f.fail(invalid("stop", "stop has a text of %d bytes: expected up to %d", len(stop), maxStop))
		}
	}
	g.options = o
	g.bias = biasOf(f, g.model)
	g.seed = rand.Uint64()
	if f.has("seed") {
		g.seed = uint64(f.whole("seed", 0, -1<<63, 1<<63-1))
	}
	g.n = int(f.whole("n", 1, 1, maxChoices))
	g.stream = f.boolean("stream", false)
	if f.has("stream_options") {
		var options struct {
			IncludeUsage       bool `json:"include_usage"`
			IncludeObfuscation bool `json:"include_obfuscation"`
		}
		f.get("stream_options", "an object", &options)
		g.includeUsage = options.IncludeUsage
		if options.IncludeObfuscation {
			f.fail(unsupported("stream_options", "stream_options.include_obfuscation is not supported by this server"))
		}
		if !g.stream {
			f.fail(invalid("stream_options", "stream_options is only allowed with stream: true"))
		}
	}
	g.candidates = int(f.whole("candidates", 0, 0, maxCandidates))
	f.text("user", "")
	f.text("safety_identifier", "")
	f.text("prompt_cache_key", "")
	f.refuse(map[string][]string{"service_tier": {`"auto"`, `"default"`}, "prompt_cache_retention": {`"in_memory"`}})
	return g
}

// biasOf reads logit_bias, an object whose keys are token ids.
func biasOf(f *fields, m *Model) map[int32]float32 {
	given := map[string]float64{}
	f.get("logit_bias", "an object of token ids with numbers", &given)
	if f.err != nil || len(given) == 0 {
		return nil
	}
	if len(given) > maxBias { // each is added for each token of each text
		f.fail(invalid("logit_bias", "logit_bias has %d tokens: expected up to %d", len(given), maxBias))
		return nil
	}
	bias := make(map[int32]float32, len(given))
	for key, x := range given {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil || id < 0 || strconv.FormatInt(id, 10) != key || m != nil && int(id) >= m.Tokenizer.VocabSize() {
			f.fail(invalid("logit_bias", "logit_bias has the key %q: expected a token id from 0 to %d", key, m.Tokenizer.VocabSize()-1))
			return nil
		}
		if !(x >= -100 && x <= 100) {
			f.fail(invalid("logit_bias", "logit_bias of token %d is %v: expected -100 to 100", id, x))
			return nil
		}
		bias[int32(id)] = float32(x)
	}
	return bias
}

// modelOf returns the model that a request names, or nil after an error.
func (s *Server) modelOf(f *fields) *Model {
	if !f.has("model") && !s.AnyModel {
		f.fail(invalid("model", "model is missing: expected one of %s", s.modelNames()))
		return nil
	}
	name := f.text("model", "")
	if m := s.find(name); m != nil {
		return m
	}
	if s.AnyModel && f.err == nil {
		return s.models[0]
	}
	f.fail(noModel(s, name))
	return nil
}

func noModel(s *Server, name string) *apiError {
	return fail(http.StatusNotFound, "model", "model_not_found", "the model %q does not exist here: expected one of %s", name, s.modelNames())
}

// budget sets the maximum number of tokens that are drawn after a prompt of prompt tokens, which
// the parameter param holds. asked is the number in the request; if it is negative, there was
// none, and the maximum is otherwise, or less if the context has less room.
func (g *generation) budget(f *fields, param string, asked, prompt, otherwise int) {
	context := g.model.context()
	room := context - prompt
	if room < 1 {
		f.fail(fail(http.StatusBadRequest, param, "context_length_exceeded", "the prompt has %d tokens: this model's context of %d has no room for an answer; shorten the prompt", prompt, context))
		return
	}
	switch {
	case asked < 0:
		g.options.MaxTokens = min(otherwise, room)
	case asked > room:
		f.fail(fail(http.StatusBadRequest, "max_tokens", "context_length_exceeded", "this model's context is %d tokens: the prompt has %d, and %d are asked for; ask for at most %d", context, prompt, asked, room))
	default:
		g.options.MaxTokens = asked
	}
}

// bound refuses requests whose answer could take too much memory, however long the vocabulary's
// tokens are. echo says that the alternatives of the prompts' tokens are in it too.
func (g *generation) bound(f *fields, requests []sample.Request, echo bool) {
	if f.err != nil {
		return
	}
	rows := g.candidates
	if g.logProbs {
		rows += 1 + g.top
	}
	text := g.model.longest
	whole := text + rows*(rowBytes+byteOfRow*g.model.longest)
	bytes := 0
	for _, r := range requests {
		if echo {
			bytes += len(r.Prompt) * whole
		}
		if g.stream {
			bytes += r.Options.MaxTokens * text
		} else {
			bytes += r.Options.MaxTokens * whole
		}
	}
	if bytes > maxAnswer {
		f.fail(invalid("", "%d texts of that length with %d alternatives and %d candidates for each token, of up to %d bytes: the answer could take %s, and may take %s; ask for fewer or shorter texts, or for stream: true",
			len(requests), g.top, g.candidates, g.model.longest, number.Bytes(int64(bytes)), number.Bytes(maxAnswer)))
	}
}

// requests returns n requests with one prompt. Request i has the seed of the HTTP request plus
// first plus i.
func (g *generation) requests(prompt []int32, n int, first int) []sample.Request {
	list := make([]sample.Request, n)
	for i := range list {
		list[i] = sample.Request{
			Prompt: prompt, Options: g.options, Seed: g.seed + uint64(first+i), End: g.ends, LogitBias: g.bias,
		}
	}
	return list
}

// raw returns a member as it came, for messages.
func raw(v json.RawMessage) string {
	const longest = 40
	line := strings.Join(strings.Fields(string(v)), " ")
	if len(line) > longest {
		return line[:longest] + "…"
	}
	return line
}
