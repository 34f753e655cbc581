package serve

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"tinygpt/tokenizer"
)

// Options has the settings of a server.
type Options struct {
	// Sequences is how many texts of a model are drawn together, Queue how many
	// requests may wait for a place.
	Sequences, Queue int
	// PromptTokens is the maximum number of prompt tokens that a pass of the model reads.
	PromptTokens int
	// Key, unless empty, must come with every request to the API.
	Key string
	// Hosts are accepted in the Host header besides the names of this computer, and
	// Origins in the Origin header besides the server's own.
	Hosts, Origins []string
	// Strict refuses unknown parameters; otherwise the header X-Ignored-Fields names them.
	Strict bool
	// AnyModel answers requests for unknown models with the first one.
	AnyModel bool
	// LogPrompts writes prompts and answers to the log.
	LogPrompts bool
	// Version is what /v1/version says.
	Version string
	// Log takes a line for each request; nil: none.
	Log *slog.Logger
}

// Server answers HTTP requests.
type Server struct {
	Options
	models   []*Model
	metrics  *metrics
	handler  http.Handler
	closing  atomic.Bool
	abort    context.Context // ends when answers that are still running are to end with an error
	breakOff context.CancelFunc
	keyHash  [32]byte

	// Timeouts for a request's header, and for the whole request.
	headerTime, bodyTime time.Duration
}

// New returns a server of models; Close ends it. No models, two models of the same name, and
// fewer than one sequence or place in the queue are errors.
func New(models []*Model, o Options) (*Server, error) {
	if len(models) == 0 {
		return nil, errors.New("no model to serve: expected one or more")
	}
	if o.Sequences < 1 || o.Queue < 1 {
		return nil, fmt.Errorf("%d sequences and a queue of %d: expected 1 or more of both", o.Sequences, o.Queue)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{Options: o, models: models, metrics: newMetrics(), keyHash: hashKey(o.Key), headerTime: 5 * time.Second, bodyTime: 30 * time.Second}
	s.abort, s.breakOff = context.WithCancel(context.Background())
	for _, m := range models {
		if !utf8.ValidString(m.Name) { // neither JSON nor a metric's label can have it
			return nil, fmt.Errorf("a model's name is %q: expected UTF-8", m.Name)
		}
		if s.find(m.Name) != m {
			return nil, fmt.Errorf("two models have the name %q: expected a different name for each", m.Name)
		}
		if m.generates() {
			m.longest = longestToken(m.Tokenizer)
			m.engine = newEngine(m.Decoder(o.Sequences), m.Tokenizer, o.Queue, o.PromptTokens, s.metrics.of(m.Name))
		}
	}
	s.handler = s.protect(s.routes())
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// routes returns the handler of all addresses of the server.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	handle := func(method, path string, h handler) {
		methods[path] = append(methods[path], method)
		mux.Handle(method+" "+path, s.answer(h))
	}
	handle("GET", "/v1/models", s.listModels)
	handle("GET", "/v1/models/{model...}", s.oneModel)
	handle("POST", "/v1/completions", s.completions)
	handle("POST", "/v1/chat/completions", s.chat)
	handle("POST", "/v1/tokenize", s.tokenize)
	handle("POST", "/v1/score", s.score)
	handle("POST", "/v1/feedback", s.takeFeedback)
	handle("GET", "/v1/version", s.version)
	handle("GET", "/health", s.health)
	handle("GET", "/metrics", func(w http.ResponseWriter, r *http.Request) *apiError { s.metrics.write(w, r); return nil })
	for path, h := range pageFiles() {
		handle("GET", path, h)
	}
	for path, allowed := range methods {
		slices.Sort(allowed)
		mux.Handle(path, s.answer(func(w http.ResponseWriter, r *http.Request) *apiError {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			return fail(http.StatusMethodNotAllowed, "", "", "%s is not allowed for %s: use %s", r.Method, r.URL.Path, strings.Join(allowed, " or "))
		}))
	}
	mux.Handle("/", s.answer(func(w http.ResponseWriter, r *http.Request) *apiError {
		return fail(http.StatusNotFound, "", "", "there is nothing at %s %.100s", r.Method, r.URL.Path)
	}))
	return mux
}

