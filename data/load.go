package data

import (
	"errors"
	"fmt"
	"strings"
)

// separator ends a document within a file.
const separator = "<|endoftext|>"

// Options say how files are read.
type Options struct {
	// Encoding is the name of the character encoding that all files have, as
	// gb18030, shift_jis or windows-1252 (see CheckEncoding). None: UTF-8.
	Encoding string
}

// Load reads files, folders, globs and, as "-", standard input. Folders are searched
// through for files named *.txt or *.md, gzipped (.gz) too. In a glob ** stands for
// folders of any depth. Hidden files, editors' copies, empty files, links to other
// folders and what isn't a regular file are left out unless they are named. If several
// names are given, which a shell may have made of a glob, then copies, empty files and
// links to nothing are left out among them as well. The corpus' Report lists what was
// left out. Order is that of the patterns, sorted by name within each; a file is taken
// once, by whatever paths and links it is reached.
//
// A file is a document, or several that <|endoftext|> divides. It ends a document
// wherever it is: nothing else can be meant by it, and a model that reads it as text
// learns to write it. White space between it and the ends of its line doesn't count.
// Texts are otherwise taken byte for byte, except for a byte order mark and the line
// ends \r\n, which become \n.
//
// The error names every file that can't be read, and for text that isn't UTF-8 the
// line, the byte and the likely encoding.
func Load(patterns []string, o Options) (Corpus, error) {
	var c Corpus
	files, err := find(patterns)
	if err != nil {
		return c, err
	}
	c.Report.LeftOut = files.leftOut
	var errs []error
	for _, file := range files.files {
		text, err := readText(file.path, o)
		if why := file.whyLeft(err); why != "" {
			c.Report.LeftOut = append(c.Report.LeftOut, LeftOut{file.path, why})
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		docs, inline := divide(displayName(file.path), text)
		if len(docs) == 0 {
			errs = append(errs, fmt.Errorf("%s: nothing but %s lines: give a file with text in it", displayName(file.path), separator))
		}
		c.Documents = append(c.Documents, docs...)
		c.Report.Files++
		c.Report.Inline += inline
		c.Report.countOtherEnds(text)
	}
	c.Report.Documents, c.Report.Bytes = len(c.Documents), c.Bytes()
	if err := few(errs); err != nil {
		return Corpus{}, err
	}
	if len(c.Documents) == 0 {
		return c, fmt.Errorf("no file with text in it: %s", summary(c.Report.LeftOut))
	}
	return c, nil
}

// few joins errors; of many, it keeps the first.
func few(errs []error) error {
	const most = 10
	if n := len(errs); n > most {
		errs = append(errs[:most:most], fmt.Errorf("and %d more files", n-most))
	}
	return errors.Join(errs...)
}

func displayName(file string) string {
	if file == stdin {
		return "standard input"
	}
	return file
}

// divide cuts a file's text into documents, and counts the separators that share
// their line with text.
func divide(file, text string) (docs []Document, inline int) {
	for {
		before, rest, found := strings.Cut(text, separator)
		if found {
			// White space that only surrounds the separator goes.
			trimmed := strings.TrimRight(before, " \t")
			blankBefore := trimmed == "" || strings.HasSuffix(trimmed, "\n")
			if blankBefore {
				before = strings.TrimSuffix(trimmed, "\n")
			}
			trimmed = strings.TrimLeft(rest, " \t")
			blankAfter := trimmed == "" || strings.HasPrefix(trimmed, "\n")
			if blankAfter {
				rest = strings.TrimPrefix(trimmed, "\n")
			}
			if !blankBefore || !blankAfter && !strings.HasPrefix(trimmed, separator) {
				inline++
			}
		}
		if strings.TrimSpace(before) != "" {
			docs = append(docs, Document{file, before})
		}
		if !found {
			return docs, inline
		}
		text = rest
	}
}
