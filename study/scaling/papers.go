// Package scaling counts what models of the GPT papers, or of a configuration, consist
// of and cost: parameters, memory, operations and time.
package scaling

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"tinygpt/internal/number"
	"tinygpt/internal/suggest"
	"tinygpt/model"
)

// Paper is a paper's table of models.
type Paper struct {
	Name   string // as on the command line
	Title  string
	Source string
	// Arch, VocabSize and Context are the same for all of its models.
	Arch      model.Arch
	VocabSize int
	Context   int
	// Tokens is the number of tokens of a training, TokensSource where it is from.
	Tokens       float64
	TokensSource string
	Rows         []Row
	Remarks      []string // on what the table leaves open
}

// Row is a model in a paper's table.
type Row struct {
	Name       string
	Parameters string // as printed, "117M" or "1.3B"
	Layers     int
	Width      int
	Heads      int
	HeadWidth  int     // as printed; 0 where the paper gives none
	Batch      float64 // in tokens; 0 where the paper gives none
	Rate       float64 // learning rate; 0 where the paper gives none
	// Total is the number of parameters, in millions, that the paper's table of compute
	// gives; 0 where there is none.
	Total float64
}

// Sizes of the papers' texts.
const (
	booksCorpusWords = 984_846_357 // Zhu et al. 2015, table 2
	webTextBytes     = 40e9        // Radford et al. 2019, section 2.1
	bytesPerToken    = 4.4         // of GPT-2's tokenizer on English web text, roughly
)

// Papers holds the tables of GPT-1, 2 and 3.
var Papers = []Paper{
	{
		Name: "gpt1", Title: "GPT-1", Source: "Radford et al. 2018, section 4.1", Arch: model.GPT1, VocabSize: 40478, Context: 512,
		Tokens: 100 * booksCorpusWords, TokensSource: "100 epochs of the BooksCorpus's 985 million words (Zhu et al. 2015), a token a word: the paper gives epochs, no tokens",
		Rows: []Row{{Name: "GPT-1", Parameters: "117M", Layers: 12, Width: 768, Heads: 12, Batch: 64 * 512, Rate: 2.5e-4}},
		Remarks: []string{
			"The paper gives no number of parameters; 117M is what is said of it elsewhere. The vocabulary of 40,478 is that of the released model: 40,000 merges and the characters.",
		},
	},
	{
		Name: "gpt2", Title: "GPT-2", Source: "Radford et al. 2019, table 2", Arch: model.GPT2, VocabSize: 50257, Context: 1024,
		Tokens: webTextBytes / bytesPerToken, TokensSource: "one pass over WebText's 40 GB at 4.4 bytes a token: the paper gives neither tokens nor epochs",
		Rows: []Row{
			{Name: "117M", Parameters: "117M", Layers: 12, Width: 768, Heads: 12, Batch: 512 * 1024},
			{Name: "345M", Parameters: "345M", Layers: 24, Width: 1024, Heads: 16, Batch: 512 * 1024},
			{Name: "762M", Parameters: "762M", Layers: 36, Width: 1280, Heads: 20, Batch: 512 * 1024},
			{Name: "1542M", Parameters: "1542M", Layers: 48, Width: 1600, Heads: 25, Batch: 512 * 1024},
		},
		Remarks: []string{
			"The numbers of heads are those of the released models: the paper's table has none. The released weights have as many parameters as counted here; the authors later called the models 124M, 355M, 774M and 1558M.",
		},
	},
	{
		Name: "gpt3", Title: "GPT-3", Source: "Brown et al. 2020, table 2.1", Arch: model.GPT2, VocabSize: 50257, Context: 2048,
		Tokens: 300e9, TokensSource: "300 billion for each model (Brown et al. 2020, section 2.2)",
		Rows: []Row{
			{"Small", "125M", 12, 768, 12, 64, 0.5e6, 6.0e-4, 125},
			{"Medium", "350M", 24, 1024, 16, 64, 0.5e6, 3.0e-4, 356},
			{"Large", "760M", 24, 1536, 16, 96, 0.5e6, 2.5e-4, 760},
			{"XL", "1.3B", 24, 2048, 24, 128, 1e6, 2.0e-4, 1320},
			{"2.7B", "2.7B", 32, 2560, 32, 80, 1e6, 1.6e-4, 2650},
			{"6.7B", "6.7B", 32, 4096, 32, 128, 2e6, 1.2e-4, 6660},
			{"13B", "13.0B", 40, 5140, 40, 128, 2e6, 1.0e-4, 12850},
			{"175B", "175.0B", 96, 12288, 96, 128, 3.2e6, 0.6e-4, 174600},
		},
		Remarks: []string{
			"GPT-3's layers attend in turn to all tokens and to a band of nearby ones, whose width isn't given; operations are counted as if all attended to all.",
		},
	},
}

