package format

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"tinygpt/embedding"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
	"tinygpt/model/safetensors"
)

// tensorName is the name of the matrix.
const tensorName = "vectors"

// Keys of the metadata: the checksum of the file of words, and whether it has counts.
const (
	wordsChecksum = "words_sha256"
	wordsCounted  = "words_counted"
)

// WordsFile returns the name of the file with the words of the safetensors file path: the same
// name with the ending .tsv.
func WordsFile(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".tsv" }

func writeSafetensors(path string, v *embedding.Vectors) error {
	var words bytes.Buffer
	for i, w := range v.Words {
		if strings.Contains(w, "\n") {
			return fmt.Errorf("%s: word %d, %q, has a line end, at which a word ends in this format: leave it out", path, i+1, w)
		}
		words.WriteString(w)
		if v.Counts != nil {
			words.WriteByte('\t')
			words.WriteString(strconv.FormatInt(v.Counts[i], 10))
		}
		words.WriteByte('\n')
	}
	sum := sha256.Sum256(words.Bytes())
	if err := atomicfile.WriteFile(WordsFile(path), words.Bytes()); err != nil {
		return err
	}
	return safetensors.Write(path, []safetensors.Tensor{{Name: tensorName, Shape: []int{len(v.Words), v.Dim}, Data: v.Matrix}},
		map[string]string{wordsChecksum: hex.EncodeToString(sum[:]), wordsCounted: strconv.FormatBool(v.Counts != nil)})
}

// readSafetensors reads the tensor "vectors", or whatever its name the only one that there is.
func readSafetensors(path string) (*embedding.Vectors, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	name := tensorName
	names := f.Names()
	if len(names) == 1 {
		name = names[0]
	}
	info, ok := f.Info(name)
	if !ok || len(info.Shape) != 2 || info.Shape[0] < 1 || info.Shape[1] < 1 {
		return nil, fmt.Errorf("%s: tensors %.100q: expected a matrix %q [words, numbers]", path, names[:min(5, len(names))], tensorName)
	}
	v := &embedding.Vectors{Dim: info.Shape[1], Matrix: make([]float32, info.Len())}
	if err := f.Float32(name, v.Matrix); err != nil {
		return nil, err
	}
	if err := readWords(WordsFile(path), f.Metadata(), v, info.Shape[0]); err != nil {
		return nil, err
	}
	if err := v.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// readWords reads the words of the file path into v, and their counts if the metadata says that
// it has them. Without metadata it has counts if its first line ends in a tab and a number.
func readWords(path string, metadata map[string]string, v *embedding.Vectors, rows int) error {
	text, err := userfile.ReadRegular(path)
	if err != nil {
		return fmt.Errorf("%w: the words of a safetensors file are in a .tsv file of the same name, one a line", err)
	}
	sum := sha256.Sum256(text)
	if want := metadata[wordsChecksum]; want != "" && want != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("%s: not the words that the vectors were written with (sha256 %x…, expected %.12s…): restore the file of that name, or convert the vectors again", path, sum[:6], want)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != rows {
		return fmt.Errorf("%s has %d lines, the matrix %d rows: expected a word for each", path, len(lines), rows)
	}
	counted := metadata[wordsCounted] != "false"
	counts := make([]int64, len(lines))
	v.Words = make([]string, len(lines))
	for i, line := range lines {
		at := strings.LastIndexByte(line, '\t')
		if counted && at >= 0 {
			counts[i], err = strconv.ParseInt(line[at+1:], 10, 64)
		}
		if counted && (at < 0 || err != nil || counts[i] < 0) {
			if metadata[wordsCounted] == "true" || i > 0 {
				return fmt.Errorf("%s, line %d: found %s: expected a word, a tab and its count", path, i+1, excerpt([]byte(line)))
			}
			counted = false // the first line has no count
		}
		if v.Words[i] = line; counted {
			v.Words[i] = line[:at]
		}
	}
	if counted {
		v.Counts = counts
	}
	return nil
}