// handler answers a request or returns the error to answer with.
type handler func(w http.ResponseWriter, r *http.Request) *apiError

// errGone is returned when the client has left, so that nobody can be told.
var errGone = &apiError{status: 499, Message: "the client left"}

// answer returns h as a handler of net/http: it writes h's error as the answer, and a line of
// the log for each request.
func (s *Server) answer(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, id := time.Now(), rand.Text()[:16]
		w.Header().Set("X-Request-Id", id)
		out := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				s.Log.Error("panic", "id", id, "what", fmt.Sprint(p))
				if !out.begun {
					fail(http.StatusInternalServerError, "", "", "an error in the server: its log has the details under %s", id).write(out)
				}
			}
			s.Log.Info("request", "id", id, "from", r.RemoteAddr, "method", r.Method, "path", r.URL.Path, "status", out.status, "took", time.Since(start).Round(time.Microsecond))
			s.metrics.request(r.Pattern, out.status, time.Since(start))
		}()
		err := h(out, r)
		switch {
		case err == nil:
		case err == errGone:
			out.status = err.status
		case !out.begun:
			if err.status == http.StatusInternalServerError {
				s.Log.Error("error", "id", id, "what", err.Message)
				err = fail(err.status, "", "", "an error in the server: its log has the details under %s", id)
			}
			err.write(out)
		}
	})
}

// recorder keeps the status of an answer, and whether it has begun.
type recorder struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (r *recorder) WriteHeader(status int) {
	r.status, r.begun = status, true
	r.ResponseWriter.WriteHeader(status)
}

// Write writes p piece by piece: a client that stops reading is given up after writeTimeout.
func (r *recorder) Write(p []byte) (n int, err error) {
	r.begun = true
	const piece = 64 << 10
	for err == nil && n < len(p) {
		http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
		var written int
		written, err = r.ResponseWriter.Write(p[n:min(n+piece, len(p))])
		n += written
	}
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// reply answers with v as JSON.
func reply(w http.ResponseWriter, v any) *apiError {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // a number that is none
		return fail(http.StatusInternalServerError, "", "", "%v", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b.Bytes())
	return nil
}

func (s *Server) listModels(w http.ResponseWriter, _ *http.Request) *apiError {
	list := []modelObject{}
	for _, m := range s.models {
		list = append(list, m.object())
	}
	return reply(w, map[string]any{"object": "list", "data": list})
}

func (s *Server) oneModel(w http.ResponseWriter, r *http.Request) *apiError {
	m := s.find(r.PathValue("model"))
	if m == nil {
		return noModel(s, r.PathValue("model"))
	}
	return reply(w, m.object())
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) *apiError {
	return reply(w, map[string]string{"version": s.Version})
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) *apiError {
	if s.closing.Load() {
		return &apiError{status: http.StatusServiceUnavailable, retryAfter: 5, Message: errClosing.Error(), Type: errorType(503)}
	}
	return reply(w, map[string]string{"status": "ok"})
}

// tokenize answers /v1/tokenize with the tokens of a text, or of a conversation as the model
// reads it.
func (s *Server) tokenize(w http.ResponseWriter, r *http.Request) *apiError {
	f, err := s.fieldsOf(r)
	if err != nil {
		return err
	}
	m := s.modelOf(f)
	var ids []int32
	if f.has("messages") {
		messages := messagesOf(f)
		if f.err == nil {
			ids = m.render(f, messages)
		}
	} else {
		prompt := f.text("prompt", "")
		if f.err == nil {
			var failed error
			if ids, failed = tokenizer.ForTexts(m.Tokenizer).Encode(prompt); failed != nil { // as completions does
				f.fail(invalid("prompt", "%v", failed))
			}
		}
	}
	if err := s.finish(w, f); err != nil {
		return err
	}
	type token struct {
		ID    int32  `json:"id"`
		Token string `json:"token"`
	}
	tokens := make([]token, len(ids))
	for i, id := range ids {
		name, _ := tokenName(m.Tokenizer, id)
		tokens[i] = token{id, name}
	}
	if ids == nil {
		ids = []int32{}
	}
	return reply(w, map[string]any{"model": m.Name, "ids": ids, "tokens": tokens, "count": len(ids), "context": m.context()})
}

// score answers /v1/score with the reward of one or more answers to a conversation.
func (s *Server) score(w http.ResponseWriter, r *http.Request) *apiError {
	f, err := s.fieldsOf(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.models, func(m *Model) bool { return m.Reward != nil })
	var m *Model
	switch {
	case f.has("model"):
		if m = s.modelOf(f); m != nil && m.Reward == nil {
			f.fail(invalid("model", "the model %q gives no rewards: serve a run of reward training", m.Name))
		}
	case i >= 0:
		m = s.models[i]
	default:
		f.fail(fail(http.StatusNotFound, "model", "model_not_found", "no reward model is served: start the server with --run and a run of reward training"))
	}
	messages := messagesOf(f)
	answers := f.texts("answer")
	if f.err == nil && len(answers) == 0 {
		f.fail(invalid("answer", "answer is missing: expected a text, or a list of them"))
	}
	if len(answers) > maxChoices {
		f.fail(invalid("answer", "%d answers: expected up to %d", len(answers), maxChoices))
	}
	if err := s.finish(w, f); err != nil {
		return err
	}
	scores := make([]float64, len(answers))
	for i, answer := range answers {
		if r.Context().Err() != nil {
			return errGone
		}
		var failed error
		if scores[i], failed = m.Reward(messages, answer); failed != nil {
			return invalid("messages", "%v", failed)
		}
	}
	return reply(w, map[string]any{"object": "list", "model": m.Name, "scores": scores})
}

// fieldsOf reads a request's body.
func (s *Server) fieldsOf(r *http.Request) (*fields, *apiError) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, fail(http.StatusUnsupportedMediaType, "", "", "the Content-Type is %.100q: expected application/json", r.Header.Get("Content-Type"))
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	if s.LogPrompts {
		s.Log.Info("body", "path", r.URL.Path, "body", string(body))
	}
	return parseFields(body)
}

