package perf

import "fmt"

// Busy returns what to tell a reader if a share of a peak is more than all of it, which
// can't be: other work took the processor while the peak was measured, so no figure of that
// measurement can be relied on. It returns "" if no share is.
func Busy(shares ...float64) string {
	most := 0.0
	for _, s := range shares {
		most = max(most, s)
	}
	if most <= 1.02 { // a measurement's ordinary noise
		return ""
	}
	return fmt.Sprintf("The machine is busy: %.0f %% of a peak can't be; other programs ran while it was measured. Close them, and measure again.", 100*most)
}

// Busy returns Busy of the report's shares.
func (r Report) Busy() string {
	var shares []float64
	for _, p := range r.Products {
		shares = append(shares, p.OfPeak)
	}
	for _, t := range r.Training {
		shares = append(shares, t.OfPeak)
	}
	for _, s := range r.Sampling {
		shares = append(shares, s.OfBandwidth)
	}
	return Busy(shares...)
}
