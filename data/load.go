package data

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// separator is the line that divides documents within a file.
const separator = "<|endoftext|>"

// stdin stands among paths for the pattern "-"; a cleaned path is never empty.
const stdin = ""

// Load reads files, folders, globs and, as "-", standard input. Folders are
// searched through for files named *.txt or *.md, gzipped (.gz) too; hidden ones
// and links to other folders are passed over. A file is a document, or several,
// divided by lines that hold exactly <|endoftext|>. Texts are taken byte for byte,
// except for a byte order mark and the line ends \r\n, which become \n. Order is
// that of the patterns, sorted by name within each; a file is taken once.
//
// Errors name the file and, for text that isn't UTF-8, the line and byte.
func Load(patterns []string) (Corpus, error) {
	var c Corpus
	seen := map[string]bool{}
	for _, pattern := range patterns {
		files, err := find(pattern)
		if err != nil {
			return c, err
		}
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			text, err := readText(file)
			if err != nil {
				return c, err
			}
			docs, err := divide(displayName(file), text)
			if err != nil {
				return c, err
			}
			c.Documents = append(c.Documents, docs...)
		}
	}
	return c, nil
}

// find lists the files that a pattern stands for.
func find(pattern string) ([]string, error) {
	if pattern == "-" {
		return []string{stdin}, nil
	}
	matches := []string{filepath.Clean(pattern)}
	if _, err := os.Stat(pattern); errors.Is(err, fs.ErrPermission) {
		return nil, err
	} else if err != nil {
		if matches, err = filepath.Glob(pattern); err != nil {
			return nil, fmt.Errorf("%s: not a well-formed glob: %w", pattern, err)
		}
		if len(matches) == 0 {
			absolute, _ := filepath.Abs(pattern)
			return nil, fmt.Errorf("%s: no such file, folder or match", absolute)
		}
	}
	var files []string
	for _, m := range matches {
		info, err := os.Stat(m)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, m)
			continue
		}
		before := len(files)
		root := m + string(filepath.Separator) // which goes into a folder behind a link
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			hidden := path != root && strings.HasPrefix(d.Name(), ".")
			switch {
			case err != nil:
				return err
			case d.IsDir() && hidden:
				return fs.SkipDir
			case !d.IsDir() && !hidden && isText(path):
				files = append(files, filepath.Clean(path))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s: no *.txt or *.md file in this folder: name files of other endings one by one or by a glob", m)
		}
	}
	return files, nil
}

func isText(path string) bool {
	ext := filepath.Ext(strings.TrimSuffix(path, ".gz"))
	return ext == ".txt" || ext == ".md"
}

func read(file string) ([]byte, error) {
	if file == stdin {
		return io.ReadAll(os.Stdin)
	}
	text, err := os.ReadFile(file)
	if err != nil || filepath.Ext(file) != ".gz" {
		return text, err
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: not gzip although its name ends in .gz: %w", file, err)
	}
	if text, err = io.ReadAll(z); err != nil {
		return nil, fmt.Errorf("%s: damaged gzip data: %w", file, err)
	}
	return text, nil
}

// ReadText reads one file as Load does, "-" being standard input: gzipped if its
// name ends in .gz, without a byte order mark, its lines ended by \n. A file that is
// empty or isn't UTF-8 is an error.
func ReadText(file string) (string, error) {
	if file == "-" {
		file = stdin
	}
	return readText(file)
}

func readText(file string) (string, error) {
	text, err := read(file)
	if err != nil {
		return "", err
	}
	return clean(displayName(file), text)
}

func displayName(file string) string {
	if file == stdin {
		return "standard input"
	}
	return file
}

// clean checks a file's text, and takes the byte order mark and \r from it.
func clean(file string, text []byte) (string, error) {
	if len(bytes.TrimSpace(bytes.TrimPrefix(text, []byte(byteOrderMark)))) == 0 {
		return "", fmt.Errorf("%s: the file is empty: give one with text in it", file)
	}
	if err := checkUTF8(file, text); err != nil {
		return "", err
	}
	return strings.ReplaceAll(strings.TrimPrefix(string(text), byteOrderMark), "\r\n", "\n"), nil
}

// divide cuts a file's text into documents.
func divide(file, s string) ([]Document, error) {
	var docs []Document
	add := func(t string) {
		if strings.TrimSpace(t) != "" {
			docs = append(docs, Document{file, t})
		}
	}
	start := 0
	for at := 0; at < len(s); {
		end := len(s)
		if i := strings.IndexByte(s[at:], '\n'); i >= 0 {
			end = at + i
		}
		next := min(end+1, len(s))
		if s[at:end] == separator {
			add(strings.TrimSuffix(s[start:at], "\n"))
			start = next
		}
		at = next
	}
	add(s[start:])
	if len(docs) == 0 {
		return nil, fmt.Errorf("%s: nothing but %s lines: give a file with text in it", file, separator)
	}
	return docs, nil
}

// byteOrderMark is what some editors put at the beginning of a UTF-8 file.
const byteOrderMark = "\ufeff"

// checkUTF8 names the first byte of a text that isn't UTF-8, and how to mend it.
func checkUTF8(file string, text []byte) error {
	if utf8.Valid(text) {
		return nil
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return fmt.Errorf("%s: the file is UTF-16, expected UTF-8: convert it, for example with `iconv -f utf-16 -t utf-8`", file)
	}
	at := 0
	for at < len(text) {
		r, n := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	line := 1 + bytes.Count(text[:at], []byte("\n"))
	if !utf8.FullRune(text[at:]) {
		return fmt.Errorf("%s:%d: the file ends at offset %d in the middle of a character: it was cut off", file, line, at)
	}
	return fmt.Errorf("%s:%d: byte %#x at offset %d is not UTF-8: convert the file, for example with `iconv -f latin1 -t utf-8`", file, line, text[at], at)
}
