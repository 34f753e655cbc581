package scaling

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
)

// Format is the format of tables.
type Format string

// The formats are for a terminal, for a document, and for programs. CSV has plain numbers,
// in units that the names of its columns say.
const (
	Text     Format = "text"
	Markdown Format = "markdown"
	CSV      Format = "csv"
)

// Report holds estimates of papers' models or of a configuration, and what they rest on.
type Report struct {
	Sections    []Section   `json:"sections"`
	Speed       Speed       `json:"measured_speed"`
	Accelerator Accelerator `json:"accelerator"`
	Machine     Machine     `json:"machine"`
}

// Section is a table's worth of estimates, with what must be said about them.
type Section struct {
	Title string     `json:"title"`
	Rows  []Estimate `json:"rows"`
	Notes []string   `json:"notes,omitempty"`
	// Spreads are the estimates for several computers, one for each stage of the training.
	Spreads []Spread `json:"spreads,omitempty"`
	// Advice holds the lines of Advise.
	Advice []string `json:"advice,omitempty"`
}

// NewSection returns the section of a paper.
func NewSection(p Paper) Section {
	notes := append([]string{"Tokens: " + p.TokensSource + "."}, p.Notes()...)
	return Section{Title: p.Title + " (" + p.Source + ")", Rows: p.Estimates(), Notes: notes}
}

// Add adds a section. Rows without times get those of the report's speeds, in s.Rows too.
func (r *Report) Add(s Section) {
	for i, e := range s.Rows {
		if e.SecondsHere == 0 && e.SecondsAccelerator == 0 {
			s.Rows[i] = e.On(r.Speed.FLOPS, r.Accelerator)
		}
	}
	r.Sections = append(r.Sections, s)
}

// Write writes the report as tables, of which CSV has one for all sections.
func (r Report) Write(w io.Writer, f Format) error {
	if f == CSV {
		return r.writeCSV(w)
	}
	return r.writeTables(w, f)
}

// column is a column of a table.
type column struct {
	name string
	of   func(Estimate) string
}

func count(n int64) string { return number.Count(float64(n)) }

// sizeColumns are in the tables and in the CSV file.
var sizeColumns = []column{
	{"layers", func(e Estimate) string { return strconv.Itoa(e.Layers) }},
	{"d_model", func(e Estimate) string { return strconv.Itoa(e.Width) }},
	{"heads", func(e Estimate) string { return strconv.Itoa(e.Heads) }},
	{"d_head", func(e Estimate) string { return strconv.Itoa(e.HeadWidth) }},
}

// The columns of the three tables of a section.
var (
	shapeColumns = slices.Concat([]column{
		{"model", func(e Estimate) string { return e.Name }},
		{"paper", func(e Estimate) string { return e.Printed }},
	}, sizeColumns, []column{
		{"parameters", func(e Estimate) string { return count(e.Parameters) }},
		{"embedding", func(e Estimate) string { return count(e.Counts.Embedding + e.Counts.Head) }},
		{"positions", func(e Estimate) string { return count(e.Counts.Positions) }},
		{"attention", func(e Estimate) string { return count(e.Counts.Attention) }},
		{"MLP", func(e Estimate) string { return count(e.Counts.MLP) }},
		{"LayerNorm", func(e Estimate) string { return count(e.Counts.LayerNorm) }},
	})
	memoryColumns = []column{
		{"model", func(e Estimate) string { return e.Name }},
		{"weights", func(e Estimate) string { return number.Bytes(e.Memory.Weights) }},
		{"gradients", func(e Estimate) string { return number.Bytes(e.Memory.Gradients) }},
		{"optimiser", func(e Estimate) string { return number.Bytes(e.Memory.Optimiser) }},
		{"activations", func(e Estimate) string { return number.Bytes(e.Memory.Activations) }},
		{"packed", func(e Estimate) string { return number.Bytes(e.Memory.Packed) }},
		{"evaluation", func(e Estimate) string { return number.Bytes(e.Memory.Evaluation) }},
		{"in all", func(e Estimate) string { return number.Bytes(e.Total) }},
	}
	computeColumns = []column{
		{"model", func(e Estimate) string { return e.Name }},
		{"batch in tokens", func(e Estimate) string { return number.Count(e.BatchSize) }},
		{"learning rate", func(e Estimate) string { return optional(e.Rate, "%.3g") }},
		{"FLOP per token", func(e Estimate) string { return number.Scientific(e.FLOPPerToken) }},
		{"tokens", func(e Estimate) string { return number.Scientific(e.Tokens) }},
		{"training FLOP", func(e Estimate) string { return number.Scientific(e.FLOP) }},
		{"here", func(e Estimate) string { return number.Span(e.SecondsHere) }},
		{"accelerator", func(e Estimate) string { return number.Span(e.SecondsAccelerator) }},
	}
)

// optional formats x; "" for 0, which isn't known.
func optional(x float64, format string) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf(format, x)
}

