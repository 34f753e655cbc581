package commands

import (
	"bufio"
	"strconv"

	"github.com/urfave/cli/v2"

	"tinygpt/tokenizer"
)

func tokenizerEncodeCommand() *cli.Command {
	return &cli.Command{
		Name:        "encode",
		Usage:       "turn text into token ids",
		ArgsUsage:   "[TEXT]",
		Description: "Put TEXT in quotes. Without TEXT and --file, standard input is encoded.",
		Flags: []cli.Flag{tokenizerFlag(), textFileFlag(), formatFlag(), encodingFlag(),
			&cli.BoolFlag{Name: "allow-special", Usage: "let names of special tokens, like <|endoftext|>, stand for these"},
		},
		Action: encode,
	}
}

func encode(c *cli.Context) error {
	asJSON := wantsJSON(c)
	t, err := openTokenizer(c)
	if err != nil {
		return err
	}
	text, err := inputText(c)
	if err != nil {
		return err
	}
	encode := t.Encode
	if c.Bool("allow-special") {
		encode = func(text string) ([]int32, error) { return tokenizer.EncodeSpecial(t, text) }
	}
	ids, err := encode(text)
	if err != nil {
		return inFile(c, err)
	}
	if asJSON {
		return printJSON(c, encoded(t, ids))
	}
	w := bufio.NewWriter(c.App.Writer)
	for i, id := range ids {
		if i > 0 {
			w.WriteByte(' ')
		}
		w.WriteString(strconv.Itoa(int(id)))
	}
	w.WriteByte('\n')
	return w.Flush()
}

// encoding is a text's tokens in JSON.
type encoding struct {
	Tokenizer string   `json:"tokenizer"`
	IDs       []int32  `json:"ids"`
	Tokens    []string `json:"tokens"` // as Hugging Face's files call them
}

func encoded(t tokenizer.Tokenizer, ids []int32) encoding {
	e := encoding{t.Name(), append([]int32{}, ids...), make([]string, len(ids))}
	for i, id := range ids {
		e.Tokens[i] = tokenizer.TokenName(t, id)
	}
	return e
}
