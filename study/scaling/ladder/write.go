package ladder

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/study/scaling/powerlaw"
)

// Files that Analysis.Write leaves in a ladder's folder.
const (
	reportFile  = "report.md"
	resultsFile = "results.json"
)

// Write writes report, results and pictures into a folder and returns the paths of the SVG
// pictures.
func (a Analysis) Write(dir string) (pictures []string, err error) {
	results, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{reportFile: []byte(a.Markdown()), resultsFile: append(results, '\n')} {
		if err := atomicfile.WriteFile(filepath.Join(dir, name), content); err != nil {
			return nil, err
		}
	}
	return a.draw(dir)
}

// Text returns the report for a terminal.
func (a Analysis) Text() string { return a.report(false) }

// Markdown returns the report for a document.
func (a Analysis) Markdown() string { return a.report(true) }

func (a Analysis) report(markdown bool) string {
	var b strings.Builder
	b.WriteString(a.table(markdown) + "\n\n")
	item := "  "
	if markdown {
		item = "- "
	}
	say := func(format string, args ...any) { fmt.Fprintf(&b, item+format+"\n", args...) }
	say("N counts parameters without embeddings (Kaplan et al. 2020); each model saw %s tokens; error bars are of %.0f %%.", number.Thousands(a.Tokens), 100*powerlaw.Confidence)
	say("in size:    L(N) = %s; R² = %.4f", formula(a.Size.All, "N"), a.Size.All.R2)
	say("in compute: L(C) = %s; R² = %.4f", formula(a.Compute.All, "C"), a.Compute.All.R2)
	for _, f := range []struct {
		of string
		Fit
	}{{"size", a.Size}, {"compute", a.Compute}} {
		p := f.Prediction
		between := ""
		if p.High > 0 {
			between = fmt.Sprintf(" (%.4f to %.4f)", p.Low, p.High)
		}
		say("%s predicted from the smaller models' %s: %.4f%s; measured: %.4f; %.2f %% off%s", p.Shape, f.of, p.Predicted, between, p.Measured, 100*p.Off, p.free())
	}
	if seeds := seedsOf(a.Results); len(seeds) > 1 {
		for _, seed := range seeds {
			if one, err := Analyse(oneSeed(a.Results, seed), a.Floor); err != nil {
				say("seed %d alone: %v", seed, err)
			} else {
				p := one.Size.Prediction
				say("seed %d alone: L(N) = %s; R² = %.4f; predicted %.4f, measured %.4f, %.2f %% off%s", seed, formula(one.Size.All, "N"), one.Size.All.R2, p.Predicted, p.Measured, 100*p.Off, p.free())
			}
		}
	}
	if a.Floor > 0 {
		l := a.Size.All
		e, _ := l.Errors()
		verdict := fmt.Sprintf("%.3f away, within the error bar", math.Abs(l.E-a.Floor))
		switch {
		case l.AtFloor:
			verdict = "which no loss is below: these losses alone don't tell E"
		case math.Abs(l.E-a.Floor) > e:
			verdict = fmt.Sprintf("%.3f away, outside of the error bar", math.Abs(l.E-a.Floor))
		}
		say("E is what infinitely large models would reach with as many tokens: %.3f; the text's exact entropy is %.4f, %s. What more tokens would bring is part of E (Hoffmann et al. 2022, equation 2).", l.E, a.Floor, verdict)
	}
	return b.String()
}

// free returns the part of a line that says what a law with a free E predicts; "" where E
// isn't held.
func (p Prediction) free() string {
	if p.Free == 0 {
		return ""
	}
	return fmt.Sprintf(" (with E held at the text's entropy; free: %.4f, %.2f %% off)", p.Free, 100*p.FreeOff)
}

// formula writes a law with its error bars.
func formula(l powerlaw.Law, x string) string {
	e, alpha := l.Errors()
	return fmt.Sprintf("(%s) + (%s/%s)^(%s)", plusMinus(l.E, e), scaleOf(l.C), x, plusMinus(l.Alpha, alpha))
}

// plusMinus writes a number with the half width of its error bar, if it has one.
func plusMinus(x, err float64) string {
	if math.IsInf(err, 0) || err == 0 { // unknown, or held
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.3f ± %.3f", x, err)
}

// table returns a table with a row for each model.
func (a Analysis) table(markdown bool) string {
	t := terminal.Unframed()
	header := table.Row{"layers × width", "N", "parameters", "training FLOP", "learning rate", "seed", "time", "loss, nats", "bits per byte", "law", "off"}
	t.AppendHeader(header)
	var columns []table.ColumnConfig
	for i := range header {
		columns = append(columns, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	for _, r := range a.Results {
		at := a.Size.All.At(r.size())
		t.AppendRow(table.Row{r.Shape, number.Thousands(int(r.NonEmbedding)), number.Thousands(int(r.Parameters)), fmt.Sprintf("%.2e", r.FLOP), fmt.Sprintf("%.1e", r.LearningRate),
			r.Seed, number.Short(time.Duration(r.Seconds * float64(time.Second))), fmt.Sprintf("%.4f", r.Loss), fmt.Sprintf("%.4f", r.BitsPerByte), fmt.Sprintf("%.4f", at), fmt.Sprintf("%+.1f %%", 100*(at/r.BitsPerByte-1))})
	}
	if markdown {
		return t.RenderMarkdown()
	}
	return t.Render()
}