func (r Report) writeTables(w io.Writer, f Format) error {
	heading, item := "%s\n", "  %s\n"
	if f == Markdown {
		heading, item = "## %s\n", "- %s\n"
	}
	var err error
	print := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format, args...)
		}
	}
	for i, s := range r.Sections {
		if i > 0 {
			print("\n")
		}
		print(heading+"\n", s.Title)
		sequences := s.Rows[0].Sequences
		here := column{"here", func(e Estimate) string {
			if e.Total <= planned(r.Machine) {
				return "fits"
			}
			return "too large"
		}}
		at := fmt.Sprintf("%d sequences", sequences)
		if sequences == 1 {
			at = "one sequence"
		}
		for _, t := range []struct {
			title   string
			columns []column
		}{
			{"Parameters, counted", shapeColumns},
			{fmt.Sprintf("Memory of training in float32, %s of %s tokens at a time; this computer has %s, %s of it free", at, number.Count(float64(s.Rows[0].Context)), number.Bytes(int64(r.Machine.Total)), number.Bytes(int64(r.Machine.Available))), append(slices.Clone(memoryColumns), here)},
			{fmt.Sprintf("Time: here %.0f GFLOP/s (measured, training %s), accelerator %s", r.Speed.FLOPS/1e9, r.Speed.Workload.Name, r.Accelerator), computeColumns},
		} {
			print("%s\n\n%s\n\n", t.title, render(t.columns, s.Rows, f, terminal.Width(w)))
		}
		for _, note := range s.Notes {
			print(item, note)
		}
		if len(s.Advice) > 0 {
			print("\n")
		}
		for _, a := range s.Advice {
			print("%s\n", a)
		}
	}
	return err
}

// render returns a table without the columns that are empty in all rows, for a terminal of that
// width; 0: for none.
func render(columns []column, rows []Estimate, f Format, width int) string {
	columns = slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return !slices.ContainsFunc(rows, func(e Estimate) bool { return strings.Trim(c.of(e), "0") != "" })
	})
	if f == Text {
		return renderText(columns, rows, width)
	}
	t := terminal.Unframed()
	var header table.Row
	cells := make([]table.Row, len(rows))
	var configs []table.ColumnConfig
	for i, c := range columns {
		header = append(header, c.name)
		align := text.AlignRight
		if i == 0 {
			align = text.AlignLeft
		}
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align})
		for j, e := range rows {
			cells[j] = append(cells[j], c.of(e))
		}
	}
	t.AppendHeader(header)
	t.AppendRows(cells)
	t.SetColumnConfigs(configs)
	return t.RenderMarkdown()
}

// renderText puts the models next to one another, a line for each of their properties.
func renderText(columns []column, rows []Estimate, width int) string {
	var table [][]string
	for _, c := range columns {
		line := []string{c.name}
		for _, e := range rows {
			line = append(line, c.of(e))
		}
		table = append(table, line)
	}
	return strings.TrimSuffix(terminal.SideBySide(table, width), "\n")
}

// writeCSV writes one table of plain numbers.
func (r Report) writeCSV(w io.Writer) error {
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	columns := slices.Concat([]column{
		{"paper", func(e Estimate) string { return e.Paper }},
		{"name", func(e Estimate) string { return e.Name }},
		{"paper_parameters", func(e Estimate) string { return e.Printed }},
	}, sizeColumns, []column{
		{"context", func(e Estimate) string { return strconv.Itoa(e.Context) }},
		{"vocab_size", func(e Estimate) string { return strconv.Itoa(e.VocabSize) }},
		{"batch_tokens", func(e Estimate) string { return number(e.BatchSize) }},
		{"learning_rate", func(e Estimate) string { return number(e.Rate) }},
		{"parameters", func(e Estimate) string { return whole(e.Parameters) }},
		{"embedding", func(e Estimate) string { return whole(e.Counts.Embedding) }},
		{"positions", func(e Estimate) string { return whole(e.Counts.Positions) }},
		{"attention", func(e Estimate) string { return whole(e.Counts.Attention) }},
		{"mlp", func(e Estimate) string { return whole(e.Counts.MLP) }},
		{"layer_norm", func(e Estimate) string { return whole(e.Counts.LayerNorm) }},
		{"head", func(e Estimate) string { return whole(e.Counts.Head) }},
		{"sequences", func(e Estimate) string { return strconv.Itoa(e.Sequences) }},
		{"weights_bytes", func(e Estimate) string { return whole(e.Memory.Weights) }},
		{"gradients_bytes", func(e Estimate) string { return whole(e.Memory.Gradients) }},
		{"optimiser_bytes", func(e Estimate) string { return whole(e.Memory.Optimiser) }},
		{"activations_bytes", func(e Estimate) string { return whole(e.Memory.Activations) }},
		{"packed_bytes", func(e Estimate) string { return whole(e.Memory.Packed) }},
		{"evaluation_bytes", func(e Estimate) string { return whole(e.Memory.Evaluation) }},
		{"memory_total_bytes", func(e Estimate) string { return whole(e.Total) }},
		{"flop_per_token", func(e Estimate) string { return number(e.FLOPPerToken) }},
		{"training_tokens", func(e Estimate) string { return number(e.Tokens) }},
		{"training_flop", func(e Estimate) string { return number(e.FLOP) }},
		{"seconds_here", func(e Estimate) string { return number(e.SecondsHere) }},
		{"seconds_accelerator", func(e Estimate) string { return number(e.SecondsAccelerator) }},
	})
	out := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	out.Write(row)
	for _, s := range r.Sections {
		for _, e := range s.Rows {
			for i, c := range columns {
				row[i] = c.of(e)
			}
			out.Write(row)
		}
	}
	out.Flush()
	return out.Error()
}
