package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics has what /metrics shows, in Prometheus' format.
type metrics struct {
	registry       *prometheus.Registry
	requests       *prometheus.CounterVec
	seconds        *prometheus.HistogramVec
	running        *prometheus.GaugeVec
	waiting        *prometheus.GaugeVec
	promptTokens   *prometheus.CounterVec
	cachedTokens   *prometheus.CounterVec
	drawnTokens    *prometheus.CounterVec
	cancelledTexts *prometheus.CounterVec
	handler        http.Handler
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gpt_" + name, Help: help}, labels)
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "gpt_" + name, Help: help}, []string{"model"})
	}
	m.requests = counter("http_requests_total", "Answered HTTP requests.", "route", "status")
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gpt_http_request_seconds", Help: "Time from a request's header to the end of its answer.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 13),
	}, []string{"route", "status"})
	m.running = gauge("texts_running", "Texts that are being drawn.")
	m.waiting = gauge("requests_waiting", "Requests in the queue.")
	m.promptTokens = counter("prompt_tokens_total", "Tokens of prompts that were read.", "model")
	m.cachedTokens = counter("cached_prompt_tokens_total", "Tokens of prompts whose keys and values were cached by an earlier request.", "model")
	m.drawnTokens = counter("drawn_tokens_total", "Tokens that were drawn.", "model")
	m.cancelledTexts = counter("cancelled_texts_total", "Texts whose client left before their end.", "model")
	m.registry.MustRegister(m.requests, m.seconds, m.running, m.waiting, m.promptTokens, m.cachedTokens, m.drawnTokens, m.cancelledTexts,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return m
}

func (m *metrics) write(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

// request counts an answered request. route is the pattern that it matched, empty for one that
// was refused before.
func (m *metrics) request(route string, status int, took time.Duration) {
	if route == "" {
		route = "refused"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// of returns the observer of a model's engine.
func (m *metrics) of(model string) observer {
	return modelMetrics{
		m.running.WithLabelValues(model), m.waiting.WithLabelValues(model), m.promptTokens.WithLabelValues(model),
		m.cachedTokens.WithLabelValues(model), m.drawnTokens.WithLabelValues(model), m.cancelledTexts.WithLabelValues(model),
	}
}

// modelMetrics is the observer of a model's engine.
type modelMetrics struct {
	running, queue             prometheus.Gauge
	prompt, known, drawn, gone prometheus.Counter
}

func (m modelMetrics) state(running, waiting int) {
	m.running.Set(float64(running))
	m.queue.Set(float64(waiting))
}

func (m modelMetrics) tokens(prompt, cached, drawn int) {
	m.prompt.Add(float64(prompt))
	m.known.Add(float64(cached))
	m.drawn.Add(float64(drawn))
}

func (m modelMetrics) cancelled() { m.gone.Inc() }