// Find returns the paper of that name, or all papers for "all". It fails for an unknown name.
func Find(name string) ([]Paper, error) {
	if name == "all" {
		return Papers, nil
	}
	var names []string
	for _, p := range Papers {
		if p.Name == name {
			return []Paper{p}, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("%q: %s", name, suggest.Expected(name, append(names, "all")...))
}

// Config returns the model of a row, with the width that the paper prints.
func (p Paper) Config(r Row) model.Config {
	return model.Config{Arch: p.Arch, Layers: r.Layers, Heads: r.Heads, Width: r.Width, Context: p.Context, VocabSize: p.VocabSize}
}

// parameters reads a number such as 117M or 1.3B and returns it with the unit of its last
// digit: 117e6 and 1e6, 1.3e9 and 1e8.
func parameters(printed string) (value, unit float64) {
	digits, scale := printed[:len(printed)-1], map[byte]float64{'M': 1e6, 'B': 1e9}[printed[len(printed)-1]]
	value, err := strconv.ParseFloat(digits, 64)
	if err != nil || scale == 0 {
		panic("scaling: " + printed + " is no number of parameters")
	}
	if _, decimals, ok := strings.Cut(digits, "."); ok {
		return value * scale, scale * math.Pow10(-len(decimals))
	}
	return value * scale, scale
}

// Notes returns sentences on where the paper's figures disagree with a count or with one
// another, and the paper's remarks.
func (p Paper) Notes() (notes []string) {
	for _, r := range p.Rows {
		c := p.Config(r)
		counted := float64(c.ParameterCount())
		if printed, unit := parameters(r.Parameters); math.Abs(counted-printed) > unit/2 {
			notes = append(notes, fmt.Sprintf("%s has %s parameters by its shape, %+.1f %% against the paper's %s.", r.Name, number.Count(counted), 100*(counted/printed-1), r.Parameters))
		}
		if inner := r.Heads * r.HeadWidth; r.HeadWidth > 0 && inner != r.Width {
			notes = append(notes, p.disagreement(r, inner))
		}
	}
	return append(notes, p.Remarks...)
}

// disagreement returns a note on a row whose number of heads times their width, inner, isn't
// the model's width.
func (p Paper) disagreement(r Row, inner int) string {
	c := p.Config(r)
	text := fmt.Sprintf("%s: %d heads × %d are %s, not %s. Counted is a width of %s throughout, %.2fM parameters; ",
		r.Name, r.Heads, r.HeadWidth, number.Count(float64(inner)), number.Count(float64(r.Width)), number.Count(float64(r.Width)), float64(c.ParameterCount())/1e6)
	// The projections of attention are width × inner then.
	wide := c.Counts()
	wide.Attention += int64(r.Layers) * (4*int64(r.Width) + 3) * int64(inner-r.Width)
	text += fmt.Sprintf("with attention of %s columns it is %.2fM", number.Count(float64(inner)), float64(wide.Total())/1e6)
	c.Width = inner
	text += fmt.Sprintf(", with a width of %s %.2fM", number.Count(float64(inner)), float64(c.ParameterCount())/1e6)
	if r.Total > 0 {
		text += fmt.Sprintf("; the paper's table D.1 has %sM", number.Count(r.Total))
	}
	return text + "."
}
