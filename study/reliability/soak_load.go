//go:build linux

package reliability

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// talk types a line into a session of sample a second after each prompt, and counts its
// answers.
func (s *soakedProcess) talk(ctx context.Context, terminal *os.File) {
	defer terminal.Close()
	prompts := make(chan bool, 1)
	go func() {
		seen := make([]byte, 4096)
		for {
			n, err := terminal.Read(seen)
			if err != nil {
				return
			}
			if bytes.Contains(seen[:n], []byte("> ")) { // asks for a line
				select {
				case prompts <- true:
				default:
				}
			}
		}
	}()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-prompts:
		case <-time.After(10 * time.Second): // the prompt came in two pieces
		}
		time.Sleep(time.Second)
		select {
		case <-prompts: // the same one, drawn again
		default:
		}
		if _, err := fmt.Fprintf(terminal, "%s on day %d\r", []string{"Mia was happy", "Tom", "A dog saw", ""}[i%4], i); err != nil {
			return
		}
		s.answers.Add(1)
	}
}

// loadPeriod is the period of a server's load, which rises and falls in the first half and is
// 0 in the second.
const loadPeriod = 10 * time.Minute

// ask sends a server requests of all sorts, none or up to eight every two seconds: long and
// short ones, streams, clients that leave, requests that are refused.
func (s *soakedProcess) ask(ctx context.Context, out io.Reader) {
	address, err := listening(s.process, out)
	if err != nil {
		return // it has ended: Soak sees that
	}
	s.address.Store(address)
	begun := time.Now()
	client := &http.Client{Timeout: time.Minute}
	for ctx.Err() == nil {
		phase := 2 * math.Pi * time.Since(begun).Seconds() / loadPeriod.Seconds()
		load := 8 * math.Sin(phase) // below 0 nobody asks
		for range int(load) {
			go s.request(ctx, client)
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
}

// request makes one request of a random sort.
func (s *soakedProcess) request(ctx context.Context, client *http.Client) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	path, body, leaves := "/v1/completions", `{"model":"base","prompt":"Mia was","max_tokens":30}`, false
	switch rand.IntN(6) {
	case 0:
		body = `{"model":"base","prompt":"Mia was","max_tokens":60,"stream":true}`
	case 1: // in the middle
		body, leaves = `{"model":"base","prompt":"Tom","max_tokens":100,"stream":true}`, true
	case 2:
		body = `{"model":"base","prompt":7`
	case 3:
		path, body = "/v1/score", `{"model":"base","texts":["Mia was happy","Tom"]}`
	}
	r, err := http.NewRequestWithContext(ctx, "POST", s.address.Load().(string)+path, strings.NewReader(body))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	if leaves {
		answer.Body.Read(make([]byte, 1))
		return
	}
	io.Copy(io.Discard, answer.Body)
}

var drawnTokens = regexp.MustCompile(`(?m)^gpt_drawn_tokens_total\{.*\} (\S+)$`)

// drawn asks a server how many tokens it has drawn; 0 if it doesn't listen yet, or is slow.
func (s *soakedProcess) drawn() float64 {
	address, ok := s.address.Load().(string)
	if !ok {
		return 0
	}
	client := &http.Client{Timeout: soakInterval}
	answer, err := client.Get(address + "/metrics")
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	m := drawnTokens.FindSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseFloat(string(m[1]), 64)
	return n
}
