// Package browser drives a headless Chromium in tests of pages that this program writes:
// through its DevTools protocol, over a pair of pipes
// (chromedevtools.github.io/devtools-protocol).
package browser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// Browser is a headless Chromium with one page. What fails in it fails the test.
type Browser struct {
	t        testing.TB
	commands *os.File
	messages chan message
	last     int    // number of the last command
	session  string // of the page
	// Complaints are what the page has logged as an error or warning.
	Complaints []string
	// Requests are the addresses that the browser has asked for, the page's own first.
	Requests []string
	loaded   bool
}

// message is a result, or an event.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Params json.RawMessage `json:"params"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// New starts a browser with a window of 1280 × 720, which ends with the test. The test is
// skipped if the machine has none, in PATH or as $CHROME.
func New(t testing.TB) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{os.Getenv("CHROME"), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil && path == "" {
			path = p
		}
	}
	if path == "" {
		t.Skip("no Chromium or Chrome in PATH or $CHROME: the page isn't tried in a browser")
	}
	commandsIn, commands, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, answersOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--user-data-dir="+t.TempDir(), "about:blank")
	if os.Getuid() == 0 {
		cmd.Args = append(cmd.Args, "--no-sandbox") // it refuses to run as root otherwise
	}
	cmd.ExtraFiles = []*os.File{commandsIn, answersOut} // its descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		t.Skipf("%s can't be started with pipes here: %v", path, err)
	}
	commandsIn.Close()
	answersOut.Close()
	b := &Browser{t: t, commands: commands, messages: make(chan message, 1000)}
	go b.listen(answers)
	t.Cleanup(func() {
		b.send("Browser.close", nil)
		done := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		done.Stop()
		commands.Close()
		answers.Close()
	})
	var target struct{ TargetID, SessionID string }
	b.Call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.Call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	b.session = target.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.Call(domain+".enable", nil, nil)
	}
	b.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": false}, nil)
	return b
}

// listen reads messages, which end in a zero byte.
func (b *Browser) listen(r *os.File) {
	defer close(b.messages)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	lines.Split(func(data []byte, end bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, 0); i >= 0 {
			return i + 1, data[:i], nil
		}
		return 0, nil, nil
	})
	for lines.Scan() {
		var m message
		if json.Unmarshal(lines.Bytes(), &m) == nil {
			b.messages <- m
		}
	}
}

func (b *Browser) send(method string, params map[string]any) {
	b.last++
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" && method != "Browser.close" {
		command["sessionId"] = b.session
	}
	text, _ := json.Marshal(command)
	b.commands.Write(append(text, 0))
}

// Call runs a command of the protocol and reads its result.
func (b *Browser) Call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.send(method, params)
	b.wait(method, func(m message) bool {
		if m.ID != b.last {
			return false
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
		return true
	})
}

// wait hears messages until one is what is waited for.
func (b *Browser) wait(what string, found func(m message) bool) {
	b.t.Helper()
	timeout := time.After(60 * time.Second)
	for {
		select {
		case m, ok := <-b.messages:
			if !ok {
				b.t.Fatalf("%s: the browser has ended", what)
			}
			b.event(m)
			if found(m) {
				return
			}
		case <-timeout:
			b.t.Fatalf("%s: no answer in a minute", what)
		}
	}
}

// event notes errors and requests.
func (b *Browser) event(m message) {
	var p struct {
		Type      string
		Entry     struct{ Level, Text string }
		Request   struct{ URL string }
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	json.Unmarshal(m.Params, &p)
	switch {
	case m.Method == "Page.loadEventFired":
		b.loaded = true
	case m.Method == "Runtime.exceptionThrown",
		m.Method == "Runtime.consoleAPICalled" && slices.Contains([]string{"error", "warning", "assert"}, p.Type),
		m.Method == "Log.entryAdded" && p.Entry.Level == "error":
		b.Complaints = append(b.Complaints, string(m.Params))
	case m.Method == "Network.requestWillBeSent" && !strings.HasPrefix(p.Request.URL, "data:"):
		b.Requests = append(b.Requests, p.Request.URL)
	}
}

// Open loads a page.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.loaded = false
	b.Call("Page.navigate", map[string]any{"url": url}, nil)
	for !b.loaded {
		b.wait(url, func(message) bool { return true })
	}
	b.settle() // what begins with the focus has it from the first frame on
}

