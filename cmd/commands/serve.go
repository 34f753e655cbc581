package commands

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/capacity"
	"tinygpt/internal/suggest"
	"tinygpt/internal/userfile"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/sample"
	"tinygpt/serve"
	"tinygpt/study/alignment"
	"tinygpt/tokenizer"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "answer over HTTP in the shapes of OpenAI's API, with a page to chat",
		Description: `Open the address that it prints in a browser, or give it to a client as its base URL with /v1.
Each run is a model named like its folder; of folders with one name, like the folder around it too: instruct-1/ppo.`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "run", Usage: "`FOLDER` of a run to serve (repeatable)", DefaultText: "the latest"},
			checkpointFlag(),
			weightsFlag(" (see eval)"),
			&cli.StringFlag{Name: "addr", Usage: "listen at `HOST:PORT`", Value: "127.0.0.1:8080"},
			&cli.IntFlag{Name: "sequences", Usage: "draw up to `N` texts of a model together", Value: 16},
			&cli.IntFlag{Name: "queue", Usage: "let up to `N` requests for a model wait", Value: 64},
			&cli.IntFlag{Name: "prompt-tokens", Usage: "read up to `N` tokens of prompts between two tokens of the texts that are being drawn", Value: 128},
			&cli.DurationFlag{Name: "grace", Usage: "after Ctrl-C or SIGTERM let running answers end for this `TIME`", Value: 30 * time.Second},
			&cli.StringFlag{Name: "api-key-file", Usage: "demand the key in `FILE` with every request", DefaultText: "the key in GPT_API_KEY, if set"},
			&cli.BoolFlag{Name: "insecure", Usage: "listen at an address that others can reach without demanding a key"},
			&cli.StringSliceFlag{Name: "allowed-host", Usage: "accept this `NAME` in the Host header (repeatable)"},
			&cli.StringSliceFlag{Name: "cors-origin", Usage: "let web pages of this `ORIGIN`, like https://example.org, use the server (repeatable)"},
			&cli.BoolFlag{Name: "strict", Usage: "refuse requests with unknown parameters"},
			&cli.BoolFlag{Name: "any-model", Usage: "answer requests for unknown models with the first run"},
			&cli.StringFlag{Name: "feedback", Usage: "append what users think of answers to `FILE`", DefaultText: "feedback.jsonl in the run's folder"},
			&cli.BoolFlag{Name: "log-prompts", Usage: "write prompts and answers to the log"},
		},
		Action: serveAction,
	}
}

// mostWaiting bounds --queue: more clients than any computer has ports for.
const mostWaiting = 100_000

func serveAction(c *cli.Context) error {
	precision := model.Precision(c.String("weights"))
	key, err := apiKey(c.String("api-key-file"))
	if err != nil {
		return err
	}
	addr := c.String("addr")
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usageError{fmt.Errorf("--addr is %q: expected HOST:PORT, like 127.0.0.1:8080", addr)}
	}
	if !isLoopback(host) && key == "" && !c.Bool("insecure") {
		return usageError{fmt.Errorf("--addr %s can be reached by others: give a key with --api-key-file or GPT_API_KEY, or --insecure to do without", addr)}
	}
	if n := c.Int("queue"); n > mostWaiting {
		return usageError{fmt.Errorf("--queue is %d: expected 1 to %d", n, mostWaiting)}
	}
	dirs := c.StringSlice("run")
	if len(dirs) == 0 {
		dir, err := run.LatestToTalk(run.Root)
		if err != nil {
			return err
		}
		dirs = []string{dir}
	}
	var models []*serve.Model
	for _, dir := range dirs {
		m, err := servedModel(c.App.ErrWriter, dir, c.String("checkpoint"), precision)
		if err != nil {
			return err
		}
		if m.Decoder != nil {
			if m.Feedback, err = feedbackOf(m.Name, c.String("feedback")); err != nil {
				return err
			}
			// A cache of keys and values for each sequence is taken at the start.
			need := float64(m.Config.DecoderBytes(1, m.Config.Context)) * float64(c.Int("sequences"))
			if err := capacity.Check(fmt.Sprintf("--sequences %d of %s", c.Int("sequences"), m.Name), need, 1, "lower it"); err != nil {
				return err
			}
		}
		models = append(models, m)
	}
	nameApart(models)
	server, err := serve.New(models, serve.Options{
		Sequences: c.Int("sequences"), Queue: c.Int("queue"), PromptTokens: c.Int("prompt-tokens"),
		Key: key, Hosts: c.StringSlice("allowed-host"), Origins: c.StringSlice("cors-origin"),
		Strict: c.Bool("strict"), AnyModel: c.Bool("any-model"), LogPrompts: c.Bool("log-prompts"),
		Version: c.App.Version, Log: slog.New(slog.NewTextHandler(c.App.ErrWriter, nil)),
	})
	if err != nil {
		return usageError{err}
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		server.Close()
		return fmt.Errorf("--addr %s: %w; name another one, as in --addr 127.0.0.1:8081", addr, err)
	}
	var names []string
	for _, m := range models {
		names = append(names, m.Name)
	}
	fmt.Fprintf(c.App.Writer, "serving %s at http://%s, for clients http://%s/v1; Ctrl-C ends\n", strings.Join(names, ", "), l.Addr(), l.Addr())
	ctx, stop := interruptible(c)
	defer stop()
	return server.Serve(ctx, l, c.Duration("grace"))
}

