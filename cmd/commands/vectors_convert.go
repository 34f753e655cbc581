package commands

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"tinygpt/embedding/format"
	"tinygpt/internal/number"
)

func vectorsConvertCommand() *cli.Command {
	return &cli.Command{
		Name:  "convert",
		Usage: "write vectors in the format that a file's name asks for",
		Description: `--to ends in .txt or .vec (word2vec's and fastText's text), .bin (word2vec's binary form), .glove.txt (without
a first line), each also with .gz, or in .safetensors, which gets its words in a .tsv file of the same name.`,
		Flags: append(fromFlags(),
			&cli.StringFlag{Name: "to", Usage: "write to `FILE`"},
			formatFlag(),
			forceFlag(),
		),
		Action: func(c *cli.Context) error {
			to := c.String("to")
			if to == "" {
				return usageError{errors.New("convert needs --to FILE")}
			}
			f, zipped, err := format.ByName(to)
			if err != nil {
				return usageError{fmt.Errorf("--to: %w", err)}
			}
			if err := mayWrite(c, to); err != nil {
				return err
			}
			if f == format.Safetensors {
				if err := mayWrite(c, format.WordsFile(to)); err != nil {
					return err
				}
			}
			v, err := readVectors(c)
			if err != nil {
				return err
			}
			if err := format.Write(to, v); err != nil {
				return err
			}
			as := format.Notes{Format: f, Zipped: zipped}.String()
			return report(c, struct {
				To    string `json:"to"`
				As    string `json:"as"`
				Words int    `json:"words"`
				Dim   int    `json:"dim"`
			}{to, as, len(v.Words), v.Dim}, "wrote %s (%s): %s words of %d numbers\n", to, as, number.Thousands(len(v.Words)), v.Dim)
		},
	}
}
