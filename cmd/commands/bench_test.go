package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"tinygpt/study/perf"
)

func TestPrintBench(t *testing.T) {
	var out bytes.Buffer
	report := perf.Report{
		Machine:    perf.Machine{CPU: "Some CPU", Cores: 4, Logical: 8, Threads: 8, SIMD: "avx2", System: "linux/amd64", Go: "go1.26", Program: "v1.2.0, commit 592f759d6e0b", Date: "1 May 2026"},
		PeakGFLOPS: 400, BandwidthGBPerS: 32,
		Products: []perf.ProductRate{{Workload: "small", Name: "128→384 dW", Shape: [3]int{128, 384, 3072}, GFLOPS: 300, OfPeak: 0.75}},
		Training: []perf.Training{{Workload: perf.Small, StepMs: 300.04, TokensPerSecond: 10240, GFLOPS: 180, OfPeak: 0.45, Allocations: 3, AllocatedBytes: 744,
			Parts: []perf.Part{{Name: "matrix products", Ms: 200, Share: 2. / 3}}}},
		Sampling: []perf.Sampling{{Workload: perf.Small, TokensPerSecond: 2000, GBPerSecond: 20}, {Workload: perf.GPT2, TokensPerSecond: 60, GBPerSecond: 30, OfBandwidth: 0.9375}},
	}
	if err := printBench(&out, report); err != nil {
		t.Fatal(err)
	}
	if object, err := json.Marshal(report); err != nil {
		t.Error(err)
	} else {
		contains(t, string(object), `"step_ms":300.04`, `"of_peak":0.75`)
	}
	contains(t, out.String(),
		"Some CPU, 8 logical cores (4 physical), 8 threads, avx2, linux/amd64, go1.26\n1 May 2026, gpt v1.2.0, commit 592f759d6e0b\n",
		"peak of multiply-adds: 400 GFLOP/s; memory reads: 32.0 GB/s",
		"small  128→384 dW  128×384×3072      300     75 %",
		"small         4 × 256  300.0    10,240      180     45 %",
		"Where a step of small goes (heap: 3 allocations, 0.7 kB)",
		"matrix products  200.00 ms  66.7 %",
		"weights stay in the caches", "94 %")
}

// Shares above all of a peak are said to come from a busy machine.
func TestPrintBenchOfBusyMachine(t *testing.T) {
	for _, r := range []perf.Report{
		{Products: []perf.ProductRate{{OfPeak: 0.9}, {OfPeak: 1.35}}},
		{Training: []perf.Training{{Workload: perf.Small, OfPeak: 1.35}}},
		{Sampling: []perf.Sampling{{Workload: perf.GPT2, OfBandwidth: 1.35}}},
	} {
		var out bytes.Buffer
		if err := printBench(&out, r); err != nil {
			t.Fatal(err)
		}
		contains(t, out.String(), "The machine is busy: 135 % of a peak can't be")
	}
	if busy := (perf.Report{Products: []perf.ProductRate{{OfPeak: 1.01}}}).Busy(); busy != "" {
		t.Errorf("101 %%: %s", busy)
	}
}

func TestBench(t *testing.T) {
	if status, _, stderr := gpt("bench", "now"); status != 2 {
		t.Errorf("with an argument: exit %d, %s", status, stderr)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var out, errs bytes.Buffer
	if status := execute(ctx, []string{"gpt", "bench"}, &out, &errs); status != 130 {
		t.Errorf("interrupted: exit %d, %s", status, errs.String())
	}
	contains(t, errs.String(), "interrupted")
}
