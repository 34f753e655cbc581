package glove

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
)

const (
	minClasses = 8         // of rows, and of columns: blocks that are trained at the same time
	cellBytes  = 12        // of a kernel.Cell
	mostInside = 1<<16 - 1 // rows and columns of a class
)

// cells is a matrix of co-occurrences in blocks by class of row and of column. What is more
// than its memory goes to a temporary file.
type cells struct {
	classes int
	memory  int             // bytes that blocks may take, all together
	blocks  [][]kernel.Cell // [classes·classes]: what isn't in the file
	sizes   []int           // cells of each block
	held    int             // cells in blocks
	heldOut [][]kernel.Cell // [classes·classes]: what isn't trained on
	sample  [][]kernel.Cell // [classes·classes]: copies of some that are
	file    *os.File
	end     int64
	extents [][]extent // of each block in the file
	buffer  []byte
}

// extent is some cells of a block in the file.
type extent struct {
	at    int64
	cells int
}

func newCells(words, memory int) *cells {
	p := minClasses
	for (words+p-1)/p > mostInside {
		p *= 2
	}
	return &cells{classes: p, memory: memory, blocks: make([][]kernel.Cell, p*p), sizes: make([]int, p*p),
		heldOut: make([][]kernel.Cell, p*p), sample: make([][]kernel.Cell, p*p), extents: make([][]extent, p*p)}
}

// add adds a cell, which may be held out, or be in the sample of those that aren't.
func (c *cells) add(row, column int, x kernel.Cell, heldOut, sampled bool) error {
	b := row%c.classes*c.classes + column%c.classes
	x.I, x.J = uint16(row/c.classes), uint16(column/c.classes)
	if heldOut {
		c.heldOut[b] = append(c.heldOut[b], x)
		return nil
	}
	if sampled {
		c.sample[b] = append(c.sample[b], x)
	}
	c.blocks[b] = append(c.blocks[b], x)
	c.sizes[b]++
	if c.held++; c.held*cellBytes > c.memory {
		return c.spill()
	}
	return nil
}

// spill moves what is in memory to the file.
func (c *cells) spill() (err error) {
	if c.file == nil {
		if c.file, err = os.CreateTemp("", "cooccurrences-*"); err != nil {
			return err
		}
	}
	for b, list := range c.blocks {
		if len(list) == 0 {
			continue
		}
		c.buffer = c.buffer[:0]
		for _, x := range list {
			c.buffer = binary.LittleEndian.AppendUint16(c.buffer, x.I)
			c.buffer = binary.LittleEndian.AppendUint16(c.buffer, x.J)
			c.buffer = binary.LittleEndian.AppendUint32(c.buffer, math.Float32bits(x.F))
			c.buffer = binary.LittleEndian.AppendUint32(c.buffer, math.Float32bits(x.Log))
		}
		if _, err := c.file.WriteAt(c.buffer, c.end); err != nil {
			return fmt.Errorf("%s, which holds co-occurrences beyond vectors.memory_mb: %w", c.file.Name(), err)
		}
		c.extents[b] = append(c.extents[b], extent{c.end, len(list)})
		c.end += int64(len(c.buffer))
		c.blocks[b] = list[:0]
	}
	c.held = 0
	return nil
}

// complete ends the adding: all is in memory, and shuffled once, or all is in the file.
func (c *cells) complete(seed uint64) error {
	if c.file != nil {
		c.buffer = nil
		err := c.spill()
		clear(c.blocks)
		return err
	}
	kernel.Each(len(c.blocks), func(b int) { shuffle(c.blocks[b], seed, b) })
	return nil
}

// load returns block b in the order of training. What is read from the file goes to room.
func (c *cells) load(b int, room []kernel.Cell, seed uint64) ([]kernel.Cell, error) {
	if c.file == nil {
		return c.blocks[b], nil
	}
	room = room[:0]
	for _, e := range c.extents[b] {
		raw := make([]byte, e.cells*cellBytes)
		if _, err := c.file.ReadAt(raw, e.at); err != nil && err != io.EOF {
			return nil, fmt.Errorf("%s, which holds co-occurrences: %w", c.file.Name(), err)
		}
		for ; len(raw) > 0; raw = raw[cellBytes:] {
			room = append(room, kernel.Cell{
				I: binary.LittleEndian.Uint16(raw), J: binary.LittleEndian.Uint16(raw[2:]),
				F: math.Float32frombits(binary.LittleEndian.Uint32(raw[4:])), Log: math.Float32frombits(binary.LittleEndian.Uint32(raw[8:])),
			})
		}
	}
	shuffle(room, seed, b)
	return room, nil
}

// shuffle brings a block into a random order that depends on nothing but seed and number.
func shuffle(list []kernel.Cell, seed uint64, block int) {
	r := corpus.NewRandom(seed, shuffleDraws, uint64(block))
	for n := len(list) - 1; n > 0; n-- {
		m := r.Below(n + 1)
		list[n], list[m] = list[m], list[n]
	}
}

// close removes the file.
func (c *cells) close() {
	if c.file != nil {
		c.file.Close()
		os.Remove(c.file.Name())
		c.file = nil
	}
}
