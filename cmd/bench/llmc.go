package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// llmc is a checkout of karpathy/llm.c: its train_gpt2 for CPUs, whose model
// and batch (GPT-2 124M, B = 4, T = 64) are written into the program.
type llmc struct {
	program string
	dir     string // where it runs: files of random weights and tokens
	threads int
}

// newLLMC builds train_gpt2 in the checkout and writes its input to dir.
func newLLMC(ctx context.Context, checkout, dir string, threads int) (*llmc, error) {
	checkout, err := filepath.Abs(checkout)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(checkout, "train_gpt2.c")); err != nil {
		return nil, fmt.Errorf("--llmc: %s is not a checkout of karpathy/llm.c: %w", checkout, err)
	}
	if out, err := command(ctx, "make", "-C", checkout, "train_gpt2", "CC="+compiler()).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make -C %s train_gpt2: %w\n%s", checkout, err, out)
	}
	l := &llmc{filepath.Join(checkout, "train_gpt2"), dir, threads}
	return l, errors.Join(l.writeWeights(), l.writeTokens("train", 300_000), l.writeTokens("val", 32_768))
}

// fastest searches for the setting with the shortest step.
func (l *llmc) fastest(ctx context.Context, m *memory) (setting, []trial, error) {
	pages := []choice{{What: "memory", Label: "huge pages", Variables: []string{"GLIBC_TUNABLES=glibc.malloc.hugetlb=1"}}}
	return m.search(ctx, "llm.c", setting{}, [][]choice{openMP, pages}, func(s setting) (racer, error) {
		return racer{measure: func() (float64, error) {
			got, err := l.measure(ctx, s, 1)
			return got.perCall(), err
		}}, nil
	})
}

// Dimensions of llm.c's checkpoint "gpt2_124M.bin", version 3.
const (
	llmcLayers, llmcHeads, llmcWidth = 12, 12, 768
	llmcContext                      = 1024
	llmcVocab, llmcPadded            = 50257, 50304
)

// writeWeights writes a checkpoint: 256 int32 of header, then each parameter of
// all layers, linear weights as [out, in].
func (l *llmc) writeWeights() error {
	const L, C = llmcLayers, llmcWidth
	header := make([]int32, 256)
	copy(header, []int32{20240326, 3, llmcContext, llmcVocab, L, llmcHeads, C, llmcPadded})
	return write(filepath.Join(l.dir, "gpt2_124M.bin"), func(w io.Writer) error {
		if err := binary.Write(w, binary.LittleEndian, header); err != nil {
			return err
		}
		residual := 0.02 / math.Sqrt(2*L)
		random := rand.New(rand.NewPCG(1, 1))
		for _, p := range []struct {
			n         int
			mean, std float64
		}{
			{llmcPadded * C, 0, 0.02}, {llmcContext * C, 0, 0.02},
			{L * C, 1, 0}, {L * C, 0, 0},
			{L * 3 * C * C, 0, 0.02}, {L * 3 * C, 0, 0},
			{L * C * C, 0, residual}, {L * C, 0, 0},
			{L * C, 1, 0}, {L * C, 0, 0},
			{L * 4 * C * C, 0, 0.02}, {L * 4 * C, 0, 0},
			{L * 4 * C * C, 0, residual}, {L * C, 0, 0},
			{C, 1, 0}, {C, 0, 0},
		} {
			var b [4]byte
			for range p.n {
				x := p.mean
				if p.std > 0 {
					x += p.std * random.NormFloat64()
				}
				binary.LittleEndian.PutUint32(b[:], math.Float32bits(float32(x)))
				if _, err := w.Write(b[:]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// writeTokens writes n random tokens: 256 int32 of header, then uint16s.
func (l *llmc) writeTokens(split string, n int) error {
	header := make([]int32, 256)
	copy(header, []int32{20240520, 1, int32(n)})
	tokens := make([]uint16, n)
	random := rand.New(rand.NewPCG(2, uint64(n)))
	for i := range tokens {
		tokens[i] = uint16(random.IntN(llmcVocab))
	}
	dir := filepath.Join(l.dir, "dev", "data", "tinyshakespeare")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return write(filepath.Join(dir, "tiny_shakespeare_"+split+".bin"), func(w io.Writer) error {
		return errors.Join(binary.Write(w, binary.LittleEndian, header), binary.Write(w, binary.LittleEndian, tokens))
	})
}

// write creates a file whose content do writes to a buffer.
func write(path string, content func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(content(w), w.Flush(), f.Close())
}

// measure starts the program, reads the times that it prints for its second and later steps
// (the first one allocates), and ends it.
func (l *llmc) measure(ctx context.Context, set setting, steps int) (got slice, err error) {
	// The program would write to a pipe in blocks of many steps. stdbuf (of coreutils)
	// makes it write each line; without it, measuring waits for a block.
	run := command(ctx, l.program)
	if stdbuf, err := exec.LookPath("stdbuf"); err == nil {
		run = command(ctx, stdbuf, "-oL", l.program)
	}
	run.Dir = l.dir
	run.Env = append(append(environment(), set.variables()...), fmt.Sprintf("OMP_NUM_THREADS=%d", l.threads))
	out, err := run.StdoutPipe()
	if err != nil {
		return got, err
	}
	if err := run.Start(); err != nil {
		return got, err
	}
	defer func() {
		kill(run.Process)
		run.Wait()
	}()
	last := "nothing"
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last = lines.Text()
		var step int
		var ms float64
		if !strings.HasPrefix(last, "step ") {
			continue
		}
		if _, err := fmt.Sscanf(last, "step %d: train loss %g (took %g ms)", &step, &got.Check, &ms); err != nil {
			return got, fmt.Errorf("%s wrote %q: %w", l.program, last, err)
		}
		if step == 0 {
			continue
		}
		got.Calls++
		got.Seconds += ms / 1e3
		if got.Calls == steps {
			return got, nil
		}
	}
	return got, fmt.Errorf("%s ended after %d steps; it wrote last: %s", l.program, got.Calls, last)
}
