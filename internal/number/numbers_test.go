package number

import (
	"testing"
	"time"
)

func TestFormats(t *testing.T) {
	for want, got := range map[string]string{
		"0": Thousands(0), "-999": Thousands(-999), "1,234": Thousands(1234), "-1,234,567": Thousands(-1234567),
		"124,439,808": Count(124439807.6),
		"3.14e23":     Scientific(3.1415e23), "1.00e0": Scientific(1), "2.50e-5": Scientific(2.5e-5),
		"12 MiB": Mebibytes(12<<20 + 1), "1,000 MiB": Mebibytes(1000 << 20),
		"1 layer": Of(1, "layer"), "12 layers": Of(12, "layer"), "0 rows": Of(0, "row"), "1,200 words": Of(1200, "word"),
		"0 KiB": Bytes(0), "1 KiB": Bytes(1), "36 KiB": Bytes(36600), "100 KiB": Bytes(100 << 10), "0.1 MiB": Bytes(1 << 20 / 10), "0.5 MiB": Bytes(1 << 19), "999 MiB": Bytes(999 << 20), "1.0 GiB": Bytes(1000 << 20), "3.0 TiB": Bytes(3 << 40),
		"12s": Short(12 * time.Second), "3m20s": Short(200 * time.Second), "1h02m": Short(62 * time.Minute),
		"0.2 s": Span(0.25), "90 s": Span(90), "10 min": Span(600), "3.0 days": Span(86400 * 3), "316,881 years": Span(1e13),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