// Eval evaluates JavaScript in the page and reads its value.
func (b *Browser) Eval(script string, value any) {
	b.t.Helper()
	var result struct {
		Result    struct{ Value json.RawMessage }
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	b.Call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &result)
	if result.Exception != nil {
		b.t.Fatalf("%s: %s", script, result.Exception)
	}
	if value == nil {
		return
	}
	if err := json.Unmarshal(result.Result.Value, value); err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
}

// Text returns what Eval reads, as text.
func (b *Browser) Text(script string) string {
	b.t.Helper()
	var value any
	b.Eval(script, &value)
	return fmt.Sprint(value)
}

// Press presses a key n times, as a user does: a character, a key's name like Tab, or
// Shift+ with a name.
func (b *Browser) Press(key string, n int) {
	b.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
	name, shift := strings.CutPrefix(key, "Shift+")
	key = name
	modifiers := 0
	if shift {
		modifiers = 8
	}
	for range n {
		params := map[string]any{"type": "keyDown", "key": key, "windowsVirtualKeyCode": codes[key], "modifiers": modifiers}
		switch {
		case len(key) == 1:
			params["text"] = key
		case key == "Enter":
			params["text"] = "\r" // which presses buttons
		}
		b.Call("Input.dispatchKeyEvent", params, nil)
		b.Call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "windowsVirtualKeyCode": codes[key], "modifiers": modifiers}, nil)
	}
	b.settle()
}

// settle waits for a frame: then what an input has set off is done, a change of the
// address included.
func (b *Browser) settle() {
	b.t.Helper()
	b.Eval("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))", nil)
}

// Type types a text where the page has its focus.
func (b *Browser) Type(text string) {
	b.t.Helper()
	b.Call("Input.insertText", map[string]any{"text": text}, nil)
	b.settle()
}

// Click clicks a place of the window with the left button.
func (b *Browser) Click(x, y float64) {
	b.t.Helper()
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.Call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}, nil)
	}
	b.settle()
}

// Point moves the mouse to a place of the window.
func (b *Browser) Point(x, y float64) {
	b.t.Helper()
	b.Call("Input.dispatchMouseEvent", map[string]any{"type": "mouseMoved", "x": x, "y": y}, nil)
	b.settle()
}

// Drag moves the mouse from one place of the window to another with the left button down.
func (b *Browser) Drag(x, y, toX, toY float64) {
	b.t.Helper()
	b.Point(x, y)
	mouse := func(kind string, x, y float64) {
		b.Call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}, nil)
	}
	mouse("mousePressed", x, y)
	for i := 1.0; i <= 4; i++ {
		mouse("mouseMoved", x+(toX-x)*i/4, y+(toY-y)*i/4)
	}
	mouse("mouseReleased", toX, toY)
	b.settle()
}

// Tap touches a place of the window with a finger.
func (b *Browser) Tap(x, y float64) {
	b.t.Helper()
	b.Call("Input.dispatchTouchEvent", map[string]any{"type": "touchStart", "touchPoints": []map[string]float64{{"x": x, "y": y}}}, nil)
	b.Call("Input.dispatchTouchEvent", map[string]any{"type": "touchEnd", "touchPoints": []any{}}, nil)
	b.settle()
}

// Wheel turns the mouse's wheel at a place of the window, by pixels; negative is away
// from the user.
func (b *Browser) Wheel(x, y, by float64) {
	b.t.Helper()
	b.Call("Input.dispatchMouseEvent", map[string]any{"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": by}, nil)
	b.settle()
}

// Screenshot writes what the window shows to a PNG file.
func (b *Browser) Screenshot(path string) {
	b.t.Helper()
	var picture struct{ Data []byte }
	b.Call("Page.captureScreenshot", map[string]any{"format": "png"}, &picture)
	if err := os.WriteFile(path, picture.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
