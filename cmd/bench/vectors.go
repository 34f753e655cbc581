package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/embedding/format"
	"tinygpt/embedding/query"
	"tinygpt/embedding/training"
	"tinygpt/internal/number"
	"tinygpt/model/kernel"
)

//go:embed peers/gensim_vectors.py
var gensimProgram string

// vectorsCommand compares trainings of word vectors, each a process of its own from the
// text to the file of vectors, with the settings that all peers have.
func vectorsCommand() *cli.Command {
	return &cli.Command{
		Name:  "vectors",
		Usage: "train word vectors in turn with gensim, word2vec.c, pWord2Vec and GloVe",
		Description: `The text has a sentence or paragraph a line, its words apart by spaces. Dimension 100, window 5 (GloVe 10),
5 noise words, minimal count 5, subsampling 1e-3. A process' CPU time is what counts on a machine that isn't idle.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "data", Usage: "train on `FILE`", Required: true},
			&cli.StringFlag{Name: "gensim", Usage: "`INTERPRETER` of Python with gensim"},
			&cli.StringFlag{Name: "word2vec", Usage: "word2vec.c as `PROGRAM`"},
			&cli.StringFlag{Name: "pword2vec", Usage: "Intel's pWord2Vec as `PROGRAM`, which takes word2vec.c's flags"},
			&cli.StringFlag{Name: "glove", Usage: "`FOLDER` with GloVe's vocab_count, cooccur, shuffle and glove"},
			&cli.StringSliceFlag{Name: "model", Usage: "train `MODEL` (repeatable)", Value: cli.NewStringSlice("sgns")},
			&cli.IntFlag{Name: "threads", Usage: "of everybody", Value: 2},
			&cli.IntFlag{Name: "epochs", Usage: "train for `N` epochs", Value: 5},
			&cli.IntFlag{Name: "seeds", Usage: "trainings of each", Value: 1},
			&cli.StringFlag{Name: "analogies", Usage: "score vectors by `FILE`, like questions-words.txt"},
			&cli.StringFlag{Name: "similarities", Usage: "score vectors by `FILE`, like WordSim-353"},
			&cli.BoolFlag{Name: "json", Usage: "write JSON instead of a table"},
		},
		Action: compareVectors,
	}
}

// vectorsRun is one training.
type vectorsRun struct {
	Program    string  `json:"program"`
	Model      string  `json:"model"`
	Seed       int     `json:"seed"`
	CPUSeconds float64 `json:"cpu_seconds"` // user and system, of the whole process
	Seconds    float64 `json:"seconds"`
	Bytes      int64   `json:"peak_bytes"` // 0: the system doesn't say
	Words      int     `json:"words"`      // of the text, times epochs
	Analogies  float64 `json:"analogies_percent,omitempty"`
	Spearman   float64 `json:"spearman,omitempty"`
}

// vectorsPeer trains a model with commands that run one after the other; the last writes
// the vectors to out.
type vectorsPeer struct {
	name     string
	models   []string
	commands func(model, out string, seed int) [][]string
}

func compareVectors(c *cli.Context) error {
	dir, err := os.MkdirTemp("", "bench-vectors-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	words, err := countWords(c.String("data"))
	if err != nil {
		return err
	}
	peers, err := vectorsPeers(c, dir)
	if err != nil {
		return err
	}
	runs, err := trainVectors(c, peers, words, dir)
	return keep(c, err, len(runs) > 0, runs, func(w io.Writer) error { return printVectors(w, runs) })
}

// trainVectors has every peer train every model that it has with every seed.
func trainVectors(c *cli.Context, peers []vectorsPeer, words int, dir string) (runs []vectorsRun, err error) {
	for seed := 1; seed <= c.Int("seeds"); seed++ {
		for _, model := range c.StringSlice("model") {
			for _, p := range peers {
				if !slices.Contains(p.models, model) {
					continue
				}
				say("%s, %s, seed %d", p.name, model, seed)
				out := filepath.Join(dir, "vectors.bin")
				r := vectorsRun{Program: p.name, Model: model, Seed: seed, Words: words * c.Int("epochs")}
				for _, command := range p.commands(model, out, seed) {
					if err := r.run(c.Context, dir, command); err != nil {
						return runs, err
					}
				}
				if err := r.score(out, c.String("analogies"), c.String("similarities")); err != nil {
					return runs, err
				}
				runs = append(runs, r)
			}
		}
	}
	return runs, nil
}

// vectorsPeers are this program and those that flags name.
func vectorsPeers(c *cli.Context, dir string) ([]vectorsPeer, error) {
	data, err := filepath.Abs(c.String("data"))
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	threads, epochs := strconv.Itoa(c.Int("threads")), strconv.Itoa(c.Int("epochs"))
	peers := []vectorsPeer{{"this program (" + kernel.InstructionSet() + ")", training.Models, func(model, out string, seed int) [][]string {
		return [][]string{{self, "ours-vectors", "--threads", threads, data, out, model, epochs, strconv.Itoa(seed)}}
	}}}
	if python := c.String("gensim"); python != "" {
		script := filepath.Join(dir, "gensim_vectors.py")
		if err := os.WriteFile(script, []byte(gensimProgram), 0o644); err != nil {
			return nil, err
		}
		peers = append(peers, vectorsPeer{"gensim", []string{"sgns", "cbow"}, func(model, out string, seed int) [][]string {
			return [][]string{{python, script, data, out, model, threads, epochs, strconv.Itoa(seed)}}
		}})
	}
	for _, name := range []string{"word2vec", "pword2vec"} {
		if program := c.String(name); program != "" {
			peers = append(peers, vectorsPeer{name, []string{"sgns", "cbow"}, func(model, out string, _ int) [][]string {
				cbow := map[string]string{"sgns": "0", "cbow": "1"}[model]
				return [][]string{{program, "-train", data, "-output", out, "-size", "100", "-window", "5", "-sample", "1e-3", "-negative", "5", "-hs", "0",
					"-binary", "1", "-cbow", cbow, "-iter", epochs, "-threads", threads, "-min-count", "5"}}
			}})
		}
	}
	if folder := c.String("glove"); folder != "" {
		peers = append(peers, vectorsPeer{"GloVe", []string{"glove"}, func(_, out string, seed int) [][]string {
			tool := func(name string) string { return filepath.Join(folder, name) }
			script := fmt.Sprintf("%q -min-count 5 -verbose 0 < %q > vocab && %q -window-size 10 -memory 2 -verbose 0 -vocab-file vocab < %q > counts && "+
				"%q -memory 2 -verbose 0 < counts > shuffled && %q -input-file shuffled -vocab-file vocab -save-file out -vector-size 100 -iter %s -threads %s -x-max 10 -binary 0 -write-header 0 -seed %d && mv out.txt %q",
				tool("vocab_count"), data, tool("cooccur"), data, tool("shuffle"), tool("glove"), epochs, threads, seed, out+".txt")
			return [][]string{{"sh", "-c", script}}
		}})
	}
	return peers, nil
}

// run runs a command in dir and adds what it took.
func (r *vectorsRun) run(ctx context.Context, dir string, words []string) error {
	cmd := command(ctx, words[0], words[1:]...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	forgetPeak()
	started := time.Now()
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(said.String())
		return fmt.Errorf("%s: %w: %s", r.Program, err, text[max(0, len(text)-300):])
	}
	r.Seconds += time.Since(started).Seconds()
	r.CPUSeconds += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	r.Bytes = max(r.Bytes, peakBytes(cmd.ProcessState))
	return nil
}

// score measures the vectors that a run wrote.
func (r *vectorsRun) score(out, analogies, similarities string) error {
	if _, err := os.Stat(out + ".txt"); err == nil {
		defer os.Remove(out + ".txt")
		out += ".txt"
	}
	v, _, err := format.Read(out, 0)
	if err != nil {
		return err
	}
	s := query.New(v)
	if analogies != "" {
		sections, err := parsed(analogies, query.ParseQuestions)
		if err != nil {
			return err
		}
		all := query.Sum("all", s.Score(sections, []query.Method{query.Add}, true), nil)
		r.Analogies = all.Share(0)
	}
	if similarities != "" {
		pairs, err := parsed(similarities, query.ParsePairs)
		if err != nil {
			return err
		}
		r.Spearman = s.Correlate(pairs, true).Spearman
	}
	return nil
}

// parsed opens a file and parses it.
func parsed[T any](path string, parse func(r io.Reader, name string) (T, error)) (T, error) {
	f, err := os.Open(path)
	if err != nil {
		var none T
		return none, err
	}
	defer f.Close()
	return parse(f, path)
}

func countWords(path string) (words int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Split(bufio.ScanWords)
	for in.Scan() {
		words++
	}
	if err := in.Err(); err != nil {
		return 0, fmt.Errorf("%s, after word %d: %w", path, words, err)
	}
	if words == 0 {
		return 0, errors.New(path + ": no words in it")
	}
	return words, nil
}

func printVectors(w io.Writer, runs []vectorsRun) error {
	fmt.Fprintln(w, "| program | model | seed | words per CPU-second | times less CPU time with this program | words/s | peak memory | analogies % | Spearman |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|")
	ours := 0.0
	for _, r := range runs {
		if strings.HasPrefix(r.Program, "this program") {
			ours = r.CPUSeconds
		}
		memory, analogies, spearman := "–", "–", "–"
		if r.Bytes != 0 {
			memory = number.Mebibytes(r.Bytes)
		}
		if r.Analogies != 0 {
			analogies = fmt.Sprintf("%.1f", r.Analogies)
		}
		if r.Spearman != 0 {
			spearman = fmt.Sprintf("%.3f", r.Spearman)
		}
		fmt.Fprintf(w, "| %s | %s | %d | %s | %.1f | %s | %s | %s | %s |\n", r.Program, r.Model, r.Seed,
			number.Count(float64(r.Words)/r.CPUSeconds), r.CPUSeconds/ours, number.Count(float64(r.Words)/r.Seconds), memory, analogies, spearman)
	}
	return nil
}

// oursVectorsCommand trains with this program as a process of its own.
func oursVectorsCommand() *cli.Command {
	return &cli.Command{
		Name: "ours-vectors", Hidden: true,
		Usage:     "train word vectors",
		ArgsUsage: "TEXT OUT MODEL EPOCHS SEED",
		Flags:     []cli.Flag{&cli.IntFlag{Name: "threads"}},
		Action: func(c *cli.Context) error {
			kernel.SetThreads(c.Int("threads"))
			cfg := training.Default()
			cfg.Data.Files, cfg.Data.Words, cfg.Data.ValFraction = []string{c.Args().Get(0)}, "spaces", 0
			v := &cfg.Vectors
			v.Model, v.Evaluations = c.Args().Get(2), 1
			if v.Model == training.GloVe {
				v.Window = 10
			}
			epochs, err := strconv.Atoi(c.Args().Get(3))
			seed, err2 := strconv.ParseUint(c.Args().Get(4), 10, 64)
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			v.Epochs, v.Seed = epochs, seed
			cfg = cfg.Completed()
			text, _, err := training.ReadText(cfg.Data, true)
			if err != nil {
				return err
			}
			debug.SetGCPercent(10) // as gpt vectors train does
			s, err := training.NewSession(cfg, text)
			if err != nil {
				return err
			}
			defer s.Close()
			dir, err := os.MkdirTemp("", "bench-vectors-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			if err := s.Run(c.Context, dir); err != nil {
				return err
			}
			return format.Write(c.Args().Get(1), s.Finish())
		},
	}
}
