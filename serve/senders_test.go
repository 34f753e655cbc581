package serve

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Slow senders, enormous bodies and headers, and bytes that mean nothing are refused or
// cut off, while another client gets the same answer again and again.
func TestHostileSenders(t *testing.T) {
	s, err := New([]*Model{testModel(t, "m")}, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	s.headerTime, s.bodyTime = 500*time.Millisecond, time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx := t.Context()
	go func() { done <- s.Serve(ctx, l, time.Second) }()
	t.Cleanup(func() { <-done })

	ask := func() (string, error) {
		resp, err := http.Post("http://"+l.Addr().String()+"/v1/completions", "application/json", strings.NewReader(`{"model":"m","prompt":"x","max_tokens":20,"seed":5}`))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		_, choices, _ := bytes.Cut(b, []byte(`"choices"`))
		return resp.Status + string(choices[:bytes.Index(choices, []byte(`"usage"`))]), err
	}
	want, err := ask()
	if err != nil || !strings.HasPrefix(want, "200") {
		t.Fatal(want, err)
	}

	const head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	body := func(text string) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(text), text) }
	const large = 1 << 30
	senders := []struct {
		name   string
		status string // "": the connection may be closed without an answer
		send   func(w io.Writer) error
	}{
		{"a header, byte by byte", "", func(w io.Writer) error { return drip(w, head) }},
		{"a body, byte by byte", "408", func(w io.Writer) error {
			io.WriteString(w, head+"Content-Length: 100000\r\n\r\n")
			return drip(w, strings.Repeat(" ", 1000))
		}},
		{"half a body", "408", func(w io.Writer) error {
			_, err := io.WriteString(w, head+"Content-Length: 1000\r\n\r\n{")
			return err
		}},
		{"1 GiB", "413", func(w io.Writer) error {
			fmt.Fprintf(w, "%sContent-Length: %d\r\n\r\n", head, large)
			return flood(w, large)
		}},
		{"1 GiB in chunks", "413", func(w io.Writer) error {
			fmt.Fprintf(w, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n", head, large)
			return flood(w, large)
		}},
		{"100,000 headers", "431", func(w io.Writer) error {
			io.WriteString(w, "GET /health HTTP/1.1\r\nHost: localhost\r\n")
			_, err := io.WriteString(w, strings.Repeat("X-A: "+strings.Repeat("b", 20)+"\r\n", 100000)+"\r\n")
			return err
		}},
		{"a header of 1 GiB", "431", func(w io.Writer) error {
			io.WriteString(w, "GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: ")
			return flood(w, large)
		}},
		{"an address of 1 GiB", "", func(w io.Writer) error {
			io.WriteString(w, "GET /")
			return flood(w, large)
		}},
		{"JSON 100,000 deep", "400", func(w io.Writer) error {
			_, err := io.WriteString(w, body(`{"prompt":`+strings.Repeat("[", 100000)+strings.Repeat("]", 100000)+"}"))
			return err
		}},
		{"NUL", "400", func(w io.Writer) error {
			_, err := io.WriteString(w, body("{\"model\":\"m\",\"prompt\":\"\x00\"}"))
			return err
		}},
		{"NUL in a header", "400", func(w io.Writer) error {
			_, err := io.WriteString(w, "GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n")
			return err
		}},
		{"half a surrogate pair", "400", func(w io.Writer) error {
			_, err := io.WriteString(w, body(`{"model":"m","prompt":"\ud83d"}`))
			return err
		}},
		{"no HTTP", "400", func(w io.Writer) error {
			_, err := w.Write([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, '\r', '\n', '\r', '\n'})
			return err
		}},
		{"two lengths", "400", func(w io.Writer) error {
			_, err := io.WriteString(w, head+"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}")
			return err
		}},
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var group sync.WaitGroup
	for _, k := range senders {
		group.Go(func() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(time.Minute))
			sent := make(chan error, 1)
			go func() { sent <- k.send(c) }()
			line, err := bufio.NewReader(c).ReadString('\n')
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded):
				t.Errorf("%s: no answer, and the connection stays", k.name)
			case line == "" && (k.status == "" || errors.Is(err, syscall.ECONNRESET)):
			case !strings.HasPrefix(line, "HTTP/1.1 "+max(k.status, "4")):
				t.Errorf("%s: answered %q (%v), want %s", k.name, line, err, k.status)
			}
			c.Close()
			<-sent
		})
	}
	ended := make(chan struct{})
	go func() { group.Wait(); close(ended) }()
	for others, going := 0, true; going || others < 20; others++ {
		select {
		case <-ended:
			going = false
		default:
		}
		if got, err := ask(); got != want {
			t.Fatalf("another client gets %s (%v), want %s", got, err, want)
		}
	}
	runtime.ReadMemStats(&after)
	if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 300 {
		t.Errorf("%d MiB were allocated", mib)
	}
}

// drip writes a text slowly.
func drip(w io.Writer, text string) error {
	for i := range len(text) {
		if _, err := io.WriteString(w, text[i:i+1]); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// flood writes many bytes.
func flood(w io.Writer, n int) error {
	b := bytes.Repeat([]byte("x"), 1<<16)
	for ; n > 0; n -= len(b) {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}
