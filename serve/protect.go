package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// protect wraps a handler with checks that keep other web sites away: a page that the user
// visits could send requests to a server on the user's computer.
//
//   - Host must name this computer, so that a page can't reach the server through a
//     domain that it has made resolve to this computer (DNS rebinding).
//   - Origin, which browsers send with other pages' requests, must be the server's or allowed.
//   - Bodies must be application/json, for which browsers ask the server before they send it to
//     another origin (preflight); only allowed origins pass. See fieldsOf.
//   - With a key, every request to the API must have it.
func (s *Server) protect(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		if err := s.check(w, r); err != nil {
			s.answer(func(http.ResponseWriter, *http.Request) *apiError { return err }).ServeHTTP(w, r)
			return
		}
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			w.WriteHeader(http.StatusNoContent) // an origin that check has let pass
			return
		}
		h.ServeHTTP(w, r)
	})
}

// check returns the error of a request that protect refuses.
func (s *Server) check(w http.ResponseWriter, r *http.Request) *apiError {
	if !s.hostAllowed(r.Host) {
		return fail(http.StatusForbidden, "", "", "the Host header names %.100q: expected localhost or an address of this computer; allow others with --allowed-host", r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		switch {
		case slices.Contains(s.Origins, origin):
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			h.Add("Vary", "Origin")
			h.Set("Access-Control-Allow-Headers", "authorization, content-type")
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		case !sameOrigin(origin, r):
			return fail(http.StatusForbidden, "", "", "requests of the web page %.100q are refused: allow it with --cors-origin", origin)
		}
	}
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		return nil // a browser's preflight comes without the key
	}
	if s.Key != "" && needsKey(r.URL.Path) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		hash := hashKey(given)
		if !ok || subtle.ConstantTimeCompare(hash[:], s.keyHash[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return fail(http.StatusUnauthorized, "", "invalid_api_key", "the API key is missing or wrong: send it as Authorization: Bearer KEY")
		}
	}
	return nil
}

// needsKey reports whether a request needs the key. The page and the health check, which hold
// no secrets, don't.
func needsKey(path string) bool { return strings.HasPrefix(path, "/v1/") || path == "/metrics" }

func hashKey(key string) [32]byte { return sha256.Sum256([]byte(key)) }

// hostAllowed reports whether a Host header names this computer, or a host that is allowed. An
// IP address is always accepted: DNS rebinding needs a name.
func (s *Server) hostAllowed(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(strings.ToLower(strings.TrimSuffix(name, ".")), "[]")
	return name == "localhost" || net.ParseIP(name) != nil || slices.Contains(s.Hosts, name) || slices.Contains(s.Hosts, host)
}

// sameOrigin reports whether an Origin header names the host that the request was sent to.
func sameOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host && (u.Scheme == "http" || u.Scheme == "https")
}