// finish returns the first error of a request's parameters. Unknown ones are an
// error too if the server is strict.
func (s *Server) finish(w http.ResponseWriter, f *fields) *apiError {
	if f.err != nil {
		return f.err
	}
	if names := f.unknown(); len(names) > 0 {
		if s.Strict {
			return unsupported(names[0], "unknown parameter %q", names[0])
		}
		w.Header().Set("X-Ignored-Fields", headerText(strings.Join(names, ", ")))
	}
	return nil
}

// headerText returns text as a header may hold it: ? replaces all but printable ASCII, and it is
// cut after 200 bytes.
func headerText(text string) string {
	const longest = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	return text[:min(len(text), longest)]
}

// tokenName returns a token as text: a special one's name, or its bytes with U+FFFD for what
// isn't UTF-8.
func tokenName(t tokenizer.Tokenizer, id int32) (name string, special bool) {
	if name, special = tokenizer.NameOrText(t, id); !special {
		name = strings.ToValidUTF8(name, "\ufffd")
	}
	return name, special
}

// Serve answers requests that come over l until ctx ends. Then it refuses new ones and waits
// for running answers to end, for grace at most, after which they end with an error. It returns
// an error only if l fails.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.headerTime,
		ReadTimeout:       s.bodyTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		s.Close()
		return err
	case <-ctx.Done():
	}
	s.closing.Store(true)
	for _, m := range s.models {
		if m.engine != nil {
			m.engine.close()
		}
	}
	deadline := time.AfterFunc(grace, s.breakOff)
	defer deadline.Stop()
	for _, m := range s.models {
		if m.engine != nil {
			<-m.engine.stopped
		}
	}
	// The last answers are still being sent. Connections over which no request has come aren't
	// waited for.
	wait, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	if h.Shutdown(wait) != nil {
		h.Close()
	}
	s.Close()
	return nil
}

// Close ends the engines. Answers that are still running end with an error.
func (s *Server) Close() {
	s.closing.Store(true)
	s.breakOff()
	for _, m := range s.models {
		if m.engine != nil {
			m.engine.close()
			<-m.engine.stopped
		}
	}
}
