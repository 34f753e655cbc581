package run

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"tinygpt/configs"
	"tinygpt/embedding/training"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/train"
)

// Variables that tell a test that it is the process which another one started.
const (
	goldenSet  = "TINYGPT_TEST_INSTRUCTION_SET" // to train with
	resumedRun = "TINYGPT_TEST_RESUMED_RUN"     // to go on with
)

// testAgain runs one test in a process of its own, and returns what it prints.
func testAgain(t *testing.T, environment ...string) string {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), environment...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", environment, err, out)
	}
	return string(out)
}

// TestGolden: tiny trainings of each kind end with the bits that they have always ended
// with, on every instruction set that this machine has. Sums of a new kind of machine, or
// after a change that is meant to change bits, are taken from what this test prints.
func TestGolden(t *testing.T) {
	if set := os.Getenv(goldenSet); set != "" {
		kernel.SetInstructionSet(set)
		for _, k := range goldenRuns {
			fmt.Printf("golden %s/%s %s %s\n", processor(), set, k.name, k.sum(t))
		}
		return
	}
	known := expect.File(t, "testdata/golden.txt")
	for _, set := range kernel.InstructionSets() {
		machine := processor() + "/" + set
		out := testAgain(t, goldenSet+"="+set)
		if n := strings.Count(out, "golden "+machine); n != len(goldenRuns) {
			t.Errorf("%d sums of %s: %s", n, machine, out)
		}
		for line := range strings.Lines(out) {
			sum, ours := strings.CutPrefix(line, "golden ")
			switch {
			case !ours || strings.Contains(string(known), sum):
			case strings.Contains(string(known), machine):
				t.Errorf("testdata/golden.txt has not this sum: %s", sum)
			default:
				t.Logf("no sums of %s are known: %s", machine, sum)
			}
		}
	}
}

// processor names what Go's own arithmetic is compiled for: it may join a product and a sum,
// which rounds once instead of twice (as with GOAMD64=v3).
func processor() string {
	if x := float32(1 + 1.0/4096); joined(x, x, -1-2.0/4096) != 0 {
		return runtime.GOARCH + "+fma"
	}
	return runtime.GOARCH
}

//go:noinline
func joined(x, y, z float32) float32 { return x*y + z }

// goldenRuns are trainings of a few steps on the built-in stories.
var goldenRuns = []struct {
	name string
	sum  func(t *testing.T) string
}{
	{"train", func(t *testing.T) string { return weightsSum(goldenTraining(t, 5, "").Model) }},
	{"muon", func(t *testing.T) string { return weightsSum(goldenTraining(t, 5, train.MuonName).Model) }},
	{"finetune", func(t *testing.T) string {
		base := goldenTraining(t, 2, "")
		c := configs.DefaultFinetune()
		c.Finetune.Task, c.Finetune.Stories, c.Finetune.From = "classification", "sentiment", base.Dir
		c.Finetune.Examples, c.Finetune.Epochs, c.Finetune.MinSteps, c.Finetune.Evaluations = 40, 1, 4, 1
		c.Model, c.Train.LearningRate = base.Config.Model, 0.01
		return weightsSum(finetunedBy(t, c, fixture.NewPath(t, "finetune"), nil).Session.Model)
	}},
	{"vectors", func(t *testing.T) string {
		c := training.Default()
		c.Data.StoriesBytes, c.Data.ValFraction = 60_000, 0.05
		c.Vectors.Model, c.Vectors.Dim, c.Vectors.Epochs, c.Vectors.Evaluations = training.SkipGram, 20, 1, 1
		c = c.Completed()
		text, _, err := training.ReadText(c.Data, false)
		if err != nil {
			t.Fatal(err)
		}
		s, err := training.NewSession(c, text)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Describe(io.Discard)
		if err := s.Run(context.Background(), t.TempDir()); err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		add(h, s.Vectors().Matrix)
		return fmt.Sprintf("%x", h.Sum(nil))
	}},
}

// goldenTraining trains a tiny GPT-2 for some steps.
func goldenTraining(t *testing.T, steps int, optimiser string) *Training {
	t.Helper()
	c := configs.Default()
	c.Data.StoriesBytes, c.Tokenizer.VocabSize = 20_000, 300
	c.Model.Layers, c.Model.Heads, c.Model.Width, c.Model.Context, c.Model.Dropout = 2, 2, 40, 48, 0.1
	c.Train.Steps, c.Train.BatchSize, c.Train.GradientAccumulationSteps, c.Train.WarmupSteps = steps, 3, 2, 1
	c.Train.Optimiser = optimiser
	c.Train.EvalInterval, c.Train.SampleInterval, c.Sample.MaxTokens = 0, 0, 4
	return trained(t, c, fixture.NewPath(t, "train"), nil)
}

// weightsSum is a checksum of a model's weights.
func weightsSum(m *model.Model) string {
	h := sha256.New()
	for _, p := range m.Parameters {
		io.WriteString(h, p.Name)
		add(h, p.Value.Float32s())
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func add(h hash.Hash, x []float32) { binary.Write(h, binary.LittleEndian, x) }

// A run that goes on without AVX-512, on a machine that has it, says so; with the same
// instruction set it says nothing.
func TestOtherInstructions(t *testing.T) {
	if dir := os.Getenv(resumedRun); dir != "" {
		x, err := Resume(dir, "train.steps=3")
		if err != nil {
			t.Fatal(err)
		}
		x.Close()
		fmt.Printf("notes: %s\n", strings.Join(x.Notes, "; "))
		return
	}
	for began, notes := range map[string]int{"": 0, "v1, commit 5e1, go1.26, linux/amd64, " + kernel.InstructionSet(): 0, "v1, commit 5e1, go1.26, linux/amd64, vax": 1} {
		if got := (Found{Program: began}).OtherInstructions(); len(got) != notes {
			t.Errorf("of %q: %q", began, got)
		}
	}
	dir := goldenTraining(t, 2, "").Dir
	const says = "the run began on a processor with avx512 and goes on with avx2"
	if out := testAgain(t, resumedRun+"="+dir); strings.Contains(out, "the run began on") {
		t.Errorf("on the same processor: %s", out)
	}
	if kernel.InstructionSet() != "avx512" {
		t.Skip("needs a processor with AVX-512")
	}
	if out := testAgain(t, resumedRun+"="+dir, "GODEBUG=cpu.avx512f=off"); !strings.Contains(out, says) {
		t.Errorf("without AVX-512 it doesn't say %q: %s", says, out)
	}
}
