package atlas

import (
	"fmt"

	"tinygpt/embedding"
	"tinygpt/embedding/project"
	"tinygpt/embedding/query"
)

// Choice is the words to draw, with their groups and the lines between them.
type Choice struct {
	Rows   []int    // of the vectors, each once
	Groups []string // names of the groups
	Lines  [][2]int // indices in Rows

	groups []int       // for each of Rows, its index in Groups; −1: none
	places map[int]int // from a row to its index in Rows
}

// add adds a row unless it is there already, and returns its index in Rows.
func (c *Choice) add(row, group int) int {
	place, ok := c.places[row]
	if !ok {
		place = len(c.Rows)
		if c.places == nil {
			c.places = map[int]int{}
		}
		c.places[row] = place
		c.Rows, c.groups = append(c.Rows, row), append(c.groups, group)
	}
	return place
}

// First chooses the first n words of the vocabulary, the most frequent ones.
func First(v *embedding.Vectors, n int) *Choice {
	c := &Choice{}
	for row := range min(n, len(v.Words)) {
		c.add(row, -1)
	}
	return c
}

// Around chooses words and the n nearest of each: a group for each of the words. A word that
// is near two of them is in the group of the first. A word that has no vector is an error.
func Around(s *query.Space, words []string, n int) (*Choice, error) {
	c := &Choice{Groups: words}
	for g, w := range words { // these first: their labels are kept
		row, err := s.Find(w)
		if err != nil {
			return nil, err
		}
		c.add(row, g)
	}
	for g, w := range words {
		near, err := s.Neighbours(w, n)
		if err != nil {
			return nil, err
		}
		for _, a := range near {
			row, err := s.Find(a.Word)
			if err != nil {
				return nil, err
			}
			c.add(row, g)
		}
	}
	return c, nil
}

// Pairs chooses pairs of words, with a line between the two. The first words of all pairs are
// one group, the second words another. No pairs, or a word without a vector, are an error.
func Pairs(s *query.Space, pairs [][2]string) (*Choice, error) {
	c := &Choice{}
	for _, p := range pairs {
		var line [2]int
		for i, w := range p {
			row, err := s.Find(w)
			if err != nil {
				return nil, err
			}
			line[i] = c.add(row, i)
		}
		c.Lines = append(c.Lines, line)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("no pairs of words")
	}
	return c, nil
}

// Unit returns the chosen words' unit vectors, [len(Rows), D].
func (c *Choice) Unit(s *query.Space) project.Matrix {
	m := project.Matrix{Rows: len(c.Rows), Dim: s.Dim}
	for _, row := range c.Rows {
		m.Values = append(m.Values, s.Unit(row)...)
	}
	return m
}

// New returns a map of the chosen words: places[i] is where Rows[i] is drawn, nearest how many
// of its nearest words the page lists.
func New(v *embedding.Vectors, s *query.Space, c *Choice, places []project.Point, nearest int) (*Map, error) {
	m := &Map{Lines: c.Lines, Groups: c.Groups}
	for i, row := range c.Rows {
		w := Word{Text: v.Words[row], Place: places[i], Group: c.groups[i]}
		if v.Counts != nil {
			w.Count = v.Counts[row]
		}
		near, err := s.Neighbours(w.Text, nearest)
		if err != nil {
			return nil, err
		}
		for _, a := range near {
			w.Near = append(w.Near, Neighbour{a.Word, a.Score})
		}
		m.Words = append(m.Words, w)
	}
	return m, nil
}