// nameApart names models, which have the paths of their runs' folders as names, like these
// folders; where two have the same name, with the names of the folders around them, as far
// as needed: instruct-1/ppo and instruct-2/ppo.
func nameApart(models []*serve.Model) {
	paths := make([][]string, len(models)) // from the last folder on
	for i, m := range models {
		path, err := filepath.Abs(m.Name)
		if err != nil {
			path = filepath.Clean(m.Name)
		}
		paths[i] = strings.Split(filepath.ToSlash(path), "/")
		slices.Reverse(paths[i])
	}
	for i, m := range models {
		parts := 1
		for j := range paths {
			for n := 1; n < min(len(paths[i]), len(paths[j])) && j != i && slices.Equal(paths[i][:n], paths[j][:n]); n++ {
				parts = max(parts, n+1)
			}
		}
		names := slices.Clone(paths[i][:parts])
		slices.Reverse(names)
		m.Name = strings.ToValidUTF8(strings.Join(names, "/"), "\ufffd") // a folder's name may be any bytes
	}
}

// servedModel opens a run to be served: one that writes texts, or a reward model. Its name is
// the path of the run's folder; see nameApart.
func servedModel(stderr io.Writer, dir, checkpoint string, p model.Precision) (*serve.Model, error) {
	r, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	served := &serve.Model{Name: r.Dir, Config: r.Config.Model, Tokenizer: r.Tokenizer}
	if served.Created, served.Fingerprint, err = fingerprint(r, checkpoint, p); err != nil {
		return nil, err
	}
	if r.Kind.Is(run.Reward) {
		served.Reward, err = alignment.Scorer(r.Dir)
		return served, err
	}
	if err := writes(r); err != nil {
		return nil, err
	}
	m, err := trainedModel(stderr, r, checkpoint)
	if err != nil {
		return nil, err
	}
	served.Config = m.Config
	weights, err := m.Weights(p)
	if err != nil {
		return nil, err
	}
	served.Decoder = func(n int) sample.Decoder { return weights.NewDecoder(n) }
	served.Template = templateOf(stderr, r)
	return served, nil
}

// fingerprint returns when a run's weights were written, and a short sum of all that
// the text of a request and a seed depends on.
func fingerprint(r *run.Run, checkpoint string, p model.Precision) (written time.Time, sum string, err error) {
	path, err := r.Checkpoint(checkpoint)
	if err != nil {
		return written, "", err
	}
	file, err := userfile.OpenRegular(path)
	if err != nil {
		return written, "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return written, "", err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return written, "", err
	}
	fmt.Fprint(hash, tokenizer.Fingerprint(r.Tokenizer), p, version())
	return info.ModTime(), "fp_" + hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// writes refuses runs that continue no texts.
func writes(r *run.Run) error {
	if r.Kind.Is(run.Writers()...) {
		return nil
	}
	return fmt.Errorf("%s: a run of kind %s writes no texts: expected one of kind %s", r.Dir, r.Kind, suggest.List(run.Writers()))
}

// apiKey reads the key that requests need, from a file or the environment.
func apiKey(path string) (string, error) {
	if path == "" {
		return os.Getenv("GPT_API_KEY"), nil
	}
	text, err := userfile.Read(path)
	if err != nil {
		return "", fmt.Errorf("API key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if key == "" {
		return "", errors.New("API key: " + path + " is empty: expected a key")
	}
	return key, nil
}

// isLoopback reports whether a host to listen at is reached from this computer only.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
