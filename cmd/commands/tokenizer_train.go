package commands

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/tokenizer"
)

func tokenizerTrainCommand() *cli.Command {
	return &cli.Command{
		Name:  "train",
		Usage: "learn a tokenizer from texts and write it as Hugging Face's tokenizer.json",
		Flags: []cli.Flag{
			textsFlag("learn from", ""),
			encodingFlag(),
			&cli.StringFlag{Name: "to", Usage: "write into `FOLDER`"},
			choice("kind", "bpe or char; gpt2 and byte need no training", "bpe", "bpe", "char"),
			&cli.IntFlag{Name: "vocab-size", Usage: "of bpe: `N` tokens, with the 256 bytes and the special tokens", Value: 4096},
			&cli.IntFlag{Name: "min-frequency", Usage: "of bpe: merge pairs that occur `N` times or more", Value: 2},
			&cli.StringSliceFlag{Name: "special-token", KeepSpace: true, Usage: "add the special token `NAME` after <|endoftext|> (repeatable)"},
			formatFlag(),
			forceFlag(),
		},
		Action: trainTokenizer,
	}
}

func trainTokenizer(c *cli.Context) error {
	files, dir := c.StringSlice("data"), c.String("to")
	kind, special := c.String("kind"), c.StringSlice("special-token")
	switch {
	case len(files) == 0:
		return usageError{errors.New("no text to learn from: give --data FILE")}
	case dir == "":
		return usageError{errors.New("no --to: name the folder that the tokenizer goes into")}
	case c.Int("min-frequency") < 1:
		return usageError{fmt.Errorf("--min-frequency is %d: expected 1 or more", c.Int("min-frequency"))}
	}
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json"} {
		if err := mayWrite(c, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := atomicfile.CheckFolder(dir); err != nil {
		return err
	}
	corpus, err := readTexts(c, files)
	if err != nil {
		return err
	}
	out, started := terminal.Prose(narration(c)), time.Now()
	fmt.Fprintf(out, "text: %s\n", corpus.Report)
	var t tokenizer.Tokenizer
	if kind == "char" {
		if t, err = tokenizer.NewChar(corpus.Texts()); err == nil {
			t, err = tokenizer.WithSpecialTokens(t, special...)
		}
	} else {
		p := terminal.NewStages(c.App.ErrWriter)
		options := append(learning(p)(corpus.Bytes()), tokenizer.MinCount(c.Int("min-frequency")), tokenizer.SpecialTokens(special...))
		t, err = tokenizer.TrainBPE(corpus.Texts(), c.Int("vocab-size"), options...)
		p.Clear()
	}
	if err != nil {
		return err
	}
	took := time.Since(started)
	if err := atomicfile.MakeFolder(dir); err != nil {
		return err
	}
	if err := tokenizer.Save(dir, t, 0); err != nil {
		return err
	}
	stream, err := data.Tokenize(corpus, tokenizer.ForTexts(t))
	if err != nil {
		return err
	}
	u := tokenizer.NewUsage(t, stream.Tokens)
	if wantsJSON(c) {
		return printJSON(c, struct {
			To            string  `json:"to"`
			Tokenizer     string  `json:"tokenizer"`
			VocabSize     int     `json:"vocab_size"`
			Bytes         int     `json:"bytes"` // learned from
			Seconds       float64 `json:"seconds"`
			BytesPerToken float64 `json:"bytes_per_token"`
		}{dir, t.Name(), t.VocabSize(), corpus.Bytes(), took.Seconds(), perToken(u.Bytes, u.Tokens)})
	}
	fmt.Fprintf(out, "learned %s from %s bytes in %.2f s: %s tokens, %.2f bytes per token on this text\n",
		t.Name(), number.Thousands(corpus.Bytes()), took.Seconds(), number.Thousands(t.VocabSize()), perToken(u.Bytes, u.Tokens))
	if kind == "bpe" && t.VocabSize() < c.Int("vocab-size") {
		fmt.Fprintf(out, "that is less than --vocab-size %d: no further pair occurs %d times\n", c.Int("vocab-size"), c.Int("min-frequency"))
	}
	fmt.Fprintf(out, "look into it: %s\ntrain with it: %s\n", command("tokenizer", "inspect", "--tokenizer", dir), command("train", "--tokenizer", dir, "--data", files[0]))
	return nil
}
